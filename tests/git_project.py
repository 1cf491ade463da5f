"""A project under git whose steps depend on a package of which the test decides the version."""

from __future__ import annotations

import subprocess
from pathlib import Path

import polars as pl

PIPELINE = """
import datetime
import os
import polars as pl
from helper import scale
from solvent import source, step

rides = source("data/rides.csv")

@step
def clean(rides: pl.DataFrame) -> pl.DataFrame:
    return rides.drop_nulls()

@step
def scaled(clean: pl.DataFrame, *, factor: float = 2.0) -> pl.DataFrame:
    return clean.with_columns(pl.col("count") * factor * scale())

@step
def drawn(scaled: pl.DataFrame) -> pl.DataFrame:
    return scaled.with_columns(luck=pl.lit(int.from_bytes(os.urandom(6), "big")))

@step
def score(scaled: pl.DataFrame) -> dict[str, float]:
    return {"mean": scaled["count"].mean(), "rows": scaled.height}

@step
def after(drawn: pl.DataFrame) -> dict[str, float]:
    return {"luck": float(drawn["luck"][0])}
"""
HELPER = """
from weights import WEIGHT

def scale() -> float:
    return WEIGHT
"""


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=tester", "-c", "user.email=tester@localhost", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def commit(root: Path, message: str) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)
    return git(root, "rev-parse", "HEAD").strip()


def make(folder: Path) -> Path:
    """The project with one commit. Its data is not in git."""
    root = folder / "project"
    (root / "data").mkdir(parents=True)
    (root / "pipeline.py").write_text(PIPELINE)
    (root / "helper.py").write_text(HELPER)
    (root / "solvent.toml").write_text("[pipeline]\nworkers = 1\n")
    (root / ".gitignore").write_text(".solvent/\ndata/\n")
    pl.DataFrame({"hour": range(200), "count": [i % 17 for i in range(200)]}).write_csv(root / "data" / "rides.csv")
    git(root, "init", "--quiet")
    commit(root, "first")
    return root


def install(site: Path, version: str, weight: float) -> dict[str, str]:
    """The package `weights` in this version, installed in a folder. Returns: the variables that make it be found."""
    site.mkdir(parents=True, exist_ok=True)
    for old in site.glob("*.dist-info"):
        old.rmdir()
    (site / f"weights-{version}.dist-info").mkdir()
    (site / "weights.py").write_text(f"WEIGHT = {weight!r}\n")
    return {"PYTHONPATH": str(site)}
