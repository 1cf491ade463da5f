"""The endpoint as everybody has it: `solvent serve` in a process of its own, reached over HTTP."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import msgspec
import polars as pl

from solvent.demo.people import program
from solvent.foundation.errors import Unexpected

READY = re.compile(r"answers at (http://\S+)")
START_SECONDS = 60.0
SWAP_SECONDS = 30.0
STOP_SECONDS = 40.0
ROWS = 2_000  # cases sent in one request
LABELS = 20_000  # outcomes sent in one request: each asks the log which of them it knows


class EndpointFailed(Unexpected):
    code = "endpoint-failed"


class Endpoint:
    """A client of one endpoint, with one connection that is kept. Raises: EndpointFailed for any answer but 200."""

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self.url = url
        self.process = process
        address = urlsplit(url)
        self._connection = HTTPConnection(str(address.hostname), address.port, timeout=60)

    def score(self, cases: pl.DataFrame) -> int:
        """Send all rows, in batches; the answers are of no interest here. Returns: how many rows were flagged."""
        flagged = 0
        for batch in cases.iter_slices(ROWS):
            answer = self._ask("POST", "/invocations", {"inputs": batch.to_dict(as_series=False)})
            flagged += len(answer["flags"])
        return flagged

    def report(self, outcomes: pl.DataFrame) -> None:
        """Tell labels that became known: prediction_id, label, known_at."""
        for batch in outcomes.iter_slices(LABELS):
            self._ask("POST", "/outcomes", {"outcomes": batch.to_dicts()})

    def champion(self) -> int:
        """Number of the version that answers now."""
        return int(self._ask("GET", "/version")["number"])

    def wait_for(self, number: int) -> None:
        """Until this version answers. Raises: EndpointFailed after half a minute."""
        deadline = time.monotonic() + SWAP_SECONDS
        while (answering := self.champion()) != number:
            if time.monotonic() > deadline:
                raise EndpointFailed(f"the endpoint still answers with v{answering}, not v{number}", where=self.url)
            time.sleep(0.02)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, verb: str, path: str, body: Any = None) -> Any:
        payload = None if body is None else msgspec.json.encode(body)
        try:
            self._connection.request(verb, path, payload, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as error:
            state = self.process.poll()
            raise EndpointFailed(
                f"{verb} {path} was not answered: {error}"
                + (f"; it ended with code {state}" if state is not None else ""),
                where=self.url,
            ) from error
        if response.status != 200:
            raise EndpointFailed(
                f"{verb} {path}: {response.status} {text[:300].decode(errors='replace')}", where=self.url
            )
        return msgspec.json.decode(text)


@contextmanager
def serving(project: Path, reference: str, log: Path) -> Iterator[Endpoint]:
    """Start `solvent serve REFERENCE --replay` on a free port, and stop it at the end.

    log: file that gets what the endpoint says. Raises: EndpointFailed where it does not come up.
    """
    command = [*program(), "-C", str(project), "serve", reference, "--port", "0", "--replay"]
    with (
        log.open("a", encoding="utf-8") as notes,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process,
    ):
        listener = _Listener(process, notes)
        listener.start()
        try:
            endpoint = Endpoint(listener.url(), process)
            yield endpoint
            endpoint.close()
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            listener.join()


class _Listener(threading.Thread):
    """Copies what the endpoint says into its log until it ends, and picks out where it answers."""

    def __init__(self, process: subprocess.Popen[str], notes: TextIO) -> None:
        super().__init__(name="solvent-demo-endpoint", daemon=True)
        self._process = process
        self._notes = notes
        self._found: str | None = None
        self._known = threading.Event()

    def run(self) -> None:
        for line in self._process.stderr or ():
            self._notes.write(line)
            self._notes.flush()
            if found := READY.search(line):
                self._found = found[1]
                self._known.set()
        self._known.set()

    def url(self) -> str:
        """Wait for the ready line. Raises: EndpointFailed where there is none."""
        self._known.wait(START_SECONDS)
        if self._found is None:
            raise EndpointFailed("the endpoint did not start", where=self._notes.name, next="that file says why")
        return self._found
