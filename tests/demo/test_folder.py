"""Where the demo may write, and that what it writes is a project."""

import tomllib

import pytest

from solvent.demo.folder import NotOurs, project_files, write_project
from solvent.foundation.settings import load_settings


def test_the_folder_is_a_project_with_settings_that_parse(tmp_path):
    write_project(tmp_path / "demo")
    settings = load_settings(tmp_path / "demo", environ={})
    assert set(settings.models) == {"bike-demand", "flight-delay"}
    assert (tmp_path / "demo" / "pipelines" / "bikes.py").exists()


def test_one_life_alone_writes_only_its_own_files(tmp_path):
    write_project(tmp_path, ["flights"])
    assert not (tmp_path / "pipelines" / "bikes.py").exists()
    assert set(tomllib.loads((tmp_path / "solvent.toml").read_text())["models"]) == {"flight-delay"}


def test_a_second_demo_in_its_own_folder_starts_afresh(tmp_path):
    write_project(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old.parquet").write_bytes(b"old")
    write_project(tmp_path, ["bikes"])
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "pipelines" / "flights.py").exists()


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years")
    with pytest.raises(NotOurs, match="not empty and holds no demo"):
        write_project(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_stranger_inside_an_own_folder_is_left_alone(tmp_path):
    write_project(tmp_path)
    (tmp_path / "thesis.txt").write_text("ten years")
    with pytest.raises(NotOurs, match=r"thesis\.txt is not the demo's"):
        write_project(tmp_path)


def test_an_edited_pipeline_is_never_written_over(tmp_path):
    write_project(tmp_path)
    mine = tmp_path / "pipelines" / "bikes.py"
    mine.write_text(mine.read_text() + "\n# mine\n")
    with pytest.raises(NotOurs, match=r"bikes\.py was edited"):
        write_project(tmp_path)
    assert mine.read_text().endswith("# mine\n")


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "demo").write_text("")
    with pytest.raises(NotOurs, match="is a file"):
        write_project(tmp_path / "demo")


def test_project_files_hold_no_empty_pipeline():
    assert all(text for name, text in project_files(["bikes"]).items() if not name.endswith("__init__.py"))
