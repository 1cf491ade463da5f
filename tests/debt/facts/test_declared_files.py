"""Locks, images, interpreters and stages: their formats, and texts that are none."""

from hypothesis import given
from hypothesis import strategies as st

from solvent.debt.facts.images import Image, parse_ci, parse_images, parse_runtime
from solvent.debt.facts.locks import is_lock, parse_lock
from solvent.debt.facts.stages import Script, parse_dvc_lock, parse_mlproject, parse_stages, scripts


def test_locks_of_each_tool() -> None:
    packages = '[[package]]\nname = "Scikit_Learn"\nversion = "1.5.0"\n'
    for name in ("uv.lock", "poetry.lock", "pdm.lock"):
        assert parse_lock(name, packages) == {"scikit-learn": "1.5.0"}
    assert parse_lock("pylock.toml", packages.replace("package", "packages")) == {"scikit-learn": "1.5.0"}
    conda = "package:\n- name: numpy\n  version: 1.26.4\n- name: python\n  version: 3.11.1\n"
    assert parse_lock("conda-lock.yml", conda) == {"numpy": "1.26.4", "python": "3.11.1"}
    assert parse_lock("Pipfile.lock", '{"default": {"numpy": {"version": "==1.26.4"}}}') == {"numpy": "1.26.4"}
    assert is_lock("a/uv.lock")
    assert not is_lock("a/yarn.lock")


def test_images() -> None:
    text = """\
# syntax=docker/dockerfile:1
ARG VERSION=3.12
FROM --platform=linux/amd64 python:${VERSION}-slim AS build
from build as test
FROM ${BASE}
FROM example.org:5000/a/b
COPY --from=build /a /a
"""
    assert parse_images(text) == [
        Image("python", "3.12-slim", False, False, 3),
        Image("${base}", "", False, True, 5),
        Image("example.org:5000/a/b", "", False, False, 6),
    ]


def test_interpreters() -> None:
    ci = "matrix:\n  python-version: ['3.8', 3.9]\njobs:\n  a:\n    image: python:3.7-slim\n  python: 3.x\n"
    assert [one.version for one in parse_ci(ci)] == ["3.8", "3.9", "3.7"]
    runtime = parse_runtime("# note\npython-3.8.12\n")
    assert runtime is not None
    assert (runtime.version, runtime.line) == ("3.8", 2)
    assert parse_runtime("pypy3.10") is None


STAGES = """\
vars: [a: 1]
stages:
  prepare:
    wdir: work
    cmd: python -u ../src/prepare.py data.csv --rate 0.1
    deps: [../src/prepare.py, data.csv]
    params: [prepare.rate, {other.yaml: [x]}]
    outs: [{out: {cache: false}}]
    metrics: [m.json]
  many:
    matrix: {a: [1, 2]}
    cmd: python run.py ${item.a}
"""


def test_stages() -> None:
    prepare, many = parse_stages("dvc.yaml", STAGES)
    assert prepare.deps == ["src/prepare.py", "work/data.csv"]
    assert prepare.outs == ["work/out", "work/m.json"]
    assert prepare.params == ["work/params.yaml", "work/other.yaml"]
    assert (prepare.line, prepare.templated, many.templated) == (3, False, True)
    assert scripts(prepare) == [Script("src/prepare.py", ["data.csv", "--rate", "0.1"])]
    assert scripts(many) == []


def test_dvc_locks_and_mlprojects() -> None:
    lock = "schema: '2.0'\nstages:\n  a:\n    cmd: run\n    deps:\n    - path: x\n      md5: ab\n"
    assert parse_dvc_lock(lock)["a"].deps == {"x": "ab"}
    assert parse_mlproject("entry_points:\n  main:\n    command: python train.py\n") == ["python train.py"]


@given(st.text(max_size=80))
def test_any_text_is_read_without_failing(text: str) -> None:
    parse_images(text)
    parse_ci(text)
    parse_runtime(text)
    parse_stages("dvc.yaml", text)
    parse_dvc_lock(text)
    parse_mlproject(text)
    for name in ("uv.lock", "Pipfile.lock", "conda-lock.yml"):
        parse_lock(name, text)
