"""What only a browser can tell: the script works, nothing scrolls sideways, colours can be read."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import polars as pl
import pytest

import solvent
from governance import lives
from solvent.governance.report.html import render_html
from solvent.governance.report.life import Health, ModelLife, Warn
from solvent.governance.report.verdict import health

PICTURES = Path(__file__).parents[2] / "docs" / "pictures.py"

CONTRAST = """(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const lightness = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.closest("script, style, .unseen")) continue;
    const style = getComputedStyle(e);
    const a = lightness(rgb(e.closest("svg") ? style.fill : style.color)), b = lightness(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const place = `${e.tagName}.${e.getAttribute("class")} ${e.textContent.slice(0, 30)}`;
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${place}`);
  }
  return [...new Set(poor)].slice(0, 10);
})()"""


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pictures", PICTURES)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not any(shutil.which(name) for name in module.BROWSERS):
        pytest.skip(f"no browser: one of {', '.join(module.BROWSERS)} would run these tests")
    return module


@pytest.fixture(scope="module")
def browser(pictures: ModuleType) -> Iterator[Any]:
    with pictures.Browser() as browser:
        yield browser


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


def press(browser: Any, key: str) -> None:
    event = f"new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}})"
    browser.evaluate(f"document.activeElement.dispatchEvent({event})")


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
