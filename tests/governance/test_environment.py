"""A fresh environment by uv, from wheels that lie in a folder: no registry is asked."""

import shutil
import subprocess
import zipfile

import pytest

from solvent.governance.reproduction.environment import NoFreshEnvironment, build
from solvent.pipeline.environment import interpreter

pytestmark = pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Two versions of one small package, and uv told to look nowhere else."""
    for version in ("1.0", "2.0"):
        with zipfile.ZipFile(tmp_path / f"weights-{version}-py3-none-any.whl", "w") as wheel:
            home = f"weights-{version}.dist-info"
            wheel.writestr("weights.py", f"VERSION = {version!r}\n")
            wheel.writestr(f"{home}/METADATA", f"Metadata-Version: 2.1\nName: weights\nVersion: {version}\n")
            wheel.writestr(f"{home}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{home}/RECORD", "")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    return tmp_path


def test_it_holds_the_recorded_versions_and_this_solvent(registry, tmp_path):
    python, notes = build(tmp_path / "environment", interpreter(), ["solvent==0.1.0", "weights==1.0"])
    asked = "import weights, solvent, sys; print(weights.VERSION, sys.prefix)"
    environment = {"PATH": "/usr/bin:/bin"}
    said = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True, env=environment).stdout
    assert said.split() == ["1.0", str(tmp_path / "environment")] and notes == []


def test_what_the_registry_lacks_is_left_out_and_said(registry, tmp_path):
    wanted = ["gone-away==3.1", "weights==2.0", "our_own==1"]
    _, notes = build(tmp_path / "environment", interpreter(), wanted)
    assert notes == ["the registry does not have gone-away==3.1", "the registry does not have our_own==1"]
    _, notes = build(tmp_path / "another", interpreter(), ["weights==9.9"])
    assert notes == ["the registry does not have weights==9.9"]


def test_an_interpreter_that_is_not_there_is_refused_with_the_way_out(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    with pytest.raises(NoFreshEnvironment, match="--same-env"):
        build(tmp_path / "environment", "cpython-3.4-Linux-x86_64", [])
