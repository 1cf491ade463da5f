"""error[bad-declaration]: pipeline.py:11: unknown task `regresion`: known: regression, binary, multiclass"""

from solvent import model, step


@step
def fit() -> int:
    return 1


bikes = model(estimator=fit, evaluation=fit, features=fit, task="regresion", target="y", metric="mae", time="t")
