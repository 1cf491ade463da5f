"""The command line: parse, call one function below, print text or JSON.

One file in `commands/` is one command, found by its file name. A command returns
an `Exit`; facts go to stdout, progress and notes to stderr. It may import every
room, but only inside the function that needs it: start-up is a feature.
"""

from __future__ import annotations

import os
import sys

from solvent.foundation.waiting import WAITING


def main(argv: list[str] | None = None) -> None:
    """Entry point of the `solvent` program."""
    tokens = list(sys.argv[1:] if argv is None else argv)
    if tokens in (["--version"], ["-V"]):
        from solvent import __version__

        print(f"solvent {__version__}")
        return
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)
    if tokens[:2] == ["data", "status"] and all(t == "--json" or t[:1] != "-" for t in tokens[2:]):
        _quick_status(tokens[2:])
    from solvent.cli.program import run

    sys.exit(run(tokens))


def _quick_status(tokens: list[str]) -> None:
    """`data status` before the parser is loaded; whatever is wrong, the whole program says it in its own words."""
    import gc
    from contextlib import suppress

    with suppress(Exception):
        from solvent.cli.datasets import show_status

        gc.disable()  # a process this short makes no garbage worth a search
        fine = show_status([t for t in tokens if t != "--json"], json="--json" in tokens)
        sys.stdout.flush()
        sys.exit(0 if fine else 1)
