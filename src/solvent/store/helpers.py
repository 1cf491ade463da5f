"""Processes that handle many small files: one interpreter cannot hash and write on several cores at once.

Each helper is a child of this process, fed batches through its standard input, and
ends with it. The first batches are handled here, so that little work starts none.

    with Helpers() as helpers:
        for answers in helpers.map("take", batches): …  # in the order of the batches
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Any

import msgspec

from solvent.foundation.errors import SolventError, Unexpected
from solvent.store import bulk

MANY = 4  # batches that are handled in this process before helpers are started
AHEAD = 3  # batches per helper that are under way before the first answer is taken
_LENGTH = 4
_WORK = {"take": bulk.take, "digest": bulk.digest_file, "give": bulk.give}


class HelperLost(Unexpected):
    code = "helper-lost"


class Helpers:
    """A pool of helpers. Close it, or use it as a context manager."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or min(os.cpu_count() or 1, 8)
        self._threads = ThreadPoolExecutor(self.count)
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._started: list[subprocess.Popen[bytes]] = []

    def map(self, work: str, batches: Iterable[list[tuple[Any, ...]]]) -> Iterator[list[Any]]:
        """What `bulk.<work>` answers for each item of each batch, batch by batch in their order.

        Raises: what the first item that failed raised.
        """
        waiting: deque[Future[list[Any]]] = deque()
        for number, batch in enumerate(batches):
            if number < MANY or self.count == 1:
                while waiting:
                    yield waiting.popleft().result()
                yield _handle(work, batch)
                continue
            waiting.append(self._threads.submit(self._ask, work, batch))
            if len(waiting) >= self.count * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _ask(self, work: str, batch: list[tuple[Any, ...]]) -> list[Any]:
        try:
            process = self._idle.get_nowait()
        except queue.Empty:
            command = [sys.executable, "-c", "from solvent.store.helpers import main; main()"]
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(), start_new_session=True
            )
            self._started.append(process)
        assert process.stdin is not None and process.stdout is not None  # noqa: S101  both are pipes
        try:
            _send(process.stdin, (work, batch))
            answer = _receive(process.stdout)
        except OSError as error:
            raise HelperLost(f"a helper process ended: {error}", next="repeat; nothing was half done") from error
        if answer is None:
            raise HelperLost(f"a helper process ended ({process.wait()})", next="repeat; nothing was half done")
        self._idle.put(process)
        answers, failure = answer
        if failure is not None:
            raise _failure(*failure)
        return list(answers)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        for process in self._started:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101
            with suppress(BrokenPipeError):  # it died over its last batch
                process.stdin.close()
            process.stdout.close()
            process.wait()

    def __enter__(self) -> Helpers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _environment() -> dict[str, str]:
    """The helper imports what we imported, from the same places."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def _handle(work: str, batch: list[tuple[Any, ...]]) -> list[Any]:
    handle: Any = _WORK[work]
    return [handle(*item) for item in batch]


def _failure(kind: str, code: int, path: str | None, text: str) -> Exception:
    if kind == "os":
        return OSError(code, text, path)
    if kind == "restless":
        return bulk.Restless(path or "")
    if kind == "wrong":
        return bulk.Wrong(text)
    return HelperLost(text)


def _described(error: Exception) -> tuple[str, int, str | None, str]:
    if isinstance(error, OSError):
        return "os", error.errno or 0, str(error.filename) if error.filename else None, error.strerror or str(error)
    if isinstance(error, bulk.Restless):
        return "restless", 0, error.where, ""
    if isinstance(error, bulk.Wrong):
        return "wrong", 0, None, str(error)
    what = error.what if isinstance(error, SolventError) else repr(error)
    return "other", 0, None, what


def _send(pipe: IO[bytes], message: Any) -> None:
    data = msgspec.msgpack.encode(message)
    pipe.write(len(data).to_bytes(_LENGTH, "little") + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    """The next message; None at the end."""
    head = pipe.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    size = int.from_bytes(head, "little")
    data = pipe.read(size)
    return msgspec.msgpack.decode(data) if len(data) == size else None


def main() -> None:
    """A helper's life: batches in, answers out, until the other end closes."""
    while (message := _receive(sys.stdin.buffer)) is not None:
        work, batch = message
        try:
            _send(sys.stdout.buffer, (_handle(work, batch), None))
        except Exception as error:  # noqa: BLE001  whatever it is, the parent raises it
            _send(sys.stdout.buffer, (None, _described(error)))
