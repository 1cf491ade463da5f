"""The reference pages name everything that there is."""

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
