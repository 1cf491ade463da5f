"""The program around the commands: find them, run one, turn errors into sentences and exit codes."""

from __future__ import annotations

import ast
import errno
import os
import pkgutil
import sys
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

import cyclopts

import solvent
from solvent.cli import commands
from solvent.foundation.errors import SolventError, Unexpected, UsageError, nearest

if TYPE_CHECKING:
    from cyclopts import CycloptsError


class Exit(IntEnum):
    """Documented exit codes: docs/reference/exit-codes.md."""

    FINE = 0
    FINDINGS = 1
    USAGE = 2
    UNEXPECTED = 3


class BadCommand(UsageError):
    code = "usage"


class NoPermission(UsageError):
    code = "no-permission"


class DiskFull(UsageError):
    code = "disk-full"


def command_names() -> list[str]:
    """All commands, from the files of the `commands` folder."""
    return sorted(_files())


def add_files(app: cyclopts.App, group: str) -> cyclopts.App:
    """Give a group its commands that have files of their own: `data_diff.py` is `data diff`, imported when called."""
    for module in pkgutil.iter_modules(commands.__path__):
        if module.name.startswith(f"{group}_"):
            name = module.name.removeprefix(f"{group}_").replace("_", "-")
            app.command(f"solvent.cli.commands.{module.name}:command", name=name, help=_summary(module.name))
    return app


def _files() -> dict[str, str]:
    """Command → module. A file `GROUP_NAME.py` beside `GROUP.py` is a command of that group."""
    modules = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    return {
        name.rstrip("_").replace("_", "-"): name
        for name in modules
        if name.endswith("_") or name.partition("_")[0] not in modules or "_" not in name
    }


def build(*, listing: bool = False) -> cyclopts.App:
    """The whole program; each command's module is imported when it is called.

    listing: fill in the summaries, for a page that lists the commands.
    """
    app = cyclopts.App(
        name="solvent",
        help="Keeps machine-learning systems solvent.",
        version=solvent.__version__,
        help_epilogue="`-C DIR` before the command runs it in another folder. Docs: docs/ in the repository.",
        end_of_options_delimiter="--",
    )
    for name, module in _files().items():
        summary = _summary(module) if listing else None
        app.command(f"solvent.cli.commands.{module}:command", name=name, help=summary)
    return app


def _summary(module: str) -> str:
    """The first line of a command module's docstring, read without importing it."""
    source = Path(commands.__path__[0], f"{module}.py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def run(tokens: list[str]) -> int:
    """Run one command line and return the exit code."""
    as_json = "--json" in tokens
    try:
        tokens = _change_folder(tokens)
        result = _call(tokens)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else Exit.FINE
    except SolventError as error:
        return report(error, as_json=as_json)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FINE
    except Exception as error:
        if os.environ.get("SOLVENT_TRACEBACK"):
            raise
        return report(_disk_trouble(error) or _unexpected(error), as_json=as_json)


def _disk_trouble(error: Exception) -> UsageError | None:
    """What only the person at the machine can mend, as a sentence."""
    if not isinstance(error, OSError):
        return None
    place, what = str(error.filename or Path.cwd()), str(error.strerror)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return NoPermission(what, where=place, next="make it writable, or choose another folder with `-C DIR`")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(what, where=place, next="make room and repeat; what was acknowledged is kept")
    return None


def _unexpected(error: Exception) -> Unexpected:
    return Unexpected(f"{type(error).__name__}: {error}", next="SOLVENT_TRACEBACK=1 shows where; please report it")


def _change_folder(tokens: list[str]) -> list[str]:
    if tokens[:1] != ["-C"]:
        return tokens
    if len(tokens) < 2:
        raise BadCommand("-C needs a folder")
    try:
        os.chdir(tokens[1])
    except OSError as error:
        raise BadCommand(f"cannot work in {tokens[1]}", next=str(error.strerror)) from None
    return tokens[2:]


def _call(tokens: list[str]) -> object:
    try:
        listing = tokens in ([], ["--help"], ["-h"])
        return build(listing=listing)(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except cyclopts.CycloptsError as error:
        raise _usage(error, tokens) from None


def _usage(error: CycloptsError, tokens: list[str]) -> BadCommand:
    names = command_names()
    if tokens and not tokens[0].startswith("-") and tokens[0] not in names:
        return BadCommand(f"no command `{tokens[0]}`", next=nearest(tokens[0], names, "`solvent --help` lists them"))
    text = " ".join(str(error).split()).rstrip(".")
    command = " ".join(["solvent", *(t for t in tokens[:1] if not t.startswith("-"))])
    return BadCommand(text, next=f"`{command} --help` shows the options")


def report(error: SolventError, *, as_json: bool) -> int:
    """Print an error for a person on stderr, or as the one JSON document on stdout."""
    from solvent.cli.show import paint, write_json

    if as_json:
        write_json(error.as_json())
    else:
        print(f"{paint('error', 'bad', stream=sys.stderr)}[{error.code}]: {error}", file=sys.stderr)
    return error.exit_code
