"""Many files extracted: what is known from the cache, few in this process, many in processes beside it.

A file that takes longer than CAP seconds, or that takes its process down, is skipped and said to be.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from types import FrameType, TracebackType
from typing import Final, Self

import msgspec

from solvent.debt.facts.document import Unreadable
from solvent.debt.facts.extract import Extract, extract
from solvent.debt.reading.cache import Cache, fingerprint_of, key_of
from solvent.debt.rules.base import Rule, all_rules

CAP: Final = 5.0  # seconds of computing for a file: a busy machine gives up no other files than an idle one
ALONE: Final = 600_000  # bytes that one process reads sooner than others start
_BATCH: Final = 400_000  # bytes handed to a process at once
SLAB: Final = 64_000_000  # bytes that are held at once
_SECONDS_A_DAY: Final = 86_400

Progress = Callable[[int, int], None]  # files done, files in all


class _Overdue(BaseException):
    """The file's time is up; no rule may catch it."""


def extracts(
    paths: Sequence[str],
    read: Callable[[str], bytes],
    rules: Sequence[Rule],
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> dict[str, Extract]:
    """Every file's extract, by path, in the order of the paths.

    paths: behind a NUL byte each may carry a mark, which tells several contents of one path apart. read: raises
    Unreadable.
    """
    found: dict[str, Extract] = {}
    about = fingerprint_of(rules)
    decode = msgspec.msgpack.Decoder(Extract).decode
    with _Makers(rules) as makers:
        for slab in _slabs(paths, read, found):
            keys = {path: key_of(name_of(path), content, about) for path, content in slab.items()}
            known = cache.get(list(keys.values())) if cache is not None else {}
            found.update({path: decode(known[key]) for path, key in keys.items() if key in known})
            made: dict[bytes, bytes] = {}
            for path, value in makers.make({path: slab[path] for path, key in keys.items() if key not in known}):
                found[path] = decode(value)
                if not found[path].overdue:
                    made[keys[path]] = value
                if progress is not None:
                    progress(len(found), len(paths))
            if cache is not None:
                cache.put(made, known, int(time.time() / _SECONDS_A_DAY))
    return {path: found[path] for path in paths}


def name_of(path: str) -> str:
    """The path without its mark."""
    return path.partition("\0")[0]


def _slabs(paths: Sequence[str], read: Callable[[str], bytes], found: dict[str, Extract]) -> Iterator[dict[str, bytes]]:
    """Contents in portions that fit into memory; what cannot be read is found to be so."""
    slab: dict[str, bytes] = {}
    size = 0
    for path in paths:
        try:
            slab[path] = read(path)
        except Unreadable as error:
            found[path] = Extract(skipped=str(error), notebook=name_of(path).endswith(".ipynb"))
            continue
        size += len(slab[path])
        if size >= SLAB:
            yield slab
            slab, size = {}, 0
    yield slab


class _Makers:
    """This process for a little, processes beside it for much, started when they are needed first."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules, self._codes = rules, [rule.code for rule in rules]
        self._pool: ProcessPoolExecutor | None = None

    def make(self, contents: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """Path and encoded extract of each, in any order."""
        cores = os.cpu_count() or 1
        if cores == 1 or sum(_work(path, content) for path, content in contents.items()) <= ALONE:
            yield from _encoded(contents.items(), self._rules)
            return
        left = dict(sorted(contents.items(), key=lambda item: -_work(*item)))
        try:
            jobs = [self._started(cores).submit(_batch, batch, self._codes) for batch in _batches(left)]
            for job in as_completed(jobs):
                for path, value in job.result():
                    del left[path]
                    yield path, value
        except BrokenProcessPool:
            yield from self._one_by_one(left)

    def _one_by_one(self, left: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """After one file took its process down: each alone, so that only that one is lost. Where no process can be
        started at all, this one does it.
        """
        self._pool = None
        try:
            self._started(1).submit(_batch, [], self._codes).result()
        except BrokenProcessPool:
            self._pool = None
            yield from _encoded(left.items(), self._rules)
            return
        for path, content in left.items():
            try:
                yield from self._started(1).submit(_batch, [(path, content)], self._codes).result()
            except BrokenProcessPool:
                self._pool = None
                yield path, msgspec.msgpack.encode(Extract(skipped="took the analysis down", overdue=True))

    def _started(self, processes: int) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(processes, get_context("spawn"))
        return self._pool

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _work(path: str, content: bytes) -> int:
    """Bytes that cost something: most of a notebook is pictures, which are passed over."""
    return len(content) // 16 if path.endswith(".ipynb") else len(content)


def _batches(contents: dict[str, bytes]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    size = 0
    for path, content in contents.items():
        batch.append((path, content))
        size += _work(path, content)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _batch(batch: list[tuple[str, bytes]], codes: Sequence[str]) -> list[tuple[str, bytes]]:
    """What a process beside this one does."""
    wanted = set(codes)
    return list(_encoded(batch, [rule for rule in all_rules() if rule.code in wanted]))


def _encoded(files: Iterable[tuple[str, bytes]], rules: Sequence[Rule]) -> Iterator[tuple[str, bytes]]:
    encode = msgspec.msgpack.Encoder().encode
    for path, content in files:
        try:
            with _capped(CAP):
                made = extract(name_of(path), content, rules)
        except _Overdue:
            made = Extract(skipped=f"took over {CAP:.0f} s", notebook=name_of(path).endswith(".ipynb"), overdue=True)
        yield path, encode(made)


@contextmanager
def _capped(seconds: float) -> Iterator[None]:
    """Raises _Overdue in the block when it has computed so long; without effect beside the main thread."""

    def stop(_: int, __: FrameType | None) -> None:
        raise _Overdue

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
