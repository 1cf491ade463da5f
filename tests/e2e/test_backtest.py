"""`solvent backtest` as someone meets it who has adopted nothing: an empty folder, one table."""

from __future__ import annotations

import polars as pl
import pytest

from backtest.small_tables import TREE, harder, sales
from support import run_solvent

ASK = ("--time", "time", "--target", "units", "--windows", "8", "--prices", "0.1,1")


@pytest.fixture
def folder(tmp_path):
    sales(1500, drift=3.0).write_csv(tmp_path / "sales.csv")
    return tmp_path


def test_the_first_screen_says_what_happened_and_nothing_is_left_behind(folder):
    told = run_solvent("backtest", "sales.csv", *ASK, cwd=folder)
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0].startswith("1,500 rows, 1 Jan 2024 to 3 Mar 2024 · regression · ")
    assert any(line.startswith("A model trained on the first quarter would have lost its edge in ") for line in lines)
    assert (max(map(len, lines)) <= 80 and lines[-1]) or lines[-2]
    assert [path.name for path in folder.iterdir()] == ["sales.csv"], "nothing is written unasked"


def test_the_matrix_lets_anyone_recompute_what_was_told(folder):
    told = run_solvent("backtest", "sales.csv", *ASK, "--matrix", "losses.parquet", "--json", cwd=folder).json
    losses = pl.read_parquet(folder / "losses.parquet")
    never = losses.filter((pl.col("tick") == 0) & (pl.col("span") == "all"))["loss"].sum()
    policies = {policy["name"]: policy for policy in told["price_curve"][0]["policies"]}
    assert policies["never"]["cost"] == pytest.approx(never) == pytest.approx(policies["never"]["loss"])
    first = losses.filter((pl.col("tick") == 0) & (pl.col("window") == 0) & (pl.col("span") == "all"))["loss"].item()
    every = losses.filter((pl.col("tick") == pl.col("window")) & (pl.col("span") == "all"))["loss"].sum()
    assert policies["every window, all rows"]["cost"] == pytest.approx(every + 7 * 0.1 * first)


def test_a_users_own_model_is_aged(folder):
    (folder / "mine.py").write_text(TREE)
    told = run_solvent(
        "backtest", "sales.csv", *ASK, "--drop", "shop", "--model", "mine:regressor", "--json", cwd=folder
    )
    assert told.json["model"]["kind"] == "mine:regressor" and "shop" not in told.json["model"]["features"]


def test_rows_that_get_harder_are_told_of_before_the_threshold_and_a_relation_that_moves_by_labels_alone(folder):
    harder(6000).write_csv(folder / "harder.csv")
    asked = ("--time", "time", "--target", "units", "--windows", "20", "--prices", "0.1", "--budget", "1")
    gradual = run_solvent("backtest", "harder.csv", *asked, "--json", cwd=folder).json
    first = next(one for one in gradual["warnings"] if one["kind"] == "estimate-trend")
    assert first["confirmed"] and first["lead_windows"] > 0
    told = " ".join(run_solvent("backtest", "sales.csv", *ASK, cwd=folder).out.split())
    assert "labels alone can warn" in told


def test_what_was_done_for_a_budget_is_said(folder):
    told = run_solvent("backtest", "sales.csv", *ASK, "--budget", "0.2", "--json", cwd=folder).json
    assert any("to keep the budget" in said for said in told["assumptions"])
    assert any("the budget of 0.2 s is too small" in said for said in told["assumptions"])


def test_the_page_and_the_settings_are_taken_home(folder):
    told = run_solvent("backtest", "sales.csv", *ASK, "--html", "sales.html", "--json", cwd=folder)
    assert told.err.splitlines()[-1].endswith("The page is written: sales.html")
    assert (folder / "sales.html").read_text("utf-8").startswith("<!doctype html>")
    (folder / "sales.json").write_text(told.out)
    home = folder / "home"
    home.mkdir()
    assert run_solvent("init", "--from-backtest", "../sales.json", cwd=home).code == 0
    settings = (home / "solvent.toml").read_text("utf-8")
    assert settings.startswith("# ") and settings.strip().endswith(told.json["recommendation"]["config"])
    again = run_solvent("init", "--from-backtest", "../sales.json", cwd=home)
    assert again.code == 2 and again.err.startswith("error[already-there]")
    other = run_solvent("init", "--from-backtest", "../sales.csv", cwd=folder / "home")
    assert other.code == 2


def test_folders_databases_and_versions_are_tables_too(folder):
    quick = (*ASK[:4], "--windows", "4", "--prices", "0.1", "--json")
    whole = run_solvent("backtest", "sales.csv", *quick, cwd=folder).json
    (folder / "parts").mkdir()
    frame = pl.read_csv(folder / "sales.csv", try_parse_dates=True)
    frame[:900].write_parquet(folder / "parts" / "a.parquet")
    frame[900:].write_parquet(folder / "parts" / "b.parquet")
    assert run_solvent("backtest", "parts", *quick, cwd=folder).json["windows"] == whole["windows"]
    run_solvent("init", cwd=folder)
    assert run_solvent("data", "add", "sales.csv", cwd=folder).code == 0
    (folder / "sales.csv").write_text("gone")
    assert run_solvent("backtest", "sales.csv@1", *quick, cwd=folder).json["windows"] == whole["windows"]


def test_a_leak_is_refused_by_name(folder):
    sales(1500).with_columns(paid=pl.col("units") * 1.19).write_csv(folder / "leaky.csv")
    told = run_solvent("backtest", "leaky.csv", *ASK, cwd=folder)
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("error[leak]: `paid` alone foretells 100.0% of what can be known of units")
    assert told.err.endswith("known only afterwards: --drop paid; known in time: --keep paid\n")
    assert run_solvent("backtest", "leaky.csv", *ASK, "--drop", "paid", cwd=folder).code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("none.csv", *ASK), "bad-table"),
        (("sales.csv", "--time", "tme", "--target", "units"), "no-column"),
        (("sales.csv", "--time", "price", "--target", "units"), "bad-time"),
        (("sales.csv", *ASK, "--window", "1w"), "bad-option"),
        (("sales.csv", *ASK, "--model", "none"), "bad-model"),
        (("sales.csv", "--time", "time", "--target", "shop", "--metric", "mae"), "bad-option"),
        (("sales.csv", "--time", "time", "--target", "units", "--metric", "rsme"), "unknown-metric"),
        (("sales.csv", *ASK, "--train", "0.01"), "too-few-rows"),
        (("sales.csv", *ASK, "--matrix", "none/losses.parquet"), "bad-option"),
        (("sales.csv", *ASK, "--html", "none/page.html"), "bad-option"),
        (("sales.csv", *ASK, "--query", "select 1"), "bad-table"),
        (("shop.db", *ASK), "bad-table"),
    ],
)
def test_bad_input_is_one_line_with_a_way_out(folder, arguments, code):
    told = run_solvent("backtest", *arguments, cwd=folder)
    assert (told.code, told.out) == (2, "") and told.err.startswith(f"error[{code}]: "), told
    assert len(told.err.splitlines()) == 1


def test_bad_input_is_one_document_as_json(folder):
    told = run_solvent("backtest", "sales.csv", "--time", "tme", "--target", "units", "--json", cwd=folder)
    assert told.code == 2 and told.json["error"]["next"] == "did you mean `time`?"
