"""Many transfers at once, each tried again where that may help."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from solvent.store.remotes.errors import Interrupted, Unreachable

T = TypeVar("T")
R = TypeVar("R")
WIDTH = 16  # transfers at once: they wait for the network, not for a core
TRIES = 5
FIRST_PAUSE = 0.2  # seconds, doubled with each try and spread by half
LONGEST_PAUSE = 5.0


def again(what: Callable[[], R], url: str) -> R:
    """Do it, again where it was interrupted. Raises: Unreachable after the last try."""
    for attempt in range(TRIES):
        try:
            return what()
        except Interrupted as error:
            if attempt == TRIES - 1:
                raise Unreachable(url, str(error)) from error
        pause = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  no secret
    raise AssertionError("a try returns or raises")


def each(function: Callable[[T], R], items: Iterable[T], *, width: int = WIDTH) -> Iterator[R]:
    """`map` over threads, in order, that never runs further ahead than `2 * width` items.

    The first error is raised once what had begun has ended; nothing more is begun.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(width, thread_name_prefix="transfer") as pool:
        running: deque[Future[R]] = deque(pool.submit(function, item) for item in islice(waiting, 2 * width))
        try:
            while running:
                yield running.popleft().result()
                running.extend(pool.submit(function, item) for item in islice(waiting, 1))
        finally:
            for left in running:
                left.cancel()
