"""Data under version control beside the real dvc: the same work, in the same run, taking turns.

    python benchmarks/bench_data.py [--files 100000] [--gigabytes 5] [--rounds 3] [--million] [--without-dvc]

Many files of 4 KiB in folders of 1,000, and one large file: add to an empty store, ask for the
status (twice: the second has nothing left to learn), delete the files and check them out again.
Each command is a process of its own; each figure is the least of the rounds, which other work on
the machine disturbs least, but memory the most of any process. For the large file, the limits beside
it, in the same rounds: `cp` with one sync of the copy, and hashing the file. `--million` adds 1,000,000
files, for Solvent alone, to see its memory: in folders of 1,000, then all in one folder.
`--files 0` and `--gigabytes 0` leave a part out: its last result stays.
dvc lives in an environment of its own, made once under the user's cache folder.
Prints figures, ratios and the machine; writes results/data.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blake3 import blake3

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "solvent-benchmarks" / "dvc"
SOLVENT = str(Path(sys.executable).parent / "solvent")
BARS = {"add": 5.0, "status": 12.0, "checkout": 5.0}  # dvc's seconds over ours, at least
LIMIT = 1.3  # our seconds for the large file over the disk's or the hash's own, at most
MEMORY = 1500.0  # MiB for a million files, at most
RESULTS = Path(__file__).parent / "results" / "data.json"
SMALL = 4096  # bytes
PIECE = 8 << 20  # bytes
A_FOLDER = 1000  # files
Figures = dict[str, dict[str, float]]


def dvc_program() -> str | None:
    """dvc of an environment made on first use; None where it cannot be made."""
    python, program = CACHE / "bin" / "python", CACHE / "bin" / "dvc"
    if program.exists():
        return str(program)
    uv = shutil.which("uv")
    make = [uv, "venv", "--clear", str(CACHE)] if uv else [sys.executable, "-m", "venv", "--clear", str(CACHE)]
    install = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install", "-q"]
    for command in (make, [*install, "dvc>=3,<4"]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            print(f"dvc cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
            return None
    return str(program)


def many_files(folder: Path, count: int, a_folder: int = A_FOLDER) -> None:
    for number in range(count):
        place = folder / f"{number // a_folder:04}" / f"{number:07}.bin"
        if number % a_folder == 0:
            place.parent.mkdir(parents=True)
        place.write_bytes(os.urandom(SMALL))


def one_file(place: Path, gigabytes: float) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        for _ in range(int(gigabytes * (1 << 30)) // PIECE):
            file.write(os.urandom(PIECE))


def run(command: list[str], folder: Path) -> dict[str, float]:
    """One command: wall and CPU seconds, and MiB of its largest process."""
    os.sync()
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, env={**os.environ, "DVC_NO_ANALYTICS": "1"}
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} exited {process.returncode}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / unit}


def begin(tool: str, program: str, folder: Path) -> None:
    """An empty project; our store exists already, as dvc's does."""
    if tool == "solvent":
        (folder / "solvent.toml").write_text("")
        run([program, "data", "list"], folder)
    else:
        run([program, "init", "-q", "--no-scm"], folder)


def turn(tool: str, program: str, folder: Path) -> Figures:
    """One tool's turn over `folder/data`, from an empty store."""
    if tool == "limit":
        return limits(folder)
    data = [program, "data"] if tool == "solvent" else [program]
    begin(tool, program, folder)
    found = {"add": run([*data, "add", "data"], folder)}
    found["first status"] = run([*data, "status"], folder)
    found["status"] = run([*data, "status"], folder)
    shutil.rmtree(folder / "data")
    found["checkout"] = run([*data, "checkout"], folder)
    return found


def limits(folder: Path) -> Figures:
    """What the disk needs to copy the one file with one sync, and the hash to digest it."""
    return {
        "copy": run(["sh", "-c", "cp data/one.bin copy && sync copy"], folder),
        "hash": run([sys.executable, __file__, "--hash", "data/one.bin"], folder),
    }


def digest(path: str) -> None:
    hasher, piece = blake3(max_threads=blake3.AUTO), memoryview(bytearray(1 << 20))
    with Path(path).open("rb", buffering=0) as file:
        while count := file.readinto(piece):
            hasher.update(piece[:count])


def measure(tools: dict[str, str], make: Callable[[Path], None], rounds: int, scratch: Path) -> dict[str, Figures]:
    """The best figures of each tool; they take turns, each in a project of its own with the same files."""
    found: dict[str, list[Figures]] = {tool: [] for tool in tools}
    for number in range(rounds):
        for tool, program in tools.items():
            print(f"  round {number + 1} of {rounds}: {tool}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
            folder = scratch / tool
            folder.mkdir()
            make(folder / "data")
            found[tool].append(turn(tool, program, folder))
            shutil.rmtree(folder)
    return {tool: {work: _best([t[work] for t in turns]) for work in turns[0]} for tool, turns in found.items()}


def _best(figures: list[dict[str, float]]) -> dict[str, float]:
    best = {name: min(f[name] for f in figures) for name in figures[0]}
    best["peak_mib"] = max(f["peak_mib"] for f in figures)
    return {name: round(value, 2) for name, value in best.items()}


def show(name: str, found: dict[str, Figures]) -> None:
    for tool, works in found.items():
        for work, f in works.items():
            line = f"{f['seconds']:>8.2f} s   {f['cpu_seconds']:>7.2f} s CPU   {f['peak_mib']:>6.0f} MiB"
            print(f"{name:<20} {tool:<8} {work:<13}{line}")


def against_dvc(found: dict[str, Figures], figure: str) -> dict[str, float]:
    """dvc's seconds over ours, by work."""
    ours, theirs = found["solvent"], found.get("dvc", {})
    return {work: round(theirs[work][figure] / ours[work][figure], 1) for work in theirs}


def many(tools: dict[str, str], given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    found = measure(tools, lambda place: many_files(place, given.files), given.rounds, scratch)
    show("many files", found)
    ratios = against_dvc(found, "seconds")
    for work, ratio in ratios.items():
        print(f"many files: {work} {ratio} times faster than dvc; wanted {BARS.get(work, 1):g}")
    met = {work: ratios[work] >= bar for work, bar in BARS.items() if ratios}
    cpu = against_dvc(found, "cpu_seconds")
    return {"files": given.files, **found, "dvc/solvent": ratios, "dvc/solvent, CPU": cpu, "met": met}


def large(tools: dict[str, str], given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    found = measure(
        {**tools, "limit": ""}, lambda place: one_file(place / "one.bin", given.gigabytes), given.rounds, scratch
    )
    show("large file", found)
    limit = max(figures["seconds"] for figures in found["limit"].values())
    over = {work: round(found["solvent"][work]["seconds"] / limit, 2) for work in ("add", "checkout")}
    for work, times in over.items():
        print(f"large file: {work} takes {times:.2f} times the slower limit, at most {LIMIT} wanted")
    met = {work: times <= LIMIT for work, times in over.items()}
    ratios = against_dvc(found, "seconds")
    return {"gigabytes": given.gigabytes, **found, "dvc/solvent": ratios, "solvent/limit": over, "met": met}


def million(a_folder: int, scratch: Path) -> dict[str, Any]:
    count = 1_000_000
    found = measure({"solvent": SOLVENT}, lambda place: many_files(place, count, a_folder), 1, scratch)["solvent"]
    show(f"million, {a_folder:,} each", {"solvent": found})
    met = {work: figures["peak_mib"] <= MEMORY for work, figures in found.items()}
    return {"files": count, "a folder": a_folder, "solvent": found, "met": met}


def machine(dvc: str | None) -> dict[str, str | int | None]:
    asked = subprocess.run([dvc, "--version"], capture_output=True, text=True, check=True).stdout.strip() if dvc else ""
    return {
        "cpus": os.cpu_count(),
        "load": f"{os.getloadavg()[0]:.1f}",
        "platform": platform.platform(),
        "python": platform.python_version(),
        "dvc": asked,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--without-dvc", action="store_true")
    parser.add_argument("--hash", help="digest a file, and no more")
    given = parser.parse_args()
    if given.hash:
        digest(given.hash)
        return
    dvc = None if given.without_dvc else dvc_program()
    tools = {"solvent": SOLVENT, **({"dvc": dvc} if dvc else {})}
    result = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    CACHE.parent.mkdir(parents=True, exist_ok=True)

    def part(name: str, measured: Callable[[Path], dict[str, Any]]) -> None:
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as scratch:
            result[name] = {"machine": machine(dvc), "rounds": given.rounds, **measured(Path(scratch))}
        RESULTS.write_text(json.dumps(result, indent=2) + "\n")

    if given.files:
        part("many files", lambda scratch: many(tools, given, scratch))
    if given.gigabytes:
        part("large file", lambda scratch: large(tools, given, scratch))
    if given.million:
        part("million files", lambda scratch: million(A_FOLDER, scratch))
        part("million files in one folder", lambda scratch: million(1_000_000, scratch))
    print(json.dumps(machine(dvc)))


if __name__ == "__main__":
    main()
