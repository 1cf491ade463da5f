"""Dated facts of the world: ends of life, hosted models, removed names, which distribution an import comes from.

Everything here ages. `AS_OF` says when it was looked up; a rule judges by that day, so that the same repository and
the same Solvent give the same findings on any day.
"""

from __future__ import annotations

import msgspec

from solvent.debt.facts.types import words

AS_OF = "2026-11-30"

# Python: devguide.python.org/versions. Images: wiki.ubuntu.com/Releases (standard support), wiki.debian.org/LTS,
# centos.org (end of the distribution). Day after which no fixes come.
END_OF_LIFE: dict[str, dict[str, str]] = {
    "python": {
        "2.6": "2013-10-29",
        "2.7": "2020-01-01",
        "3.3": "2017-09-29",
        "3.4": "2019-03-18",
        "3.5": "2020-09-30",
        "3.6": "2021-12-23",
        "3.7": "2023-06-27",
        "3.8": "2024-10-07",
        "3.9": "2025-10-31",
        "3.10": "2026-10-31",
    },
    "ubuntu": {
        "14.04": "2019-04-30",
        "16.04": "2021-04-30",
        "18.04": "2023-05-31",
        "20.04": "2025-05-31",
        "trusty": "2019-04-30",
        "xenial": "2021-04-30",
        "bionic": "2023-05-31",
        "focal": "2025-05-31",
    },
    "debian": {
        "8": "2020-06-30",
        "9": "2022-06-30",
        "10": "2024-06-30",
        "11": "2026-08-31",
        "jessie": "2020-06-30",
        "stretch": "2022-06-30",
        "buster": "2024-06-30",
        "bullseye": "2026-08-31",
    },
    "centos": {"6": "2020-11-30", "7": "2024-06-30", "8": "2021-12-31"},
}


def ended(product: str, version: str) -> str:
    """Day on which support of a version ended; empty where it goes on, or is not in the table.

    >>> ended("python", "3.7"), ended("python", "3.99")
    ('2023-06-27', '')
    """
    day = END_OF_LIFE.get(product, {}).get(version, "")
    return day if day and day <= AS_OF else ""


# Aliases of hosted models that the provider moves to newer weights. Sources: platform.openai.com/docs/models,
# docs.anthropic.com models overview, ai.google.dev/gemini-api/docs/models, docs.mistral.ai models.
FLOATING_MODELS: dict[str, frozenset[str]] = {
    "openai": words("""
        gpt-3.5-turbo gpt-3.5-turbo-16k gpt-4 gpt-4-32k gpt-4-turbo gpt-4-turbo-preview gpt-4-vision-preview gpt-4o
        gpt-4o-mini chatgpt-4o-latest gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-4.5-preview o1 o1-mini o1-preview o1-pro
        o3 o3-mini o3-pro o4-mini gpt-5 gpt-5-mini gpt-5-nano gpt-5-pro gpt-5.1 gpt-5-chat-latest
        gpt-4o-audio-preview gpt-4o-realtime-preview gpt-4o-search-preview
    """),
    "anthropic": words("""
        claude-3-5-sonnet-latest claude-3-5-haiku-latest claude-3-opus-latest claude-3-7-sonnet-latest
        claude-opus-4-0 claude-sonnet-4-0 claude-opus-4-1 claude-sonnet-4-5 claude-haiku-4-5 claude-opus-4-5
        claude-2 claude-instant-1 claude-v1 claude-instant-v1
    """),
    "google": words("""
        gemini-pro gemini-pro-vision gemini-1.0-pro gemini-1.0-pro-latest gemini-1.5-pro gemini-1.5-pro-latest
        gemini-1.5-flash gemini-1.5-flash-latest gemini-1.5-flash-8b gemini-2.0-flash gemini-2.0-flash-lite
        gemini-flash-latest gemini-flash-lite-latest gemini-pro-latest gemini-2.0-flash-exp
    """),
    "mistral": words("""
        mistral-tiny mistral-small mistral-medium mistral-large mistral-small-latest mistral-medium-latest
        mistral-large-latest ministral-3b-latest ministral-8b-latest codestral-latest pixtral-large-latest
        open-mistral-7b open-mixtral-8x7b open-mistral-nemo magistral-medium-latest magistral-small-latest
    """),
}


class Removed(msgspec.Struct, frozen=True):
    """A name, or a keyword of it, that is gone. since: first release without it; newest: the newest release on the
    day of the table; python: oldest interpreter that `since` runs on; instead: what took its place.
    """

    distribution: str
    since: str
    newest: str
    python: str
    instead: str


_NUMPY = {  # `bool` and `long` are back since 2.0
    name: Removed("numpy", "1.24", "2.3.5", "3.8", instead)
    for name, instead in {
        "int": "int",
        "float": "float",
        "complex": "complex",
        "object": "object",
        "str": "str",
        "unicode": "str",
    }.items()
}
_NUMPY_2 = {
    name: Removed("numpy", "2.0", "2.3.5", "3.9", instead)
    for name, instead in {
        "float_": "numpy.float64",
        "complex_": "numpy.complex128",
        "unicode_": "numpy.str_",
        "string_": "numpy.bytes_",
        "NaN": "numpy.nan",
        "Inf": "numpy.inf",
        "Infinity": "numpy.inf",
        "PINF": "numpy.inf",
        "NINF": "-numpy.inf",
        "infty": "numpy.inf",
        "cast": "numpy.asarray",
        "product": "numpy.prod",
        "cumproduct": "numpy.cumprod",
        "alltrue": "numpy.all",
        "sometrue": "numpy.any",
        "asfarray": "numpy.asarray",
        "find_common_type": "numpy.result_type",
        "round_": "numpy.round",
        "mat": "numpy.asmatrix",
        "issubclass_": "issubclass",
        "set_string_function": "numpy.set_printoptions",
    }.items()
}


def _sklearn(since: str, instead: str) -> Removed:
    python = {"0.20": "2.7", "0.21": "3.5", "0.22": "3.5", "0.23": "3.6", "0.24": "3.6", "1.0": "3.7"}.get(since, "3.8")
    return Removed("scikit-learn", since, "1.7.2", python, instead)


def _pandas(since: str, instead: str) -> Removed:
    return Removed("pandas", since, "2.3.3", {"2.0": "3.8"}.get(since, "3.6"), instead)


def _scipy(since: str, instead: str) -> Removed:
    return Removed("scipy", since, "1.16.3", {"1.3": "3.5", "1.2": "3.5"}.get(since, "3.9"), instead)


# Dotted names as imports give them; those of methods of a known type as `type.method`. From the release notes of each
# project: numpy 1.24, 2.0; pandas 1.0, 2.0; scikit-learn 0.20 to 1.6; scipy 1.0 to 1.14; TensorFlow 2.0.
REMOVED: dict[str, Removed] = {
    **{f"numpy.{name}": one for name, one in (_NUMPY | _NUMPY_2).items()},
    "sklearn.cross_validation": _sklearn("0.20", "sklearn.model_selection"),
    "sklearn.grid_search": _sklearn("0.20", "sklearn.model_selection"),
    "sklearn.learning_curve": _sklearn("0.20", "sklearn.model_selection"),
    "sklearn.lda": _sklearn("0.20", "sklearn.discriminant_analysis"),
    "sklearn.qda": _sklearn("0.20", "sklearn.discriminant_analysis"),
    "sklearn.mixture.GMM": _sklearn("0.20", "sklearn.mixture.GaussianMixture"),
    "sklearn.decomposition.RandomizedPCA": _sklearn("0.20", "sklearn.decomposition.PCA"),
    "sklearn.preprocessing.Imputer": _sklearn("0.22", "sklearn.impute.SimpleImputer"),
    "sklearn.preprocessing.imputation": _sklearn("0.22", "sklearn.impute"),
    "sklearn.externals.joblib": _sklearn("0.23", "joblib"),
    "sklearn.externals.six": _sklearn("0.23", "six"),
    "sklearn.utils.testing": _sklearn("0.24", "sklearn.utils._testing"),
    "sklearn.metrics.classification": _sklearn("0.24", "sklearn.metrics"),
    "sklearn.metrics.jaccard_similarity_score": _sklearn("0.23", "sklearn.metrics.jaccard_score"),
    "sklearn.datasets.samples_generator": _sklearn("0.24", "sklearn.datasets"),
    "sklearn.datasets.base": _sklearn("0.24", "sklearn.datasets"),
    "sklearn.datasets.fetch_mldata": _sklearn("0.22", "sklearn.datasets.fetch_openml"),
    "sklearn.datasets.load_boston": _sklearn("1.2", "sklearn.datasets.fetch_california_housing"),
    "sklearn.linear_model.RandomizedLasso": _sklearn("0.21", "a bootstrap of Lasso"),
    "sklearn.linear_model.stochastic_gradient": _sklearn("0.24", "sklearn.linear_model"),
    "sklearn.ensemble.forest": _sklearn("0.24", "sklearn.ensemble"),
    "sklearn.ensemble.gradient_boosting": _sklearn("0.24", "sklearn.ensemble"),
    "sklearn.ensemble.partial_dependence": _sklearn("0.24", "sklearn.inspection"),
    "sklearn.tree.tree": _sklearn("0.24", "sklearn.tree"),
    "sklearn.neighbors.base": _sklearn("0.24", "sklearn.neighbors"),
    "sklearn.svm.classes": _sklearn("0.24", "sklearn.svm"),
    "sklearn.cluster.k_means_": _sklearn("0.24", "sklearn.cluster"),
    "sklearn.feature_extraction.stop_words": _sklearn("0.24", "sklearn.feature_extraction.text"),
    "sklearn.metrics.plot_confusion_matrix": _sklearn("1.2", "ConfusionMatrixDisplay.from_estimator"),
    "sklearn.metrics.plot_roc_curve": _sklearn("1.2", "RocCurveDisplay.from_estimator"),
    "sklearn.metrics.plot_precision_recall_curve": _sklearn("1.2", "PrecisionRecallDisplay.from_estimator"),
    "sklearn.metrics.plot_det_curve": _sklearn("1.2", "DetCurveDisplay.from_estimator"),
    "sklearn.inspection.plot_partial_dependence": _sklearn("1.2", "PartialDependenceDisplay.from_estimator"),
    "sklearn.metrics.SCORERS": _sklearn("1.3", "sklearn.metrics.get_scorer_names"),
    "pandas.Panel": _pandas("1.0", "xarray or a MultiIndex"),
    "pandas.scatter_matrix": _pandas("0.25", "pandas.plotting.scatter_matrix"),
    "pandas.tools": _pandas("0.24", "pandas.plotting"),
    "pandas.rolling_mean": _pandas("0.23", "Series.rolling(...).mean()"),
    "pandas.rolling_std": _pandas("0.23", "Series.rolling(...).std()"),
    "pandas.ewma": _pandas("0.23", "Series.ewm(...).mean()"),
    "pandas.io.data": _pandas("0.23", "pandas_datareader"),
    "pandas.datetime": _pandas("2.0", "datetime.datetime"),
    "pandas.np": _pandas("2.0", "numpy"),
    "pandas.Int64Index": _pandas("2.0", "pandas.Index"),
    "pandas.Float64Index": _pandas("2.0", "pandas.Index"),
    "pandas.TimeGrouper": _pandas("1.0", "pandas.Grouper"),
    "pandas.util.testing": _pandas("2.0", "pandas.testing"),
    "pandas.DataFrame.append": _pandas("2.0", "pandas.concat"),
    "pandas.DataFrame.iteritems": _pandas("2.0", "DataFrame.items"),
    "pandas.DataFrame.ix": _pandas("1.0", "DataFrame.loc or iloc"),
    "pandas.DataFrame.as_matrix": _pandas("1.0", "DataFrame.to_numpy"),
    "pandas.DataFrame.get_value": _pandas("1.0", "DataFrame.at"),
    "pandas.DataFrame.set_value": _pandas("1.0", "DataFrame.at"),
    "pandas.DataFrame.lookup": _pandas("2.0", "factorize and NumPy indexing"),
    "pandas.DataFrame.mad": _pandas("2.0", "(df - df.mean()).abs().mean()"),
    "pandas.Series.append": _pandas("2.0", "pandas.concat"),
    "pandas.Series.iteritems": _pandas("2.0", "Series.items"),
    "pandas.Series.mad": _pandas("2.0", "(s - s.mean()).abs().mean()"),
    "scipy.misc.imread": _scipy("1.2", "imageio.imread"),
    "scipy.misc.imsave": _scipy("1.2", "imageio.imwrite"),
    "scipy.misc.imresize": _scipy("1.3", "PIL.Image.resize"),
    "scipy.misc.imrotate": _scipy("1.2", "scipy.ndimage.rotate"),
    "scipy.misc.toimage": _scipy("1.2", "PIL.Image.fromarray"),
    "scipy.misc.logsumexp": _scipy("1.3", "scipy.special.logsumexp"),
    "scipy.misc.comb": _scipy("1.3", "scipy.special.comb"),
    "scipy.misc.factorial": _scipy("1.3", "scipy.special.factorial"),
    "scipy.misc.derivative": _scipy("1.12", "numdifftools or jax"),
    "scipy.misc.face": _scipy("1.12", "scipy.datasets.face"),
    "scipy.misc.ascent": _scipy("1.12", "scipy.datasets.ascent"),
    "scipy.interpolate.interp2d": _scipy("1.14", "RegularGridInterpolator"),
    "scipy.integrate.trapz": _scipy("1.14", "scipy.integrate.trapezoid"),
    "scipy.integrate.simps": _scipy("1.14", "scipy.integrate.simpson"),
    "scipy.integrate.cumtrapz": _scipy("1.14", "scipy.integrate.cumulative_trapezoid"),
    "scipy.stats.median_absolute_deviation": _scipy("1.9", "scipy.stats.median_abs_deviation"),
    "scipy.signal.hann": _scipy("1.13", "scipy.signal.windows.hann"),
    "scipy.signal.hamming": _scipy("1.13", "scipy.signal.windows.hamming"),
    "tensorflow.placeholder": Removed("tensorflow", "2.0", "2.20.0", "3.5", "a function's argument, or tf.compat.v1"),
    "tensorflow.Session": Removed("tensorflow", "2.0", "2.20.0", "3.5", "eager execution, or tf.compat.v1"),
    "tensorflow.contrib": Removed("tensorflow", "2.0", "2.20.0", "3.5", "tensorflow_addons, tf_slim"),
    "tensorflow.get_variable": Removed("tensorflow", "2.0", "2.20.0", "3.5", "tf.Variable"),
    "tensorflow.global_variables_initializer": Removed(
        "tensorflow", "2.0", "2.20.0", "3.5", "nothing: variables start initialised"
    ),
    "tensorflow.set_random_seed": Removed("tensorflow", "2.0", "2.20.0", "3.5", "tf.random.set_seed"),
    "tensorflow.examples.tutorials": Removed(
        "tensorflow", "2.0", "2.20.0", "3.5", "tensorflow_datasets or keras.datasets"
    ),
    "tensorflow.app.flags": Removed("tensorflow", "2.0", "2.20.0", "3.5", "absl.flags"),
    "tensorflow.ConfigProto": Removed("tensorflow", "2.0", "2.20.0", "3.5", "tf.config, or tf.compat.v1"),
    "tensorflow.train.AdamOptimizer": Removed("tensorflow", "2.0", "2.20.0", "3.5", "tf.keras.optimizers.Adam"),
    "torch.symeig": Removed("torch", "2.0", "2.9.1", "3.8", "torch.linalg.eigh"),
    **{
        f"keras.{name}": Removed("keras", "3.0", "3.15.1", "3.9", instead)
        for instead, names in {
            "keras.layers": (
                "layers.core layers.convolutional layers.recurrent layers.embeddings layers.normalization layers.merge "
                "layers.advanced_activations layers.pooling"
            ),
            "keras.utils": "utils.np_utils",
            "keras.layers.TextVectorization": "preprocessing.text",
        }.items()
        for name in names.split()
    },
    "gensim.models.wrappers": Removed("gensim", "4.0", "4.4.0", "3.6", "the wrapped tool itself"),
    "gensim.summarization": Removed("gensim", "4.0", "4.4.0", "3.6", "another summariser"),
}

# A keyword of a callable that is gone.
REMOVED_KEYWORDS: dict[tuple[str, str], Removed] = {
    ("sklearn.preprocessing.OneHotEncoder", "sparse"): _sklearn("1.4", "sparse_output"),
    ("sklearn.preprocessing.OneHotEncoder", "categorical_features"): _sklearn("0.22", "a ColumnTransformer"),
    ("sklearn.preprocessing.OneHotEncoder", "n_values"): _sklearn("0.22", "categories"),
    ("sklearn.ensemble.AdaBoostClassifier", "base_estimator"): _sklearn("1.4", "estimator"),
    ("sklearn.ensemble.AdaBoostRegressor", "base_estimator"): _sklearn("1.4", "estimator"),
    ("sklearn.ensemble.BaggingClassifier", "base_estimator"): _sklearn("1.4", "estimator"),
    ("sklearn.ensemble.BaggingRegressor", "base_estimator"): _sklearn("1.4", "estimator"),
    ("sklearn.linear_model.LinearRegression", "normalize"): _sklearn("1.2", "a StandardScaler before it"),
    ("sklearn.linear_model.Ridge", "normalize"): _sklearn("1.2", "a StandardScaler before it"),
    ("sklearn.linear_model.Lasso", "normalize"): _sklearn("1.2", "a StandardScaler before it"),
    ("sklearn.linear_model.ElasticNet", "normalize"): _sklearn("1.2", "a StandardScaler before it"),
    ("sklearn.linear_model.RidgeCV", "normalize"): _sklearn("1.2", "a StandardScaler before it"),
    ("sklearn.linear_model.LassoCV", "normalize"): _sklearn("1.2", "a StandardScaler before it"),
    ("sklearn.cluster.KMeans", "n_jobs"): _sklearn("1.0", "threadpoolctl"),
    ("sklearn.cluster.KMeans", "precompute_distances"): _sklearn("1.0", "nothing"),
    ("sklearn.cluster.AgglomerativeClustering", "affinity"): _sklearn("1.4", "metric"),
    ("sklearn.manifold.TSNE", "n_iter"): _sklearn("1.7", "max_iter"),
    ("sklearn.metrics.mean_squared_error", "squared"): _sklearn("1.6", "root_mean_squared_error"),
    ("sklearn.model_selection.GridSearchCV", "iid"): _sklearn("0.24", "nothing"),
    ("sklearn.tree.DecisionTreeClassifier", "presort"): _sklearn("0.24", "nothing"),
    ("sklearn.tree.DecisionTreeClassifier", "min_impurity_split"): _sklearn("1.0", "min_impurity_decrease"),
    ("pandas.read_csv", "error_bad_lines"): _pandas("2.0", "on_bad_lines"),
    ("pandas.read_csv", "warn_bad_lines"): _pandas("2.0", "on_bad_lines"),
    ("pandas.read_csv", "squeeze"): _pandas("2.0", 'a following .squeeze("columns")'),
    ("pandas.read_csv", "prefix"): _pandas("2.0", "renaming the columns"),
    ("pandas.read_csv", "mangle_dupe_cols"): _pandas("2.0", "nothing"),
    ("pandas.read_excel", "sheetname"): _pandas("0.25", "sheet_name"),
}

# An import's first name → distributions that provide it, canonical; the first is the one to advise. Only well-known
# ones: of others nothing is claimed.
PROVIDERS: dict[str, tuple[str, ...]] = {
    "sklearn": ("scikit-learn", "sklearn", "scikit-learn-intelex"),
    "numpy": ("numpy",),
    "pandas": ("pandas",),
    "scipy": ("scipy",),
    "matplotlib": ("matplotlib", "matplotlib-base", "pyplot"),
    "seaborn": ("seaborn", "seaborn-base"),
    "torch": ("torch", "pytorch", "pytorch-cpu", "pytorch-gpu"),
    "torchvision": ("torchvision", "torchvision-cpu"),
    "torchaudio": ("torchaudio",),
    "tensorflow": (
        "tensorflow",
        "tensorflow-cpu",
        "tensorflow-gpu",
        "tensorflow-macos",
        "tf-nightly",
        "tf-nightly-gpu",
        "tensorflow-base",
        "tensorflow-intel",
        "tensorflow-rocm",
    ),
    "keras": ("keras", "keras-nightly", "tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos"),
    "xgboost": ("xgboost", "xgboost-cpu", "py-xgboost", "py-xgboost-gpu", "py-xgboost-cpu"),
    "lightgbm": ("lightgbm",),
    "catboost": ("catboost",),
    "statsmodels": ("statsmodels",),
    "cv2": (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
        "opencv",
        "py-opencv",
        "libopencv",
    ),
    "PIL": ("pillow", "pillow-simd", "pil"),
    "skimage": ("scikit-image",),
    "yaml": ("pyyaml", "yaml"),
    "requests": ("requests",),
    "bs4": ("beautifulsoup4", "bs4"),
    "flask": ("flask",),
    "fastapi": ("fastapi", "fastapi-slim"),
    "uvicorn": ("uvicorn", "uvicorn-standard", "fastapi"),
    "pydantic": ("pydantic", "fastapi"),
    "streamlit": ("streamlit",),
    "gradio": ("gradio",),
    "transformers": ("transformers", "pytorch-transformers"),
    "datasets": ("datasets",),
    "tokenizers": ("tokenizers", "transformers"),
    "sentence_transformers": ("sentence-transformers",),
    "spacy": ("spacy",),
    "nltk": ("nltk",),
    "gensim": ("gensim",),
    "mlflow": ("mlflow", "mlflow-skinny", "databricks-connect"),
    "wandb": ("wandb",),
    "optuna": ("optuna",),
    "hyperopt": ("hyperopt",),
    "joblib": ("joblib", "scikit-learn", "sklearn", "lightgbm", "imbalanced-learn"),
    "imblearn": ("imbalanced-learn", "imblearn"),
    "category_encoders": ("category-encoders",),
    "shap": ("shap",),
    "lime": ("lime",),
    "plotly": ("plotly",),
    "altair": ("altair",),
    "bokeh": ("bokeh",),
    "sqlalchemy": ("sqlalchemy",),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "pymongo": ("pymongo",),
    "boto3": ("boto3",),
    "sagemaker": ("sagemaker",),
    "prefect": ("prefect",),
    "hydra": ("hydra-core",),
    "omegaconf": ("omegaconf", "hydra-core"),
    "tqdm": ("tqdm",),
    "evidently": ("evidently",),
    "polars": ("polars",),
    "pyspark": ("pyspark", "databricks-connect"),
    "dask": ("dask", "dask-core"),
    "openai": ("openai",),
    "langchain": ("langchain",),
    "pytorch_lightning": ("pytorch-lightning", "lightning"),
    "dotenv": ("python-dotenv",),
    "click": ("click", "click-default-group", "flask", "uvicorn", "typer"),
    "typer": ("typer", "typer-slim", "fastapi-cli"),
    "loguru": ("loguru",),
    "prophet": ("prophet",),
    "umap": ("umap-learn",),
    "networkx": ("networkx",),
    "dvc": ("dvc",),
    "bentoml": ("bentoml",),
}

# Packages that so many others require that their absence from a list says little; and, for the rest, distributions
# that require them. From the packages' own metadata, November 2026.
BROUGHT_BY_MANY = words("""
    numpy scipy requests yaml click joblib tqdm pydantic PIL sqlalchemy networkx omegaconf tokenizers dotenv boto3
    dask
""")
BROUGHT_BY: dict[str, frozenset[str]] = {
    "pandas": words("""
        seaborn statsmodels mlflow evidently datasets xarray geopandas streamlit category-encoders feature-engine
        gradio prophet ultralytics shap mlxtend autogluon pycaret sktime darts alibi alibi-detect zenml
        great-expectations azureml-core azureml-train-automl azureml-train-automl-client azureml-sdk
        azureml-defaults sagemaker ydata-profiling pandas-profiling fastai tsfresh catboost lifelines altair
        cufflinks yfinance plotnine pyjanitor pandera surprise dowhy econml deepchecks modin
    """),
    "matplotlib": words("""
        seaborn mlxtend yellowbrick scikit-plot prophet fastai ultralytics catboost wordcloud lifelines missingno
        plotnine pyod pycaret alibi alibi-detect lime deepchecks statannot mplfinance ydata-profiling
        pandas-profiling lightning-bolts shap networkx tsfresh umap-learn
    """),
    "sklearn": words("""
        imbalanced-learn mlxtend feature-engine category-encoders pycaret yellowbrick lightgbm mlflow shap sktime
        darts umap-learn skorch evidently sentence-transformers autogluon alibi alibi-detect hdbscan tpot librosa
        fastai scikit-optimize scikit-plot eli5 lime pyod deepchecks tsfresh azureml-automl-runtime keras-tuner
    """),
    "torch": words("""
        torchvision torchaudio pytorch-lightning lightning fastai ultralytics sentence-transformers accelerate timm
        peft openai-whisper torchmetrics trl stable-baselines3 flair easyocr pytorch-forecasting pytorch-tabnet
        torchtext torch-geometric bitsandbytes simpletransformers
    """),
    "torchvision": words("ultralytics timm fastai easyocr"),
    "transformers": words("""
        sentence-transformers peft trl simpletransformers flair bertopic setfit
    """),
    "datasets": words("evaluate trl setfit"),
    "tensorflow": words("""
        tf-keras tensorflow-text tensorflow-recommenders tfx tensorflow-serving-api ktrain
    """),
    "keras": words("ktrain keras-tuner keras-nlp keras-cv autokeras"),
    "fastapi": words("gradio bentoml"),
    "uvicorn": words("gradio bentoml"),
    "flask": words("""
        mlflow flask-cors flask-restful flask-sqlalchemy flask-wtf dash connexion flask-restx
    """),
    "plotly": words("dash evidently optuna-dashboard"),
    "langchain": words("langchain-community langchain-openai"),
    "openai": words("langchain-openai"),
    "statsmodels": words("""
        azureml-train-automl azureml-automl-runtime pmdarima mlxtend sktime tsfresh category-encoders feature-engine
        evidently
    """),
    "nltk": words("textblob evidently"),
    "spacy": words("textacy scispacy"),
    "bs4": words("wikipedia"),
    "cv2": words("ultralytics albumentations supervision imgaug easyocr"),
    "skimage": words("lime imgaug albumentations"),
    "typer": words("spacy"),
    "pyspark": words("pyspark-client"),
    "optuna": words("optuna-integration"),
    "xgboost": words("autogluon"),
}
