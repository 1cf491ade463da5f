"""Data under version control beside the real dvc: the same work, in the same run, taking turns.

    python benchmarks/bench_data.py [--files 100000] [--gigabytes 5] [--rounds 3] [--million] [--without-dvc]

Many files of 4 KiB in folders of 1,000, and one large file: add to an empty store, ask for the
status (twice: the second has nothing left to learn), delete the files and check them out again.
Each command is a process of its own; wall seconds are the median of the rounds, peak memory is the
largest of any process. For the large file, the limits beside it: writing so many bytes with one
sync, and hashing them. `--million` adds 1,000,000 files, for Solvent alone, to see its memory.
dvc lives in an environment of its own, made once under the user's cache folder.
Prints figures, ratios and the machine; writes results/data.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from blake3 import blake3

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "solvent-benchmarks" / "dvc"
SOLVENT = str(Path(sys.executable).parent / "solvent")
BARS = {"add": 5.0, "status": 12.0, "checkout": 5.0}  # dvc's seconds over ours, at least
LIMIT = 1.3  # our seconds over the disk's or the hash's own, at most
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


def many_files(folder: Path, count: int) -> None:
    for number in range(count):
        place = folder / f"{number // A_FOLDER:04}" / f"{number:07}.bin"
        if number % A_FOLDER == 0:
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
    data = [program, "data"] if tool == "solvent" else [program]
    begin(tool, program, folder)
    found = {"add": run([*data, "add", "data"], folder)}
    found["first status"] = run([*data, "status"], folder)
    found["status"] = run([*data, "status"], folder)
    shutil.rmtree(folder / "data")
    found["checkout"] = run([*data, "checkout"], folder)
    return found


def measure(tools: dict[str, str], make: Callable[[Path], None], rounds: int, scratch: Path) -> dict[str, Figures]:
    """Median figures of each tool; they take turns, each in a project of its own with the same files."""
    found: dict[str, list[Figures]] = {tool: [] for tool in tools}
    for number in range(rounds):
        for tool, program in tools.items():
            print(f"  round {number + 1} of {rounds}: {tool}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
            folder = scratch / tool
            folder.mkdir()
            make(folder / "data")
            found[tool].append(turn(tool, program, folder))
            shutil.rmtree(folder)
    return {tool: {work: _median([t[work] for t in turns]) for work in turns[0]} for tool, turns in found.items()}


def _median(figures: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(f[name] for f in figures), 2) for name in figures[0]}


def limits(gigabytes: float, scratch: Path) -> dict[str, float]:
    """Seconds that the disk needs to take so many bytes with one sync, and the hash to digest them."""
    size, piece = int(gigabytes * (1 << 30)), os.urandom(PIECE)
    os.sync()
    started = time.perf_counter()
    with (scratch / "limit").open("wb", buffering=0) as file:
        for _ in range(size // PIECE):
            file.write(piece)
        os.fsync(file.fileno())
    written = time.perf_counter() - started
    started, hasher = time.perf_counter(), blake3(max_threads=blake3.AUTO)
    with (scratch / "limit").open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            hasher.update(piece)
    hashed = time.perf_counter() - started
    (scratch / "limit").unlink()
    return {"write_seconds": round(written, 2), "read_and_hash_seconds": round(hashed, 2)}


def report(name: str, found: dict[str, Figures]) -> dict[str, float]:
    """Print figures and ratios. Returns: the ratios."""
    for tool, works in found.items():
        for work, f in works.items():
            line = f"{f['seconds']:>8.2f} s   {f['cpu_seconds']:>7.2f} s CPU   {f['peak_mib']:>6.0f} MiB"
            print(f"{name:<14} {tool:<8} {work:<13}{line}")
    if "dvc" not in found:
        return {}
    ours, theirs = found["solvent"], found["dvc"]
    ratios = {work: round(theirs[work]["seconds"] / ours[work]["seconds"], 1) for work in ours}
    for work, ratio in ratios.items():
        bar = f", at least {BARS[work]:g} wanted" if work in BARS and name == "many files" else ""
        print(f"{name:<14} {work}: {ratio} times faster than dvc{bar}")
    return ratios


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
    given = parser.parse_args()
    dvc = None if given.without_dvc else dvc_program()
    tools = {"solvent": SOLVENT, **({"dvc": dvc} if dvc else {})}
    with tempfile.TemporaryDirectory(dir=Path.home() / ".cache") as temporary:
        scratch = Path(temporary)
        small = measure(tools, lambda place: many_files(place, given.files), given.rounds, scratch)
        large = (
            measure(tools, lambda place: one_file(place / "one.bin", given.gigabytes), 1, scratch)
            if given.gigabytes
            else {}
        )
        bounds = limits(given.gigabytes, scratch) if given.gigabytes else {}
        only = {"solvent": SOLVENT}
        million = measure(only, lambda place: many_files(place, 1_000_000), 1, scratch) if given.million else {}
    result = {"machine": machine(dvc), "files": given.files, "gigabytes": given.gigabytes, "rounds": given.rounds}
    result |= {"many files": small, "many files, dvc/solvent": report("many files", small)}
    result |= {"large file": large, "large file, dvc/solvent": report("large file", large), "limits": bounds}
    result |= {"million files": million}
    report("million files", million)
    ratios = result["many files, dvc/solvent"]
    if ratios:
        result["met"] = {work: ratios[work] >= bar for work, bar in BARS.items()}
    if large:
        over = large["solvent"]["add"]["seconds"] / max(bounds.values())
        result["add of the large file over the slower limit"] = round(over, 2)
        print(f"large file     add takes {over:.2f} times the slower limit, at most {LIMIT} wanted: {bounds}")
    print(json.dumps(result["machine"]))
    target = Path(__file__).parent / "results" / "data.json"
    target.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
