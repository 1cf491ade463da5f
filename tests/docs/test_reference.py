"""The reference pages name everything that there is."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from solvent.foundation.settings import ModelSettings, Settings

DOCS = Path(__file__).parents[2] / "docs"


def sections():
    for field in msgspec.structs.fields(Settings):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield field.name, field.type


@pytest.mark.parametrize(("section", "struct"), list(sections()))
def test_every_setting_has_its_line(section, struct):
    page = (DOCS / "reference" / "settings.md").read_text()
    for field in msgspec.structs.fields(struct):
        assert f"| `{section}.{field.name}` |" in page, f"{section}.{field.name} is not documented"


def test_models_have_the_same_sections_as_the_project():
    assert {field.name for field in msgspec.structs.fields(ModelSettings)} == {"monitor", "policy"}


def test_generated_pages_are_what_would_be_generated():
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"`make docs` and commit: {done.stdout}{done.stderr}"


def test_every_link_of_the_docs_leads_somewhere():
    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)\)", page.read_text())]
    missing = [f"{p.name}: {link}" for p, link in links if "://" not in link and not (p.parent / link).exists()]
    assert not missing
