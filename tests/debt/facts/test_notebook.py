"""Notebooks: what is code, where it stands, and what nothing can be made of."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.debt.facts.document import Unreadable, read_document


def notebook(*sources: str, indent: int | None = 1, **cell: object) -> bytes:
    cells = [{"cell_type": "code", "metadata": {}, "source": s.splitlines(keepends=True), **cell} for s in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}, indent=indent).encode()


def code(*sources: str) -> list[str]:
    return read_document("a.ipynb", notebook(*sources)).text.split("\n")


def test_magics_and_shell_lines_are_blanked_and_kept_aside() -> None:
    document = read_document("a.ipynb", notebook("!pip install x\n%matplotlib inline\nx = 1\nx?"))
    assert document.text == "\n\nx = 1\n"
    assert document.blanked == {1: "!pip install x", 2: "%matplotlib inline", 4: "x?"}


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("%%time\nx = 1", ["", "x = 1"]),
        ("%%writefile a.py\nx = 1", ["", ""]),
        ("%%bash\nls", ["", ""]),
        ("# note\n%%capture out\n!ls\nx = 1", ["", "", "", "x = 1"]),
        ("%time x = f()", ["x = f()"]),
        ("files = !ls", ["files = ..."]),
        ("if x:\n    !ls \\\n  -l\ny = 2", ["if x:", "    pass", "", "y = 2"]),
        ("  x = 1\n  y = 2", ["x = 1", "y = 2"]),
        ("y = (a\n  % b)", ["y = (a", "  % b)"]),
        ("s = '''\n%load x\n!y\n'''", ["s = '''", "%load x", "!y", "'''"]),
        ("await f()", ["await f()"]),
        ("x = 'a\x0cb'\u2028", [""]),
    ],
)
def test_a_cell_as_python(cell: str, text: list[str]) -> None:
    assert code("z = 0", cell) == ["z = 0", *text]


def test_a_line_is_found_in_its_cell_and_in_the_file() -> None:
    content = notebook("a = 1\nb = 2", "c = 3\nd = '\\n\"source\": []'\ne = 5")
    document = read_document("a.ipynb", content)
    physical = content.decode().split("\n")
    for number, text in enumerate(document.text.split("\n"), start=1):
        place = document.place(number)
        assert json.loads(physical[place.physical - 1].strip().rstrip(",")).rstrip("\n") == text
    assert (document.place(4).cell, document.place(4).line) == (2, 2)


def test_markdown_is_counted_and_one_string_is_one_line_of_the_file() -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "hello"},
        {"cell_type": "code", "metadata": {}, "source": "a = 1\r\nb = 2", "execution_count": 7},
    ]
    document = read_document("a.ipynb", json.dumps({"cells": cells}).encode())
    assert [(c.number, c.count, c.physical) for c in document.cells] == [(2, 7, [1, 1])]


def test_format_3() -> None:
    cell = {"cell_type": "code", "input": ["a = 1"], "prompt_number": 3, "outputs": [{"output_type": "pyerr"}]}
    document = read_document("a.ipynb", json.dumps({"nbformat": 3, "worksheets": [{"cells": [cell]}]}).encode())
    assert (document.text, document.cells[0].count, document.cells[0].error) == ("a = 1", 3, "an error")


def test_an_unreadable_cell_is_a_gap() -> None:
    document = read_document("a.ipynb", notebook("a = 1", "print 'x'\nb = 2", "c = 3"))
    assert document.text == "a = 1\n\n\nc = 3"
    assert [(gap.cell, gap.first, gap.last) for gap in document.gaps] == [(2, 2, 3)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a notebook"),
        (b"{}", "not a notebook"),
        (b"\xff\xfe", "not a notebook"),
        (b"[" * 100_000, "not a notebook"),
        (b'{"cells": ' + b"[" * 100_000, "not a notebook"),
        (b'{"cells": [1]}', "not a notebook"),
        (b'{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}', "another language"),
        (notebook("print 'x'"), "not Python 3"),
    ],
)
def test_what_is_no_notebook_is_said(content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_document("a.ipynb", content)


def test_a_source_that_is_no_text_is_no_code() -> None:
    assert read_document("a.ipynb", b'{"cells": [{"cell_type": "code", "source": 7}]}').cells == []


def test_nan_in_an_output_is_no_obstacle() -> None:
    content = notebook("a = 1", outputs=[{"output_type": "error", "data": float("nan")}])
    assert b"NaN" in content
    document = read_document("a.ipynb", content)
    assert document.text == "a = 1" and document.cells[0].error


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=30), max_size=4), st.sampled_from([None, 1, 2]))
def test_any_cells_are_read_or_told(sources: list[str], indent: int | None) -> None:
    content = notebook(*sources, indent=indent)
    try:
        document = read_document("a.ipynb", content)
    except Unreadable:
        return
    lines = document.text.split("\n")
    for number in range(1, len(lines) + 1):
        assert not document.cells or 1 <= document.place(number).physical <= content.count(b"\n") + 1
