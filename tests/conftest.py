"""What every test may use: the installed program in a real process, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support import Answer, run_solvent

pytest_plugins = ["fixtures_browser", "fixtures_postgres", "fixtures_s3", "fixtures_shop"]

Solvent = Callable[..., Answer]


@pytest.fixture(scope="session")
def solvent() -> Solvent:
    """Run the installed `solvent` and return code, stdout and stderr."""
    return run_solvent
