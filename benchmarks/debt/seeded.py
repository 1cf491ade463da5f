"""Programs with one debt planted in each, written by drawing: what is planted is known, so recall and precision are.

A program has a style (names, imports, script, function, class, helper or notebook) and one plant of one rule, or none.
Nothing is read of the rules; every program can be run as it stands, on data that it makes itself.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Body = list[str]


@dataclass
class Style:
    """How a program is spelled. names: of data, target, parts and model; shape: how it is laid out; alias: whether
    modules are imported by another name instead of names from them.
    """

    names: dict[str, str]
    shape: str
    alias: bool
    imports: set[str] = field(default_factory=set)

    def use(self, dotted: str) -> str:
        """An imported name as this style writes it."""
        module, _, name = dotted.rpartition(".")
        if self.alias:
            short = module.rpartition(".")[2][:8] + "_"
            self.imports.add(f"import {module} as {short}")
            return f"{short}.{name}"
        self.imports.add(f"from {module} import {name}")
        return name


NAMES = [
    {"X": "X", "y": "y", "a": "X_train", "b": "X_test", "c": "y_train", "d": "y_test", "m": "model", "t": "scaler"},
    {"X": "features", "y": "labels", "a": "tr", "b": "te", "c": "tr_y", "d": "te_y", "m": "clf", "t": "prep"},
    {"X": "data", "y": "target", "a": "xa", "b": "xb", "c": "ya", "d": "yb", "m": "estimator", "t": "step"},
]
SHAPES = ("script", "function", "class", "notebook", "helper")
MODELS = (
    "sklearn.linear_model.LogisticRegression",
    "sklearn.svm.SVC",
    "sklearn.naive_bayes.GaussianNB",
    "sklearn.neighbors.KNeighborsClassifier",
)
SCALERS = (
    "sklearn.preprocessing.StandardScaler",
    "sklearn.preprocessing.MinMaxScaler",
    "sklearn.preprocessing.RobustScaler",
    "sklearn.preprocessing.PowerTransformer",
    "sklearn.decomposition.PCA",
    "sklearn.preprocessing.QuantileTransformer",
)


def split(s: Style, rows: str = "{X}", target: str = "{y}", more: str = ", random_state=0") -> str:
    return f"{{a}}, {{b}}, {{c}}, {{d}} = {s.use('sklearn.model_selection.train_test_split')}({rows}, {target}{more})"


def fit(s: Style, r: random.Random, a: str = "{a}", c: str = "{c}") -> Body:
    model = s.use(r.choice(MODELS))
    if r.random() < 0.5:
        return [f"{{m}} = {model}()", f"{{m}}.fit({a}, {c})"]
    return [f"{{m}} = {model}().fit({a}, {c})"]


def score(s: Style, r: random.Random, b: str = "{b}", d: str = "{d}") -> Body:
    way = r.randrange(3)
    if way == 0:
        return [f"print({{m}}.score({b}, {d}))"]
    if way == 1:
        return [f"guess = {{m}}.predict({b})", f"print({s.use('sklearn.metrics.accuracy_score')}({d}, guess))"]
    return [f"print(({{m}}.predict({b}) == {d}).mean())"]


def learnt(s: Style, r: random.Random, rows: str, name: str = "sklearn.preprocessing.StandardScaler") -> Body:
    """`rows` replaced by what a transformer that is fitted on them makes of them; the marked line is the plant."""
    made = f"{s.use(name)}()"
    way = r.randrange(3)
    if way == 0:
        return [f"{rows} = {made}.fit_transform({rows})  # plant"]
    if way == 1:
        return [f"{{t}} = {made}", f"{{t}}.fit({rows})  # plant", f"{rows} = {{t}}.transform({rows})"]
    return [f"{{t}} = {made}.fit({rows})  # plant", f"{rows} = {{t}}.transform({rows})"]


def clean_body(s: Style, r: random.Random) -> Body:
    scaler = s.use(r.choice(SCALERS[:3]))
    return [
        split(s),
        f"{{t}} = {scaler}()",
        "{a} = {t}.fit_transform({a})",
        "{b} = {t}.transform({b})",
        *fit(s, r),
        *score(s, r),
    ]


def dat101(s: Style, r: random.Random) -> Body:
    if r.random() < 0.2:
        cv = s.use("sklearn.model_selection.cross_val_score")
        return [*learnt(s, r, "{X}", r.choice(SCALERS)), f"print({cv}({s.use(r.choice(MODELS))}(), {{X}}, {{y}}))"]
    return [*learnt(s, r, "{X}", r.choice(SCALERS)), split(s), *fit(s, r), *score(s, r)]


def dat102(s: Style, r: random.Random) -> Body:
    chooser = s.use("sklearn.feature_selection." + r.choice(["SelectKBest", "SelectPercentile"]))
    way = r.randrange(3)
    if way == 0:
        body = [f"{{X}} = {chooser}().fit_transform({{X}}, {{y}})  # plant"]
    elif way == 1:
        body = [f"{{t}} = {chooser}()", "{t}.fit({X}, {y})  # plant", "{X} = {t}.transform({X})"]
    else:
        body = [f"{{t}} = {chooser}().fit({{X}}, {{y}})  # plant", "{X} = {X}[:, {t}.get_support()]"]
    return [*body, split(s), *fit(s, r), *score(s, r)]


def dat103(s: Style, r: random.Random) -> Body:
    again = s.use("sklearn.utils.resample")
    body = [f"{{X}}, {{y}} = {again}({{X}}, {{y}}, replace=True, random_state=0)  # plant"]
    if r.random() < 0.3:
        folds = s.use("sklearn.model_selection.StratifiedKFold")
        model = s.use(r.choice(MODELS))
        return [
            *body,
            f"for one, two in {folds}(3).split({{X}}, {{y}}):",
            f"    {{m}} = {model}().fit({{X}}[one], {{y}}[one])",
            "    print({m}.score({X}[two], {y}[two]))",
        ]
    return [*body, split(s), *fit(s, r), *score(s, r)]


def dat104(s: Style, r: random.Random) -> Body:
    made = s.use(r.choice(SCALERS[:4]))
    second = r.choice(["{t}", f"{made}()"])
    return [
        split(s),
        f"{{t}} = {made}()",
        "{a} = {t}.fit_transform({a})",
        f"{{b}} = {second}.fit_transform({{b}})  # plant",
        *fit(s, r),
        *score(s, r),
    ]


def dat105(s: Style, r: random.Random) -> Body:
    if r.random() < 0.4:
        return [*fit(s, r, "{X}", "{y}"), split(s), "print({m}.score({b}, {d}))  # plant"]
    return [split(s), *fit(s, r), "print({m}.score({X}, {y}))  # plant"]


def dat106(s: Style, r: random.Random) -> Body:
    model = s.use("sklearn.neighbors.KNeighborsClassifier")
    if r.random() < 0.5:
        return [
            split(s),
            "seen = []",
            f"for k in {r.choice(['range(1, 9)', '[1, 3, 5]'])}:",
            f"    {{m}} = {model}(n_neighbors=k).fit({{a}}, {{c}})",
            "    seen.append({m}.score({b}, {d}))  # plant",
            "print(max(seen))",
        ]
    search = s.use("sklearn.model_selection.GridSearchCV")
    return [
        f'tried = {search}({model}(), {{{{"n_neighbors": [1, 3]}}}})',
        "tried.fit({X}, {y})  # plant",
        split(s),
        f"{{m}} = {model}(**tried.best_params_).fit({{a}}, {{c}})",
        *score(s, r),
    ]


def rep001(s: Style, r: random.Random) -> Body:
    if r.random() < 0.5:
        return [split(s, more=", test_size=0.3") + "  # plant", *fit(s, r), *score(s, r)]
    forest = s.use("sklearn.ensemble." + r.choice(["RandomForestClassifier", "ExtraTreesClassifier"]))
    return [split(s), f"{{m}} = {forest}(n_estimators=5)  # plant", "{m}.fit({a}, {c})", *score(s, r)]


def frame(s: Style) -> str:
    return f'table = {s.use("pandas.DataFrame")}({{{{"a": {{X}}[:, 0], "b": {{X}}[:, 1], "answer": {{y}}}}}})'


def dat107(s: Style, r: random.Random) -> Body:
    model = s.use(r.choice(MODELS))
    if r.random() < 0.5:
        return [
            frame(s),
            'table = table.drop(columns=["b"])',
            'goal = table["answer"]',
            split(s, "table", "goal"),
            f"{{m}} = {model}()",
            "{m}.fit({a}, {c})  # plant",
            *score(s, r),
        ]
    return [
        frame(s),
        split(s, "table", "table.answer"),
        f"{{m}} = {model}().fit({{a}}, {{c}})  # plant",
        *score(s, r),
    ]


def dat108(s: Style, r: random.Random) -> Body:
    back = r.choice(['table["a"].shift(1)', 'table["a"].rolling(3).mean()', "table.a.shift(periods=2)"])
    return [
        frame(s),
        f'table["before"] = {back}',
        "table = table.dropna()",
        split(s, 'table[["before", "b"]]', 'table["answer"]') + "  # plant",
        *fit(s, r),
        *score(s, r),
    ]


def near_frame(s: Style, r: random.Random) -> Body:
    away = r.choice(['table.drop(columns=["answer"])', 'table[["a", "b"]]', 'table.drop("answer", axis=1)'])
    return [frame(s), split(s, away, 'table["answer"]'), *fit(s, r), *score(s, r)]


def near_popped(s: Style, r: random.Random) -> Body:
    return [frame(s), '{y} = table.pop("answer")', split(s, "table"), *fit(s, r), *score(s, r)]


def near_time(s: Style, r: random.Random) -> Body:
    return [
        frame(s),
        'table["before"] = table["a"].shift(1)',
        "table = table.dropna()",
        split(s, 'table[["before"]]', 'table["answer"]', ", shuffle=False"),
        *fit(s, r),
        *score(s, r),
    ]


def near_pipeline(s: Style, r: random.Random) -> Body:
    pipe = s.use("sklearn.pipeline.make_pipeline")
    parts = [s.use(r.choice(SCALERS)), s.use("sklearn.feature_selection.SelectKBest"), s.use(r.choice(MODELS))]
    made = f"{pipe}({', '.join(f'{part}()' for part in parts)})"
    cv = s.use("sklearn.model_selection.cross_val_score")
    return [split(s), f"{{m}} = {made}", f"print({cv}({{m}}, {{X}}, {{y}}))", "{m}.fit({a}, {c})", *score(s, r)]


def near_shown(s: Style, r: random.Random) -> Body:
    pca = s.use("sklearn.decomposition.PCA")
    return [f"shown = {pca}(2).fit_transform({{X}})", "print(shown[:3])", split(s), *fit(s, r), *score(s, r)]


def near_both_scores(s: Style, r: random.Random) -> Body:
    return [split(s), *fit(s, r), "print({m}.score({a}, {c}), {m}.score({b}, {d}))"]


def near_refit(s: Style, r: random.Random) -> Body:
    return [split(s), *fit(s, r), *score(s, r), "last = {m}.fit({X}, {y})"]


def near_folds(s: Style, r: random.Random) -> Body:
    folds, scaler = s.use("sklearn.model_selection.KFold"), s.use(r.choice(SCALERS[:3]))
    return [
        f"for one, two in {folds}(3).split({{X}}):",
        f"    {{t}} = {scaler}().fit({{X}}[one])",
        f"    {{m}} = {s.use(r.choice(MODELS))}().fit({{t}}.transform({{X}}[one]), {{y}}[one])",
        "    print({m}.score({t}.transform({X}[two]), {y}[two]))",
    ]


def near_resampled_train(s: Style, r: random.Random) -> Body:
    again = s.use("sklearn.utils.resample")
    return [split(s), f"{{a}}, {{c}} = {again}({{a}}, {{c}}, random_state=0)", *fit(s, r), *score(s, r)]


def near_validation(s: Style, r: random.Random) -> Body:
    model = s.use("sklearn.neighbors.KNeighborsClassifier")
    cut = s.use("sklearn.model_selection.train_test_split")
    return [
        split(s),
        f"{{a}}, keep, {{c}}, keep_y = {cut}({{a}}, {{c}}, random_state=1)",
        "seen = []",
        "for k in range(1, 5):",
        f"    seen.append({model}(n_neighbors=k).fit({{a}}, {{c}}).score(keep, keep_y))",
        f"{{m}} = {model}(n_neighbors=1 + seen.index(max(seen))).fit({{a}}, {{c}})",
        *score(s, r),
    ]


def near_slices(s: Style, r: random.Random) -> Body:
    scaler = s.use(r.choice(SCALERS[:3]))
    return [
        "cut = int(len({X}) * 0.8)",
        "{a}, {b} = {X}[:cut], {X}[cut:]",
        f"{{t}} = {scaler}().fit({{a}})",
        *fit(s, r, "{t}.transform({a})", "{y}[:cut]"),
        *score(s, r, "{t}.transform({b})", "{y}[cut:]"),
    ]


Writer = Callable[[Style, random.Random], Body]
PLANTS: dict[str, Writer] = {
    "DAT101": dat101,
    "DAT102": dat102,
    "DAT103": dat103,
    "DAT104": dat104,
    "DAT105": dat105,
    "DAT106": dat106,
    "DAT107": dat107,
    "DAT108": dat108,
    "REP001": rep001,
}
CLEAN: tuple[Writer, ...] = (
    clean_body,
    near_pipeline,
    near_shown,
    near_both_scores,
    near_refit,
    near_folds,
    near_resampled_train,
    near_validation,
    near_slices,
    near_frame,
    near_popped,
    near_time,
)
DATA = [
    "from sklearn.datasets import make_classification",
    "{X}, {y} = make_classification(n_samples=120, n_features=12, random_state=3)",
]


@dataclass(frozen=True)
class Program:
    """text: Python, with `# %%` before each cell where it is a notebook; line: of the plant, 0 in a clean program."""

    rule: str
    text: str
    line: int
    notebook: bool


def drawn(seed: int, per_rule: int) -> Iterator[Program]:
    """Plants of every rule and as many clean programs."""
    r = random.Random(seed)
    for rule, writer in PLANTS.items():
        for _ in range(per_rule):
            yield program(rule, writer, r)
    for _ in range(per_rule * len(PLANTS)):
        yield program("", r.choice(CLEAN), r)


def program(rule: str, writer: Writer, r: random.Random) -> Program:
    style = Style(r.choice(NAMES), r.choice(SHAPES), r.random() < 0.4)
    body = [line.format(**style.names) for line in writer(style, r)]
    data = [line.format(**style.names) for line in DATA]
    lines = [line for line in laid_out(style, data, body) if line]  # a cell does not end in an empty line
    line = next((number for number, text in enumerate(lines, start=1) if text.endswith("# plant")), 0)
    text = "\n".join(line.removesuffix("  # plant") for line in lines) + "\n"
    return Program(rule, text, line, style.shape == "notebook")


def laid_out(style: Style, data: Body, body: Body) -> Body:
    """The same statements as a script, in a function, in a method, in cells, or with the data made by a helper."""
    imports = sorted(style.imports)
    x, y = style.names["X"], style.names["y"]
    if style.shape == "function":
        return [*imports, data[0], "", f"def main({x}, {y}):", *indented(body), "", data[1], f"main({x}, {y})"]
    if style.shape == "class":
        head = ["class Study:", f"    def run(self, {x}, {y}):"]
        return [*imports, data[0], "", *head, *indented(body, 8), "", data[1], f"Study().run({x}, {y})"]
    if style.shape == "helper":
        made = [f"    {data[1]}", f"    return {x}, {y}"]
        return [*imports, data[0], "", "def load():", *made, "", f"{x}, {y} = load()", *body]
    return [*imports, *data, "", *body]


def indented(body: Body, by: int = 4) -> Body:
    return [" " * by + line for line in body]


def as_cells(text: str) -> bytes:
    """A notebook whose cells end where a top-level statement does, by threes; joined it is the same text."""
    statements = re.split(r"\n(?=\S)", text.rstrip("\n"))
    cells = ["\n".join(statements[at : at + 3]) for at in range(0, len(statements), 3)]
    code = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": cell.splitlines(True)}
        for cell in cells
    ]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()
