"""The guides that carry marked blocks, run as they stand by a newcomer's shell in an empty folder."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from support import PROGRAM, clean_environment

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
BLOCK = re.compile(r"<!-- (run: shell|file: (\S+)) -->\n```\w+\n(.*?)```", re.DOTALL)


def script(page: str) -> str:
    """The marked blocks as one shell script, prompts removed."""
    lines = ["set -euo pipefail"]
    for kind, name, body in BLOCK.findall(page):
        if kind.startswith("file"):
            lines.append(f"cat > {name} <<'END_OF_FILE'\n{body}END_OF_FILE")
        else:
            lines += [command.strip() for command in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]]
    return "\n".join(lines)


@pytest.mark.parametrize("name", [page.stem for page in sorted(GUIDES.glob("*.md")) if BLOCK.search(page.read_text())])
def test_a_guide_works_as_it_stands(name, tmp_path):
    environment = clean_environment(PATH=f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        ["bash", "-c", script((GUIDES / f"{name}.md").read_text())],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if name == "remotes":
        assert "cached" in done.stdout.partition("Received")[2], done.stdout
        assert done.stdout.count("Next:") >= 8
