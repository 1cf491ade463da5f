"""Annotations are matched by dotted name, however they are spelled."""

from __future__ import annotations

import pytest

from solvent.pipeline.annotations import ModuleNames, resolve_relative


def names(tmp_path, text: str) -> ModuleNames:
    (tmp_path / "module.py").write_text(text)
    return ModuleNames(tmp_path / "module.py", "package.module")


@pytest.mark.parametrize(
    ("imports", "annotation", "dotted"),
    [
        ("import polars as pl", "pl.DataFrame", "polars.DataFrame"),
        ("import polars", "polars.LazyFrame", "polars.LazyFrame"),
        ("from polars import DataFrame as Table", "Table", "polars.DataFrame"),
        ("import polars as pl", "'pl.DataFrame'", "polars.DataFrame"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import polars as pl",
            "pl.DataFrame",
            "polars.DataFrame",
        ),
        ("try:\n    import a\nexcept ImportError:\n    import b as a", "a.T", "b.T"),
        ("import sklearn.ensemble", "sklearn.ensemble.X", "sklearn.ensemble.X"),
        ("from .shapes import Split", "Split", "package.shapes.Split"),
        ("from typing import Optional", "Optional[int]", "typing.Optional[int]"),
        ("from typing import Annotated", "Annotated[int, 'rides']", "int"),
        ("", "dict[str, float]", "dict[str, float]"),
        ("", "int | None", "int | None"),
        ("class Here: ...", "Here", "package.module.Here"),
        ("", "Callable[[int], str]", "package.module.Callable[[int], str]"),
    ],
)
def test_an_annotation_becomes_the_name_that_the_imports_give_it(tmp_path, imports, annotation, dotted):
    module = names(tmp_path, f"{imports}\ndef f(x: {annotation}): ...\n")
    assert module.dotted(module.functions["f"].args.args[0].annotation) == dotted


def test_no_annotation_is_empty(tmp_path):
    module = names(tmp_path, "def f(x): ...\n")
    assert module.dotted(module.functions["f"].returns) == ""


def test_a_named_tuple_gives_its_fields(tmp_path):
    module = names(
        tmp_path,
        "from typing import NamedTuple\nimport polars as pl\n"
        "class Split(NamedTuple):\n    train: pl.DataFrame\n    test: 'int'\n",
    )
    assert module.named_tuple("package.module.Split") == {"train": "polars.DataFrame", "test": "int"}
    assert module.named_tuple("other.Split") is None


def test_relative_imports_are_resolved():
    assert resolve_relative("a.b", "c", 1) == "a.b.c"
    assert resolve_relative("a.b", "c", 2) == "a.c"
    assert resolve_relative("a", "", 1) == "a"
