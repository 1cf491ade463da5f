"""How fast the prediction log appends, seals and scans, beside what the disk and Parquet do with the same bytes.

    python benchmarks/bench_log.py [--rows 1000000] [--folder FOLDER]

A row has 15 numeric features. Prints rates, ratios and the machine; writes results/log.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from solvent.lineage.entities import Actor
from solvent.store import Store, open_store
from solvent.store.log import AsyncLog, Durability, PredictionLog
from solvent.store.log.columns import decode, encode

BAR_ROWS_A_SECOND = 50_000
BATCH = 1000
FEATURES = 15
SINGLES = 20_000
SYNCED_SINGLES = 500
MODEL = "bench"
START = datetime(2012, 1, 1, tzinfo=UTC)

Batch = dict[str, list[Any]]


def batch(number: int, rows: int = BATCH) -> Batch:
    """Rows one second apart, with figures that no compression shortens much."""
    first = number * rows
    times = [START + timedelta(seconds=first + row) for row in range(rows)]
    return {
        "prediction_id": [f"{first + row:012d}" for row in range(rows)],
        "request_id": [f"request-{number}"] * rows,
        "event_time": times,
        "answered_at": times,
        "version": [3] * rows,
        "output": [random.random() for _ in range(rows)],
        "flags": [None] * rows,
        **{f"f_x{place}": [random.random() for _ in range(rows)] for place in range(FEATURES)},
    }


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def log_of(store: Store, name: str, durability: Durability) -> PredictionLog:
    return PredictionLog(store.root / name, store.facts, store.objects, durability=durability)


def append_rates(store: Store, batches: Sequence[Batch]) -> dict[str, float]:
    """Rows a second by way of appending."""
    rates: dict[str, float] = {}
    durabilities: list[tuple[Durability, int]] = [("process", SINGLES), ("full", SYNCED_SINGLES)]
    for durability, singles in durabilities:
        rows = [batch(number, rows=1) for number in range(singles)]
        with log_of(store, f"batches-{durability}", durability) as log:
            taken = seconds(lambda log=log: [log.append_predictions(MODEL, some) for some in batches])
            rates[f"batches of {BATCH}, {durability}"] = len(batches) * BATCH / taken
        with log_of(store, f"singles-{durability}", durability) as log:
            taken = seconds(lambda log=log, rows=rows: [log.append_predictions(MODEL, some) for some in rows])
            rates[f"single rows, {durability}"] = singles / taken
        with log_of(store, f"coroutines-{durability}", durability) as log:
            taken = seconds(lambda log=log, rows=rows: asyncio.run(gathered(AsyncLog(log), rows)))
            rates[f"single rows of 64 coroutines, {durability}"] = singles / taken
    return rates


async def gathered(log: AsyncLog, rows: Sequence[Batch]) -> None:
    """Log rows one by one from 64 coroutines, as a busy endpoint does."""
    waiting = iter(rows)

    async def client() -> None:
        for row in waiting:
            await log.append_predictions(MODEL, row)

    await asyncio.gather(*(client() for _ in range(64)))


def bare_write(folder: Path, payloads: Sequence[bytes]) -> float:
    """Seconds to write the same payloads to a file, one write each."""
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        return seconds(lambda: [os.write(descriptor, payload) for payload in payloads])
    finally:
        os.close(descriptor)


def direct_parquet(folder: Path, payloads: Sequence[bytes]) -> tuple[float, int]:
    """Seconds to write the same rows as Parquet files of one batch each, and their bytes."""
    total = 0

    def work() -> None:
        nonlocal total
        for number, payload in enumerate(payloads):
            buffer = BytesIO()
            pl.DataFrame(decode(payload), strict=False).write_parquet(buffer, compression="zstd")
            total += (folder / f"{number}.parquet").write_bytes(buffer.getvalue())

    return seconds(work), total


def measure(folder: Path, rows: int) -> dict[str, Any]:
    batches = [batch(number) for number in range(rows // BATCH)]
    payloads = [encode("predictions", some)[1] for some in batches]
    root = folder / ".solvent"
    with open_store(f"sqlite:///{root}/solvent.db", root=root, actor=Actor(kind="person", name="bench")) as store:
        store.facts.add_model(MODEL, {})
        append = append_rates(store, batches)
        log = log_of(store, "batches-process", "process")
        tail = seconds(lambda: log.scan_predictions(MODEL).collect())
        report = log.seal(MODEL, "predictions", now=START)
        sealing = seconds(lambda: log_of(store, "batches-full", "process").seal(MODEL, "predictions", now=START))
        log = log_of(store, "batches-none", "process")
        double = log.scan_predictions(MODEL).select(pl.len()).collect().item()  # both sealed copies
        assert (report.rows, double) == (rows, 2 * rows)
        everything = seconds(lambda: log.scan_predictions(MODEL).collect())
        mean = seconds(lambda: log.scan_predictions(MODEL).select(pl.col("output").mean()).collect())
        week = timedelta(seconds=rows // 50)
        part = seconds(lambda: log.scan_predictions(MODEL, START + week, START + 2 * week).collect())
        sealed = sum(store.objects.size(segment.digest) or 0 for segment in report.segments)
    written, (parquet, parquet_bytes) = bare_write(folder, payloads), direct_parquet(folder, payloads)
    best = append[f"batches of {BATCH}, process"]
    return {
        "rows": rows,
        "features": FEATURES,
        "append rows/s": append,
        "seal s": sealing,
        "seal rows/s": rows / sealing,
        "scan rows/s": {
            "sealed, every column": 2 * rows / everything,
            "sealed, one column": 2 * rows / mean,
            "not sealed yet": rows / tail,
        },
        "a fiftieth of the range s": part,
        "bytes a row": {
            "frames": sum(map(len, payloads)) / rows,
            "segments": sealed / rows,
            "Parquet by batch": parquet_bytes / rows,
        },
        "append, times a bare write of the same bytes": rows / best / written,
        "append, times Parquet by batch": rows / best / parquet,
        "bar": {"append rows/s": BAR_ROWS_A_SECOND, "held": best >= BAR_ROWS_A_SECOND},
    }


def machine() -> dict[str, Any]:
    return {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}


def show(name: str, value: Any, indent: str = "") -> None:
    if isinstance(value, dict):
        print(f"{indent}{name}")
        for inner, item in value.items():
            show(inner, item, indent + "  ")
    elif isinstance(value, float):
        print(f"{indent}{name}: {value:,.0f}" if value >= 1000 else f"{indent}{name}: {value:.3g}")
    else:
        print(f"{indent}{name}: {value}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder beside this script)")
    options = parser.parse_args()
    random.seed(7)
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory(dir=options.folder or here) as folder:
        results = {"machine": machine(), **measure(Path(folder), options.rows)}
    for name, value in results.items():
        show(name, value)
    (here / "results").mkdir(exist_ok=True)
    (here / "results" / "log.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
