from pathlib import Path

import pytest

from solvent.data.versions.naming import (
    BadDataset,
    Dataset,
    UnknownDataset,
    find_name,
    glob_pattern,
    name_of,
    refuse_overlap,
)


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", ".a.csv", False),
        ("*.csv", "a/b.csv", False),
        ("*.csv", "a.csvx", False),
        ("a?.csv", "ab.csv", True),
        ("[ab].csv", "b.csv", True),
        ("[!ab].csv", "b.csv", False),
        ("[!ab].csv", "c.csv", True),
        ("**/*.csv", "a.csv", True),
        ("**/*.csv", "x/y/a.csv", True),
        ("**/*.csv", ".x/a.csv", False),
        ("**", "x/y", True),
        ("*/b", "a/b", True),
        ("*/b", "a/a/b", False),
        ("a+b(c).csv", "a+b(c).csv", True),
        ("a[.csv", "a[.csv", True),
    ],
)
def test_a_glob_matches_as_in_a_shell(glob, path, matches):
    assert bool(glob_pattern(glob).fullmatch(path)) is matches


@pytest.mark.parametrize(
    ("name", "base", "deep"),
    [("*/x", ".", True), ("*.csv", ".", False), ("data/**", "data", True), ("data/*.csv", "data", False)],
)
def test_a_glob_knows_where_it_starts_and_whether_it_goes_deeper(tmp_path, name, base, deep):
    dataset = Dataset(name, "glob", tmp_path)
    assert (dataset.base, dataset.deep) == (tmp_path / base, deep)


def test_a_glob_that_is_none_is_told():
    with pytest.raises(BadDataset, match="is no glob"):
        glob_pattern("[z-a].csv")


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("data", "data/a.csv", True),
        ("data/a.csv", "data", True),
        ("data/a.csv", "data/b.csv", False),
        ("data", "database", False),
        ("data/*.csv", "data", True),
        ("data/*.csv", "data/a.csv", True),
        ("data/*.csv", "data/a.txt", False),
        ("data/*.csv", "data/*.parquet", False),
        ("data/*.csv", "data/2012-*.csv", True),
        ("data/**/*.csv", "data/sub", True),
        ("data/*.csv", "data/sub", False),
        ("*.csv", "data", False),
    ],
)
def test_datasets_never_share_a_file(one, other, overlap):
    for mine, theirs in ((one, other), (other, one)):
        if overlap:
            with pytest.raises(BadDataset, match="share files"):
                refuse_overlap(mine, [theirs])
        else:
            refuse_overlap(mine, [theirs, mine])


def test_a_name_is_the_path_in_the_project_wherever_one_stands(tmp_path, monkeypatch):
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    monkeypatch.chdir(root / "data")
    assert name_of("rides.csv", root) == "data/rides.csv"
    assert name_of("../rides.csv", root) == "rides.csv"
    assert name_of(str(root / "data"), root) == "data"
    monkeypatch.chdir(tmp_path)
    assert name_of("data/./rides.csv", root) == "data/rides.csv"


@pytest.mark.parametrize(
    "text", [".", "..", "../outside", "/etc/passwd", ".solvent/x", ".git", "solvent.lock", "a/../.."]
)
def test_what_is_not_the_projects_data_is_refused(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadDataset) as refused:
        name_of(text, tmp_path)
    assert refused.value.next


def test_a_dataset_is_found_by_the_end_of_its_path(tmp_path):
    known = ["data/rides.csv", "raw/rides.csv", "data/images"]
    assert find_name("images", known, tmp_path) == "data/images"
    assert find_name("data/rides.csv", known, tmp_path) == "data/rides.csv"
    with pytest.raises(UnknownDataset):
        find_name("rides", known, tmp_path)
    assert find_name("rides", known[1:], Path("/nowhere")) == "raw/rides.csv"
