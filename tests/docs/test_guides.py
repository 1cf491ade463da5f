"""Guides whose examples are run as they stand: files written, commands given, and their output as the page shows it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from support import PROGRAM, clean_environment

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
BLOCK = re.compile(r"<!-- (run: shell|file: (\S+)) -->\n```\w+\n(.*?)```", re.DOTALL)
SECONDS = re.compile(r"\d+\.\d s")


def plain(line: str) -> str:
    """A line without what may differ: spaces and seconds."""
    return " ".join(SECONDS.sub("_ s", line).split())


@pytest.mark.parametrize("name", ["compare", "compare-and-reproduce", "many", "remotes", "stale"])
def test_a_guide_does_what_it_shows(name, tmp_path):
    script, shown = ["set -euo pipefail"], []
    for kind, file, body in BLOCK.findall((GUIDES / f"{name}.md").read_text("utf-8")):
        if kind.startswith("file"):
            script.append(f"cat > {file} <<'END_OF_FILE'\n{body}END_OF_FILE")
            continue
        for line in body.splitlines():
            (script if line.startswith("$ ") else shown).append(line.removeprefix("$ "))
    environment = clean_environment(PATH=f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    printed = {plain(line) for line in done.stdout.splitlines()}
    assert [line for line in shown if plain(line) not in printed] == []
