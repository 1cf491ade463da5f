"""The command line: parse, call one function below, print text or JSON.

One file in `commands/` is one command, found by its file name. A command returns
an `Exit`; facts go to stdout, progress and notes to stderr. It may import every
room, but only inside the function that needs it: start-up is a feature.
"""

from __future__ import annotations

import os
import sys


def main(argv: list[str] | None = None) -> None:
    """Entry point of the `solvent` program."""
    tokens = list(sys.argv[1:] if argv is None else argv)
    if tokens in (["--version"], ["-V"]):
        from solvent import __version__

        print(f"solvent {__version__}")
        return
    # A waiting OpenMP thread that spins starves the thread it waits for. Must stand before OpenMP is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from solvent.cli.program import run

    sys.exit(run(tokens))
