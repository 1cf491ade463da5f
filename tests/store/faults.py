"""Fail, or die at, the n-th disk operation, for n = 1, 2, … until a run completes; and watch the order of operations.

    for attempt in disk_full():
        store = a_fresh_store()
        with attempt:
            acknowledged.append(store.put_bytes(b"…"))
        …  # whatever was acknowledged is there, nothing else is half there, the store works

`disk_full` makes one operation fail with ENOSPC (a write leaves half its bytes); `deaths` lets
the process die there: that operation and all later ones change nothing. Both act on
`solvent.store.disk`, through which every room's files go.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from solvent.foundation.errors import SolventError
from solvent.store import disk

OPERATIONS = (
    *("create", "write", "copy", "clone", "sync", "sync_data", "cut", "replace", "link", "unlink"),
    *("make_folder", "sync_folder", "sync_file_system"),
)
SOAK = int(os.environ.get("SOLVENT_SOAK", "1"))  # how many times the usual number of random kills


class Killed(BaseException):
    """The process is gone: nothing but the test may catch this."""


@dataclass(frozen=True)
class Operation:
    """One call: its name, the file or folder that it is about (of a replace: the target)."""

    name: str
    path: Path


@dataclass
class _Descriptors:
    """Which file a descriptor belongs to, as far as `disk.create` made it."""

    paths: dict[int, Path] = field(default_factory=dict)

    def operation(self, name: str, arguments: tuple[Any, ...]) -> Operation:
        target = arguments[1] if name in ("replace", "link", "clone", "copy") else arguments[0]
        return Operation(name, self.paths.get(target, Path("?")) if isinstance(target, int) else Path(target))


@contextmanager
def _around_each(before: Callable[[Operation, tuple[Any, ...]], None]) -> Iterator[None]:
    """Call `before` ahead of each disk operation, but not of those that an operation is made of."""
    originals = {name: getattr(disk, name) for name in OPERATIONS}
    inside, known = threading.local(), _Descriptors()

    def wrap(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if getattr(inside, "yes", False):
                return original(*arguments, **options)
            before(known.operation(name, arguments), arguments)
            inside.yes = True
            try:
                answer = original(*arguments, **options)
            finally:
                inside.yes = False
            if name == "create":
                known.paths[answer] = Path(arguments[0])
            return answer

        return call

    for name, original in originals.items():
        setattr(disk, name, wrap(name, original))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(disk, name, original)


@contextmanager
def recorded() -> Iterator[list[Operation]]:
    """The disk operations of the block, in order."""
    operations: list[Operation] = []
    with _around_each(lambda operation, _: operations.append(operation)):
        yield operations


class Attempt:
    """One run in which the n-th disk operation goes wrong; use it as a context manager around the run.

    struck: the run came as far as n. error: what the run raised because of it.
    """

    def __init__(self, n: int, *, dies: bool) -> None:
        self.n = n
        self.dies = dies
        self.count = 0
        self.struck: Operation | None = None
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._patches = _around_each(self._before)

    def __enter__(self) -> Self:
        self._patches.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._patches.__exit__(None, None, None)
        self.error = error
        return self.struck is not None and isinstance(error, (OSError, SolventError, Killed))

    def __repr__(self) -> str:
        return f"attempt {self.n}: {'died at' if self.dies else 'no space for'} {self.struck}, raised {self.error!r}"

    def _before(self, operation: Operation, arguments: tuple[Any, ...]) -> None:
        with self._lock:
            self.count += 1
            first = self.count == self.n
            if first:
                self.struck = operation
        if first and operation.name == "write":
            descriptor, data = arguments
            os.write(descriptor, bytes(data)[: len(data) // 2])
        if self.dies and self.struck:
            raise Killed(operation)
        if first:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(operation.path))


def disk_full(limit: int = 500) -> Iterator[Attempt]:
    """Runs in which the n-th operation finds no space, until one completes."""
    return _attempts(limit, dies=False)


def deaths(limit: int = 500) -> Iterator[Attempt]:
    """Runs that are killed at the n-th operation, until one completes."""
    return _attempts(limit, dies=True)


def _attempts(limit: int, *, dies: bool) -> Iterator[Attempt]:
    for n in range(1, limit):
        attempt = Attempt(n, dies=dies)
        yield attempt
        if attempt.struck is None:
            assert attempt.count == n - 1, "the run must happen inside `with attempt`"
            return
    raise AssertionError(f"no run completed within {limit} operations")
