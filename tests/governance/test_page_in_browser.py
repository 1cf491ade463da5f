"""What only a browser can tell: the script works, nothing scrolls sideways, colours can be read."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import polars as pl
import pytest

import solvent
from fixtures_browser import CONTRAST, press
from governance import lives
from solvent.governance.report.html import render_html
from solvent.governance.report.life import Health, ModelLife, Warn
from solvent.governance.report.verdict import health


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two lives, and after them one model in each other state."""
    report, week = lives.two_lives(), lives.bikes().windows[:6]
    last = week[-1]
    warning = Warn(key="w", at=last.end, window_start=last.start, window_end=last.end, kind="drift", title="temp moved")
    small = msgspec.structs.replace(lives.bikes(), windows=week, rulings=[], bills=[], warnings=[])
    unseen = [msgspec.structs.replace(w, realised=None, estimated=None) for w in week[2:]]
    others = [
        msgspec.structs.replace(small, name="failing", threshold=20.0),
        msgspec.structs.replace(small, name="ageing", warnings=[warning]),
        msgspec.structs.replace(small, name="blind", windows=[*week[:2], *unseen]),
        msgspec.structs.replace(small, name="shadow", champion=None),
        ModelLife(name="new"),
    ]
    assert {health(life) for life in [*report.models, *others]} == set(Health)
    broken = msgspec.structs.replace(report.chain, problems=["decision 3 was changed"])
    path = tmp_path_factory.mktemp("page") / "report.html"
    whole = msgspec.structs.replace(report, models=[*report.models, *others], chain=broken)
    path.write_text(render_html(whole), "utf-8")
    return path


@pytest.mark.parametrize(("width", "dark"), [(1240, False), (1240, True), (390, False), (390, True)])
def test_text_can_be_read_and_nothing_scrolls_sideways(
    browser: Any, pictures: ModuleType, page: Path, width: int, dark: bool
) -> None:
    browser.open(page, pictures.Picture("p", width, 900, dark=dark, scale=1))
    browser.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(CONTRAST) == []


@pytest.mark.parametrize(("width", "dark"), [(1240, True), (390, False)])
@pytest.mark.parametrize("shown", ["page", "notebook"])
def test_a_comparison_of_tables_can_be_read(
    browser: Any, pictures: ModuleType, tmp_path: Path, shown: str, width: int, dark: bool
) -> None:
    left = pl.DataFrame({"temp": range(400), "a column of a long name": ["sun", "rain"] * 200, "kept": [1.5] * 400})
    right = left.select(pl.col("temp") + 900, pl.lit("snow").alias("a column of a long name"), new=1)
    found = solvent.compare(left, right)
    page = found.save(tmp_path / "page.html")
    if shown == "notebook":
        page.write_text(
            f"<!doctype html><meta name=viewport content='width=device-width'>{found._repr_html_()}", "utf-8"
        )
    browser.open(page, pictures.Picture("p", width, 900, dark=dark, scale=1))
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(CONTRAST) == []


def test_pointer_and_arrows_tell_a_windows_figures(browser: Any, pictures: ModuleType, page: Path) -> None:
    browser.open(page, pictures.Picture("p", 1240, 900, scale=1))
    readout = "document.querySelector('.readout').textContent"
    idle = browser.evaluate(readout)
    browser.evaluate("document.querySelector('.plot').focus()")
    press(browser, "Home")
    assert browser.evaluate(readout).startswith("4–10 Jul 2011 · v1 · realised 33 (")
    press(browser, "ArrowRight")
    assert browser.evaluate(readout).startswith("11–17 Jul 2011")
    press(browser, "Escape")
    assert browser.evaluate(readout) == idle


def test_keys_move_find_and_explain(browser: Any, pictures: ModuleType, page: Path) -> None:
    browser.open(page, pictures.Picture("p", 1240, 900, scale=1))
    here = "document.activeElement.id"
    press(browser, "j")
    press(browser, "j")
    second = browser.evaluate(here)
    press(browser, "k")
    assert browser.evaluate(here) != second
    press(browser, "?")
    assert browser.evaluate("document.querySelector('dialog').open") is True
    press(browser, "?")
    press(browser, "/")
    browser.evaluate("document.activeElement.value = '°F constant'")
    browser.evaluate("document.activeElement.dispatchEvent(new Event('input'))")
    assert "windspeed constant" in browser.evaluate("document.querySelector('.found').innerText")
    press(browser, "Enter")
    assert browser.evaluate(here).startswith("a-contract")
