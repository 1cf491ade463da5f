"""What functions and classes of libraries do to rows, as data. Keys: the library and the last name, `sklearn.PCA`."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _in(library: str, names: str) -> frozenset[str]:
    return frozenset(f"{library}.{name}" for name in names.split())


LIBRARIES = {
    "sklearn": "sklearn",
    "cuml": "sklearn",
    "dask_ml": "sklearn",
    "sklearnex": "sklearn",
    "daal4py": "sklearn",
    "imblearn": "imblearn",
    "category_encoders": "category_encoders",
    "feature_engine": "feature_engine",
    "boruta": "boruta",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "keras": "keras",
    "torch": "torch",
    "tensorflow": "tensorflow",
    "pandas": "pandas",
    "polars": "polars",
    "numpy": "numpy",
    "scipy": "scipy",
    "statsmodels": "statsmodels",
    "joblib": "joblib",
    "modin": "pandas",
    "builtins": "builtins",
}


def short(dotted: str) -> str:
    """`sklearn.model_selection.train_test_split` is `sklearn.train_test_split`, from whatever module it is taken."""
    if dotted.startswith(("tensorflow.keras.", "tensorflow.python.keras.", "tf_keras.")):
        dotted = "keras" + dotted[dotted.index("keras.") + 5 :]
    library = LIBRARIES.get(dotted.split(".", 1)[0], "")
    return f"{library}.{dotted.rpartition('.')[2]}" if library else ""


# ---- transformers: what `fit` learns
STATISTICS = _in(
    "sklearn",
    "StandardScaler MinMaxScaler RobustScaler MaxAbsScaler QuantileTransformer PowerTransformer KBinsDiscretizer "
    "SplineTransformer SimpleImputer KNNImputer IterativeImputer Imputer PCA IncrementalPCA KernelPCA SparsePCA "
    "MiniBatchSparsePCA TruncatedSVD NMF FastICA FactorAnalysis DictionaryLearning LatentDirichletAllocation "
    "TfidfVectorizer TfidfTransformer Nystroem",
) | _in("feature_engine", "MeanMedianImputer EndTailImputer RandomSampleImputer EqualFrequencyDiscretiser")
WITH_TARGET = (
    _in(
        "sklearn",
        "SelectKBest SelectPercentile SelectFpr SelectFdr SelectFwe GenericUnivariateSelect SelectFromModel RFE RFECV "
        "SequentialFeatureSelector TargetEncoder",
    )
    | _in(
        "category_encoders",
        "TargetEncoder LeaveOneOutEncoder CatBoostEncoder JamesSteinEncoder MEstimateEncoder WOEEncoder GLMMEncoder "
        "QuantileEncoder SummaryEncoder",
    )
    | _in("feature_engine", "MeanEncoder WoEEncoder")
    | _in("boruta", "BorutaPy")
)
RESAMPLERS = _in(
    "imblearn",
    "SMOTE ADASYN RandomOverSampler BorderlineSMOTE SVMSMOTE KMeansSMOTE SMOTENC SMOTEN SMOTEENN SMOTETomek",
)
ROWWISE = _in(
    "sklearn",
    "OneHotEncoder OrdinalEncoder LabelEncoder LabelBinarizer MultiLabelBinarizer Normalizer Binarizer "
    "FunctionTransformer PolynomialFeatures HashingVectorizer FeatureHasher CountVectorizer DictVectorizer "
    "MissingIndicator VarianceThreshold RandomTreesEmbedding GaussianRandomProjection SparseRandomProjection "
    "RBFSampler",
) | _in("category_encoders", "OneHotEncoder OrdinalEncoder BinaryEncoder HashingEncoder BaseNEncoder SumEncoder")
CLUSTERING = _in(
    "sklearn",
    "KMeans MiniBatchKMeans DBSCAN OPTICS AgglomerativeClustering SpectralClustering MeanShift Birch GaussianMixture "
    "BayesianGaussianMixture AffinityPropagation IsolationForest LocalOutlierFactor OneClassSVM EllipticEnvelope "
    "NearestNeighbors KernelDensity TSNE MDS Isomap HDBSCAN FeatureAgglomeration",
)
SUPERVISED = (
    _in(
        "sklearn",
        "LinearRegression LogisticRegression LogisticRegressionCV Ridge RidgeCV RidgeClassifier RidgeClassifierCV "
        "Lasso LassoCV ElasticNet ElasticNetCV BayesianRidge ARDRegression SGDClassifier SGDRegressor Perceptron "
        "PassiveAggressiveClassifier PassiveAggressiveRegressor HuberRegressor TheilSenRegressor RANSACRegressor "
        "PoissonRegressor GammaRegressor TweedieRegressor QuantileRegressor Lars LassoLars SVC SVR LinearSVC LinearSVR "
        "NuSVC NuSVR KNeighborsClassifier KNeighborsRegressor RadiusNeighborsClassifier NearestCentroid GaussianNB "
        "MultinomialNB BernoulliNB ComplementNB CategoricalNB DecisionTreeClassifier DecisionTreeRegressor "
        "ExtraTreeClassifier ExtraTreeRegressor RandomForestClassifier RandomForestRegressor ExtraTreesClassifier "
        "ExtraTreesRegressor GradientBoostingClassifier GradientBoostingRegressor HistGradientBoostingClassifier "
        "HistGradientBoostingRegressor AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor "
        "MLPClassifier MLPRegressor GaussianProcessClassifier GaussianProcessRegressor LinearDiscriminantAnalysis "
        "QuadraticDiscriminantAnalysis KernelRidge",
    )
    | _in("xgboost", "XGBClassifier XGBRegressor XGBRFClassifier XGBRFRegressor XGBRanker")
    | _in("lightgbm", "LGBMClassifier LGBMRegressor LGBMRanker LGBMModel")
    | _in("catboost", "CatBoostClassifier CatBoostRegressor CatBoost")
)
NEURAL = _in("keras", "Sequential Model")
WRAPPERS = _in(
    "sklearn",
    "VotingClassifier VotingRegressor StackingClassifier StackingRegressor CalibratedClassifierCV OneVsRestClassifier "
    "OneVsOneClassifier MultiOutputClassifier MultiOutputRegressor ClassifierChain RegressorChain "
    "TransformedTargetRegressor BaggingClassifier BaggingRegressor AdaBoostClassifier",
)
PIPELINES = _in(
    "sklearn", "Pipeline make_pipeline ColumnTransformer make_column_transformer FeatureUnion make_union"
) | _in("imblearn", "Pipeline make_pipeline")
SEARCHES = _in("sklearn", "GridSearchCV RandomizedSearchCV HalvingGridSearchCV HalvingRandomSearchCV")


def effect(name: str) -> str:
    """What the `fit` of a class learns: `statistics`, `target`, `resample`, `rows` (nothing of other rows), `cluster`,
    `supervised`, `neural`, `pipeline`, `search`; empty where that is unknown.
    """
    return _EFFECTS.get(short(name), "")


_EFFECTS = {
    name: what
    for what, names in {
        "supervised": SUPERVISED | WRAPPERS,
        "statistics": STATISTICS,
        "target": WITH_TARGET,
        "resample": RESAMPLERS,
        "rows": ROWWISE,
        "cluster": CLUSTERING,
        "neural": NEURAL,
        "pipeline": PIPELINES,
        "search": SEARCHES,
    }.items()
    for name in names
}

# ---- functions
LEARNING_FUNCTIONS = _in(
    "sklearn", "scale minmax_scale robust_scale maxabs_scale quantile_transform power_transform"
) | _in("scipy", "zscore")
CROSS_VALIDATIONS = _in("sklearn", "cross_val_score cross_validate cross_val_predict")
FOLDS = _in(
    "sklearn",
    "KFold StratifiedKFold GroupKFold StratifiedGroupKFold RepeatedKFold RepeatedStratifiedKFold ShuffleSplit "
    "StratifiedShuffleSplit GroupShuffleSplit LeaveOneOut LeavePOut LeaveOneGroupOut TimeSeriesSplit",
)
SHUFFLING_FOLDS = _in(
    "sklearn", "ShuffleSplit StratifiedShuffleSplit RepeatedKFold RepeatedStratifiedKFold"
)  # the others where shuffle=True
SPLITTERS = {"sklearn.train_test_split": "random_state", "torch.random_split": "generator"}
SCORES = words("score evaluate")
PREDICTS = words("predict predict_proba decision_function predict_log_proba predict_classes")
_METRICS = words("""
    accuracy_score balanced_accuracy_score f1_score fbeta_score precision_score recall_score roc_auc_score log_loss
    average_precision_score brier_score_loss classification_report confusion_matrix cohen_kappa_score matthews_corrcoef
    jaccard_score hamming_loss zero_one_loss top_k_accuracy_score precision_recall_fscore_support roc_curve
    precision_recall_curve mean_squared_error root_mean_squared_error mean_absolute_error median_absolute_error
    mean_absolute_percentage_error mean_squared_log_error r2_score explained_variance_score max_error d2_tweedie_score
    mean_pinball_loss mean_poisson_deviance ndcg_score
""")
METRICS = frozenset(f"sklearn.{name}" for name in _METRICS) | _in("keras", "mean_squared_error")
PLOTTED_METRICS = words("""
    plot_confusion_matrix plot_roc_curve plot_precision_recall_curve ConfusionMatrixDisplay RocCurveDisplay
""")
SAME_ROWS_FUNCTIONS = (
    _in(
        "numpy",
        "array asarray asanyarray ascontiguousarray log log1p log10 log2 exp expm1 sqrt abs absolute square round clip "
        "nan_to_num ravel squeeze expand_dims reshape where sign power float32 float64 int64 argmax copy",
    )
    | _in("pandas", "DataFrame Series get_dummies to_numeric to_datetime")
    | _in("polars", "DataFrame from_pandas Series from_numpy")
    | _in("sklearn", "shuffle normalize binarize label_binarize add_dummy_feature check_array")
    | _in("scipy", "csr_matrix csc_matrix")
    | _in("keras", "to_categorical normalize")
    | _in("torch", "tensor from_numpy Tensor as_tensor FloatTensor LongTensor DataLoader")
    | _in("builtins", "list tuple")
)
SIDE_BY_SIDE = _in("numpy", "hstack column_stack c_") | _in("scipy", "hstack") | _in("torch", "TensorDataset")
STACKED = (
    _in("numpy", "vstack concatenate append r_")
    | _in("pandas", "concat")
    | _in("polars", "concat")
    | _in("scipy", "vstack")
)
GLOBAL_SEEDS = {
    "numpy.seed": "numpy",
    "torch.manual_seed": "torch",
    "torch.seed_everything": "all",
    "tensorflow.set_seed": "tensorflow",
    "tensorflow.set_random_seed": "tensorflow",
    "keras.set_random_seed": "all",
}
HARMLESS = words("""
    print len str repr type isinstance display dump dumps joblib.dump pickle.dump id range enumerate zip getattr hasattr
""")

# ---- methods of tables and arrays
SAME_ROWS = words("""
    astype copy fillna rename apply map replace to_numpy reset_index ravel reshape flatten toarray todense where mask
    clip round abs transform applymap add sub mul div pow to_frame set_axis sort_index sort_values cast fill_null
    fill_nan to_pandas numpy collect lazy clone squeeze tolist to_list infer_objects convert_dtypes interpolate ffill
    bfill rank cuda to float long double cpu detach unsqueeze to_dict persist compute batch prefetch cache view
    add_prefix add_suffix strip lower upper select_dtypes cumsum rename_axis argmax shift diff rolling ewm expanding
    tz_localize tz_convert to_series eval update
""")
NEW_VALUES = words("shift diff rolling ewm expanding apply map transform cumsum rank where mask replace clip eval")
SUBSETS = words("dropna drop_duplicates filter query head tail limit nlargest nsmallest drop_nulls unique truncate")
FIGURES = words("mean median std var mode quantile min sum count max nunique")
LEARNT_FIGURES = words("mean median std var quantile min")  # a mode is the same of nearly any part
LOOKING_BACK = words("shift rolling ewm")
FITTED_KNOWLEDGE = words(
    "get_support support_ ranking_ scores_ pvalues_ feature_importances_ coef_ mean_ scale_ var_ statistics_"
)
EVALUATION_KEYWORDS = words("eval_set validation_data eval_sets valid_sets evals")
STOPPING = words("EarlyStopping ModelCheckpoint early_stopping")
STOPPING_KEYWORDS = words("early_stopping_rounds use_best_model od_wait")

# ---- seeds: stochastic classes and functions of scikit-learn and friends, with the argument that seeds them
STOCHASTIC = _in(
    "sklearn",
    "RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor BaggingClassifier "
    "BaggingRegressor MLPClassifier MLPRegressor KMeans MiniBatchKMeans GaussianMixture IsolationForest "
    "RandomizedSearchCV SGDClassifier SGDRegressor",
)
NO_SETTINGS = words("random_state seed random_seed n_jobs verbose")
