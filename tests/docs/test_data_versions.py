"""The guide to data versions, run as it stands in an empty folder: what it shows is what comes out."""

import os
import re
import subprocess
from pathlib import Path

from support import PROGRAM, clean_environment

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "data-versions.md"
BLOCK = re.compile(r"<!-- run: shell -->\n```\w+\n(.*?)```", re.DOTALL)


def test_the_guide_works_and_shows_what_comes_out(tmp_path):
    commands, shown = [], []
    for block in BLOCK.findall(GUIDE.read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            commands.append(command)
            shown += output.splitlines()
    done = subprocess.run(
        ["bash", "-c", "\n".join(["set -euo pipefail", *commands])],
        cwd=tmp_path,
        env=clean_environment(PATH=f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(shown) > 7
    said = done.stdout.splitlines()
    for line in shown:
        assert line in said, f"the guide shows a line that does not come out: {line}\n{done.stdout}"
