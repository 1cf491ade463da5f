"""Credentials by their issuers' known forms: found, and blotted out of every line that is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Prefix, then the alphabet and length that the issuer documents (November 2026).
KINDS = {
    "an AWS access key": r"(?<![A-Z0-9])AKIA[A-Z2-7]{16}(?![A-Z0-9])",
    "a GitHub token": r"(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})(?!\w)",
    "a GitLab token": r"(?<!\w)glpat-[A-Za-z0-9_-]{20}(?!\w)",
    "an OpenAI key": r"(?<![\w-])sk-(?:proj-)?[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}(?!\w)",
    "an Anthropic key": r"(?<![\w-])sk-ant-(?:api|admin)\d\d-[A-Za-z0-9_-]{80,110}(?!\w)",
    "a Google key": r"(?<![\w-])AIza[0-9A-Za-z_-]{35}(?![\w-])",
    "a Hugging Face token": r"(?<!\w)hf_[A-Za-z]{34}(?!\w)",
    "a Slack token": r"(?<!\w)xox[abprs]-\d{9,14}-[A-Za-z0-9-]{20,}(?!\w)",
    "a private key": r"-----BEGIN (?:RSA |EC |OPENSSH |DSA )?PRIVATE KEY-----(?:\\n|\s)+[A-Za-z0-9+/]{40}",
    "a PyPI token": r"(?<!\w)pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}",
}
_ANY = re.compile("|".join(f"(?P<k{number}>{pattern})" for number, pattern in enumerate(KINDS.values())))
_SHOWN = re.compile(r"example|xxxx|your|fake|dummy|test|sample|12345|abcdef|(.)\1{5}", re.IGNORECASE)


def secrets(text: str) -> Iterator[tuple[int, str]]:
    """(position, kind) of each credential of a text; placeholders are none."""
    names = list(KINDS)
    for match in _ANY.finditer(text):
        if not _SHOWN.search(match[0]):
            yield match.start(), names[int((match.lastgroup or "k0")[1:])]


def masked(text: str) -> str:
    """A text with its credentials blotted out, whatever finding shows the line.

    >>> masked("key = 'AKIAQ7RZ2M4WNVBT6LPD'")
    "key = '…'"
    """
    return _ANY.sub("…", text)
