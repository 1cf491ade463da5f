"""What is believed of variables: origin, part, and what fixed their numbers."""

import textwrap

import pytest

from solvent.debt.facts.document import Document, read_document
from solvent.debt.facts.file import FileFacts
from solvent.debt.flow.events import Scored
from solvent.debt.flow.explain import explain
from solvent.debt.flow.parts import overlap
from solvent.debt.flow.values import Model, Predicted, Rows, Value

HEAD = """
import numpy as np, pandas as pd, polars as pl, torch
from sklearn.model_selection import train_test_split, KFold, ShuffleSplit
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
df = pd.read_csv("a.csv")
SVC().fit(df[["a"]], df["y"])
"""


def held(code: str) -> dict[str, Value]:
    """The last belief of each name."""
    file = FileFacts(Document("a.py", HEAD + textwrap.dedent(code)))
    return {name: value for (_, name), value in sorted(file.flow.beliefs.items(), key=lambda each: each[0][0])}


def rows(code: str, name: str) -> Rows:
    value = held(code)[name]
    assert isinstance(value, Rows)
    return value


@pytest.mark.parametrize(
    "code",
    [
        "a, b = train_test_split(df)",
        "parts = train_test_split(df, df.y)\na, b = parts[0], parts[1]",
        "a, b = torch.utils.data.random_split(df, [80, 20])",
        "m = np.random.rand(len(df)) < 0.8\na, b = df[m], df[~m]",
        "a, b = df[:80], df[80:]",
        "a, b = df.iloc[:-20], df.iloc[-20:]",
        "n = int(len(df) * 0.8)\na, b = df[:n], df[n:]",
        "a = df[: int(len(df) * 0.8)]\nb = df[int(len(df) * 0.8) :]",
        "a = df.sample(frac=0.8)\nb = df.drop(a.index)",
        "a = df.sample(frac=0.8)\nb = df[~df.index.isin(a.index)]",
        "a, b = df[df.year < 2015], df[df['year'] >= 2015]",
        "a, b = df.query('year < 2015'), df.query('year >= 2015')",
        "a, b = df[df.part == 'train'], df[df.part == 'test']",
        "a, b = df.head(80), df[80:]",
        "for i, j in KFold(5).split(df):\n    a, b = df.iloc[i], df.iloc[j]",
        "for _, (i, j) in enumerate(KFold(5).split(df)):\n    a, b = df.loc[i], df.loc[j]",
        "i, j = next(ShuffleSplit(1).split(df))\na, b = df.values[i], df.values[j]",
        "i, j = train_test_split(np.arange(len(df)))\na, b = df.iloc[i], df.iloc[j]",
        "order = np.random.permutation(len(df))\na, b = df.values[order[:80]], df.values[order[80:]]",
        "t = pl.read_csv('a')\na, b = t.filter(pl.col('x') < 3), t.filter(pl.col('x') >= 3)",
        "a, b = np.split(df.sample(frac=1), [80])",
        "def parts(d):\n    return {'a': d[:80], 'b': d[80:]}\np = parts(df)\na, b = p['a'], p['b']",
        "class P:\n  def __init__(self, d):\n    self.a, self.b = train_test_split(d)\np = P(df)\na, b = p.a, p.b",
    ],
)
def test_sides_of_a_division_are_apart(code: str) -> None:
    a, b = rows(code, "a"), rows(code, "b")
    assert a.origin == b.origin and overlap(a.part, b.part) is False


@pytest.mark.parametrize(
    "code",
    [
        "a, b = df[first], df[second]",
        "a, _ = train_test_split(df)\n_, b = train_test_split(df)",
        "a, b = df.dropna(), df.drop_duplicates()",
        "n = f()\na = df[:n]\nn = g()\nb = df[n:]",
        "a, b = df[df.x > f()], df[df.x < g()]",
    ],
)
def test_what_cannot_be_known_is_not_said(code: str) -> None:
    assert overlap(rows(code, "a").part, rows(code, "b").part) is None


@pytest.mark.parametrize(
    "code",
    [
        "a, b = pd.read_csv('x'), pd.read_csv('y')",
        "def load(n):\n    return pd.read_csv(n)\na, b = load('x'), load('y')",
        "a, b = clean(df), df",
        "(a, c), (b, d) = load_data()",
        "data = load()\na, b = data.train, data.test",
        "if x:\n    a = df\nelse:\n    a = clean(df)\nb = df",
    ],
)
def test_other_origins(code: str) -> None:
    assert rows(code, "a").origin != rows(code, "b").origin


@pytest.mark.parametrize(
    "code",
    [
        "a = df.copy()",
        "a = df[['x', 'y']].astype(float).to_numpy()",
        "a = np.log1p(df.fillna(0))",
        "a = pd.concat([df, pd.get_dummies(df.c)], axis=1)",
        "a = np.hstack([df[['x']], df[['y']]])",
        "t, v = train_test_split(df)\na = pd.concat([t, v])",
        "a = df.sample(frac=1).reset_index(drop=True)",
        "a = pd.DataFrame(StandardScaler().fit_transform(df), columns=names)",
    ],
)
def test_rows_are_kept(code: str) -> None:
    a, df = rows(code, "a"), rows(code, "df")
    assert (a.origin, a.part) == (df.origin, ())


def test_a_branch_that_disagrees_learns_nothing() -> None:
    learnt = "a = StandardScaler().fit_transform(df)"
    assert rows(learnt, "a").fits
    assert not rows(f"a = df\nif x:\n    {learnt}\nb = a", "b").fits
    assert rows(f"if x:\n    {learnt}\nelse:\n    raise E\nb = a", "b").fits


def test_models_remember_what_they_were_fitted_on() -> None:
    found = held("t, v = train_test_split(df)\nm = SVC()\nn = m\nm.fit(t, t.y)\nguess = n.predict(v)")
    guess = found["guess"]
    assert isinstance(guess, Predicted) and guess.model.fitting is not None
    assert guess.model.fitting.rows == found["t"] and guess.rows == found["v"]


def test_a_loop_forgets_what_a_turn_may_change() -> None:
    value = held("m = SVC()\nfor k in z:\n    before = m\n    m.fit(df, df.y)")["before"]
    assert isinstance(value, Model) and value.fitting is None


def test_after_an_unreadable_cell_nothing_is_known() -> None:
    import json

    cells = ["\n".join([HEAD, "m = SVC().fit(df[:9], df.y)"]), "print 'x'", "m.score(df, df.y)"]
    content = json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()
    file = FileFacts(read_document("a.ipynb", content))
    scores = [event for event in file.flow.events if isinstance(event, Scored)]
    assert all(event.model.fitting is None for event in scores)


@pytest.mark.parametrize(
    "code",
    [
        "def f(n):\n    return f(n)\nf(df).fit(1)",
        "class A:\n    def go(self):\n        return self.go()\nA().go().fit(1)",
        "x = df\nwhile True:\n    x = [x, x]\nx.fit(1)",
        "\n".join(f"def f{i}(x):\n    return [f{i + 1}(x), f{i + 1}(x)]" for i in range(30)) + "\nf0(df)",
        "for a in b:\n"
        + "".join(" " * depth + f"for v{depth} in b:\n" for depth in range(1, 18))
        + " " * 18
        + "df.fit(1)",
    ],
)
def test_programs_that_go_round_in_circles_end(code: str) -> None:
    FileFacts(Document("a.py", HEAD + code)).flow  # noqa: B018  that it returns is the test


def test_explained_in_words() -> None:
    file = FileFacts(
        Document("a.py", HEAD + "t, v = train_test_split(df)\nm = SVC().fit(t, t.y)\nprint(m.score(v, v.y))")
    )
    told = "\n".join(explain(file))
    assert "t = table of a.csv (line 6), train of line 8" in told
    assert "SVC, fitted on train of line 8 in line 9 is judged on table of a.csv (line 6), test of line 8" in told
