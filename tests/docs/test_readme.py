"""The README's quick start, run as it stands by a newcomer's shell in an empty folder."""

import os
import re
import socket
import subprocess
from pathlib import Path

from support import PROGRAM, clean_environment

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"<!-- (run: shell|file: (\S+)) -->\n```\w+\n(.*?)```", re.DOTALL)
PORT = "8321"


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def script(port: str) -> str:
    """The marked blocks as one shell script: prompts removed, installation left out, the server waited for."""
    lines = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for kind, name, body in BLOCK.findall(README.read_text()):
        if kind.startswith("file"):
            lines.append(f"cat > {name} <<'END_OF_FILE'\n{body}END_OF_FILE")
            continue
        for command in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            if not command.startswith("pip install"):
                lines.append(command.strip().replace(PORT, port))
            if command.strip().endswith("&"):
                lines.append(
                    f"for i in $(seq 100); do curl -sf localhost:{port}/ping >/dev/null && break; sleep 0.2; done"
                )
    return "\n".join(lines)


def test_the_quick_start_works_as_it_stands(tmp_path):
    environment = clean_environment(PATH=f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        ["bash", "-c", script(free_port())],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"predictions":[' in done.stdout.replace(" ", "")
    assert done.stdout.count("Next:") >= 4, "each step prints the next one to try"
