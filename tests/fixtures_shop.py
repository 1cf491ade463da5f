"""A small project in service, made by the installed program."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from small_project import BEGIN, MODEL, SETTINGS, START, make_project, rows, serve_week
from solvent.project import Project
from support import run_solvent

ONE_SPAN = SETTINGS.replace('spans = ["all", "4w"]', 'spans = ["4w"]')  # one worker process to start, not two


@pytest.fixture(scope="session")
def shop(tmp_path_factory) -> Path:
    """Copy it before you change it. Version 1 in service, version 2 registered, one week served and ticked."""
    root = make_project(tmp_path_factory.mktemp("shop") / "project", ONE_SPAN)
    for at in (BEGIN - timedelta(days=1), BEGIN):
        assert run_solvent("run", "--as-of", at.isoformat(), cwd=root).code == 0
    project = Project(root)
    serve_week(project, 8, rows(8))
    assert [version.number for version in project.store.facts.versions(MODEL)] == [1, 2]
    project.close()
    assert run_solvent("tick", "--now", (START + timedelta(weeks=9)).isoformat(), cwd=root).code == 0
    return root
