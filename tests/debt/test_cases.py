"""Runs the case files: what a rule must find and what it must not, in prose, code and marked lines.

`cases/CODE.md`: a `## title`, then one or more fenced blocks; the info string is a language and optionally a file
name: `python train.py`, `text requirements.txt`, `python notebook` (cells divided by `# %%`), `json nb.ipynb`.
A line that ends in `# finding` must be found; no other may be; an info string that does marks the file's first line.
`base64 FILE` holds bytes, `size FILE` a number of them. `# %% [3]` is a cell that was run third, `# %% [3] failed` one
that saved an error, `# %% [3] failed NAME` one that saved that error.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path, PurePosixPath

import msgspec
import pytest

from solvent.debt.facts.document import read_document
from solvent.debt.facts.file import FileFacts
from solvent.debt.facts.repository import Entry, Repository
from solvent.debt.rules.base import Rule, all_rules

CASES = Path(__file__).parent / "cases"
MARK = re.compile(r"[ \t]*# finding[ \t]*$", re.MULTILINE)
NAMES = {"python": "case.py", "json": "case.json", "yaml": "case.yaml", "text": "case.txt", "toml": "pyproject.toml"}


class Case(msgspec.Struct, frozen=True):
    """files: content without marks, by path; marked: (path, joined line) of what must be found."""

    title: str
    files: dict[str, bytes]
    marked: set[tuple[str, int]]


def read_cases(text: str) -> list[Case]:
    cases = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        files: dict[str, bytes] = {}
        marked: set[tuple[str, int]] = set()
        for head, block in re.findall(r"^```([^\n]+)\n(.*?)^```$", body, flags=re.MULTILINE | re.DOTALL):
            info = MARK.sub("", head)
            language, _, name = info.partition(" ")
            notebook = name == "notebook" or name.startswith("notebook ")
            path = (name.removeprefix("notebook").strip() or "case.ipynb") if notebook else name or NAMES[language]
            content = MARK.sub("", block)
            lines = joined_lines(block) if notebook else block.split("\n")
            marked |= {(path, number) for number, line in enumerate(lines, start=1) if MARK.search(line)}
            marked |= {(path, 1)} if info != head else set()
            files[path] = as_notebook(content) if notebook else as_bytes(language, content)
        cases.append(Case(title.strip(), files, marked))
    return cases


def joined_lines(block: str) -> list[str]:
    """The lines of the code cells."""
    cells = re.split(r"^# %%", block, flags=re.MULTILINE)[1:]
    parts = [cell.partition("\n")[2].removesuffix("\n") for cell in cells if "markdown" not in cell.partition("\n")[0]]
    return [line for part in parts if part for line in part.split("\n")]


def as_bytes(language: str, text: str) -> bytes:
    if language == "size":
        return bytes(int(text.replace("_", "")))
    return base64.b64decode(text) if language == "base64" else text.encode()


def as_notebook(text: str) -> bytes:
    """Cells divided by `# %%` (`# %% [markdown]` for text), each ended without a line feed, as Jupyter does."""
    cells = []
    for part in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        source = body.removesuffix("\n").splitlines(keepends=True)
        count = re.match(r" \[(\d+)\]", head)
        name = head.partition("failed")[2].strip() or "ValueError"
        outputs = [{"output_type": "error", "ename": name, "evalue": "", "traceback": []}] if "failed" in head else []
        code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": outputs, "source": source}
        code["execution_count"] = int(count[1]) if count else None
        cells.append({"cell_type": "markdown", "metadata": {}, "source": source} if "markdown" in head else code)
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()


def found_in(rule: Rule, files: dict[str, bytes]) -> set[tuple[str, int]]:
    """(path, joined line) of each finding."""
    facts = {
        path: FileFacts(read_document(path, content))
        for path, content in files.items()
        if PurePosixPath(path).suffix in {".py", ".ipynb"}
    }
    if rule.scope == "file":
        return {(path, found.line) for path, file in facts.items() for found in rule.check(file)}
    from solvent.debt.facts.summary import summarise

    entries = {path: Entry(path, len(content), True) for path, content in files.items()}
    summaries = {path: summarise(file, f"digest of {path}") for path, file in facts.items()}
    repository = Repository(entries, summaries, files.__getitem__, git=True)
    return {(found.path, found.line) for found in rule.check(repository)}


RULES = [rule for rule in all_rules() if rule.scope != "allows"]  # those are in test_audit.py
ALL = [
    pytest.param(rule, case, id=f"{rule.code}: {case.title}")
    for rule in RULES
    for case in read_cases((CASES / f"{rule.code}.md").read_text())
]


@pytest.mark.parametrize(("rule", "case"), ALL)
def test_case(rule: Rule, case: Case) -> None:
    assert found_in(rule, case.files) == case.marked


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_each_rule_has_cases_and_a_page(rule: Rule) -> None:
    cases = read_cases((CASES / f"{rule.code}.md").read_text())
    assert any(case.marked for case in cases) and any(not case.marked for case in cases)
    assert rule.doc.partition("\n")[0].endswith(".")
    assert "\nWhy it costs: " in rule.doc and "\nFix: " in rule.doc


def test_each_case_file_has_a_rule() -> None:
    assert {path.stem for path in CASES.glob("*.md")} == {rule.code for rule in RULES}
