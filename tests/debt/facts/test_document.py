"""Scripts: encodings, line ends, and what is no Python."""

import pytest

from solvent.debt.facts.document import Unreadable, read_document
from solvent.debt.facts.file import FileFacts


@pytest.mark.parametrize(
    "content",
    [
        "# coding: latin-1\nx = 'é'\n".encode("latin-1"),
        b"\xef\xbb\xbf# coding: latin-1\nx = 'e'\n",
        "#!/usr/bin/python\n# -*- coding: cp1252 -*-\nx = 'é'".encode("cp1252"),
        b"x = 'a'\r\ny = 1\rz = 2",
        b"",
    ],
)
def test_what_can_be_read(content: bytes) -> None:
    if content.startswith(b"\xef"):
        with pytest.raises(Unreadable, match="encoding"):  # Python refuses it too
            read_document("a.py", content)
    else:
        document = read_document("a.py", content)
        assert "\r" not in document.text
        FileFacts(document)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x = '\xe9'", "encoding"),
        (b"# coding: rot13\nx", "encoding"),
        (b"# coding: nothing\nx", "encoding"),
        (b"\x7fELF\0\0", "binary"),
        (b"x = 1\n" * 700_000, "larger than 4 MB"),
        (b"print 'x'", "not Python 3: Missing parentheses"),
        (b"x = " + b"(" * 1000, "not Python 3"),
        (b"x = " + b"-" * 90_000 + b"1", "nested too deeply"),
    ],
)
def test_what_cannot_is_said(content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        FileFacts(read_document("a.py", content))


def test_a_form_feed_ends_no_line() -> None:
    document = read_document("a.py", b"x = 1\n\x0cy = 2\nz = '\xe2\x80\xa8'\nlast = 1")
    assert document.line(4) == "last = 1"
