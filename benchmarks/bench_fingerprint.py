"""What it costs to know that nothing changed, in a project of 500 modules, and when one of them did.

`python benchmarks/bench_fingerprint.py` prints the figures and writes `results/fingerprint.json`.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from solvent.foundation.settings import Settings
from solvent.pipeline import load_spec
from solvent.pipeline.fingerprint.code import CodeMap

MODULES = 500
STEPS = 20
REPEATS = 5
SETTLE_SECONDS = 2.5  # a file that was written this recently is read again, since its time may not have moved on

BODY = '''"""Module {n}."""

import math
from dataclasses import dataclass

{imports}

CAP_{n} = {n}
NAMES_{n} = ("a", "b", "c")


@dataclass
class Options_{n}:
    """What is asked for."""

    rate: float = 0.5
    name: str = "x"

    def scaled(self, x: float) -> float:
        return x * self.rate + CAP_{n}


def clean_{n}(values: list[float], *, floor: float = 0.0) -> list[float]:
    """Values above a floor."""
    kept = []
    for value in values:
        if value > floor and not math.isnan(value):
            kept.append(min(value, CAP_{n}))
    return kept


def total_{n}(values: list[float]) -> float:
    # the sum, scaled
    options = Options_{n}()
    return sum(options.scaled(v) for v in clean_{n}(values)) + {calls}
'''


def write_project(root: Path) -> None:
    """Modules in ten packages, each using up to three others, and a pipeline that reaches all of them."""
    for n in range(MODULES):
        used = [u for u in (2 * n + 1, 2 * n + 2) if u < MODULES]
        imports = "\n".join(f"from package_{u % 10}.module_{u} import total_{u}" for u in used)
        calls = " + ".join([f"total_{u}(values)" for u in used]) or "0.0"
        place = root / f"package_{n % 10}" / f"module_{n}.py"
        place.parent.mkdir(exist_ok=True)
        (place.parent / "__init__.py").touch()
        place.write_text(BODY.format(n=n, imports=imports, calls=calls))
    lines = ["from solvent import step", "from package_0.module_0 import total_0", ""]
    for s in range(STEPS):
        lines += ["@step", f"def s{s}() -> float:", f"    return total_0([1.0, {s}.0])", ""]
    (root / "pipeline.py").write_text("\n".join(lines))


def fingerprint(root: Path, state: Path | None) -> CodeMap:
    """All steps' fingerprints, in this process and without importing the project."""
    code = CodeMap(root, [str(root)], (), state)
    pipeline = str(root / "pipeline.py")
    code.prepare([("pipeline", pipeline)])
    for s in range(STEPS):
        code.step("pipeline", pipeline, f"s{s}")
    code.modules.save()
    return code


def median_of(action: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Median seconds of an action; `before` is not counted."""
    seconds = []
    for _ in range(REPEATS):
        before()
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def measure(root: Path) -> dict[str, float]:
    """All figures, in milliseconds."""
    write_project(root)
    time.sleep(SETTLE_SECONDS)
    state = root / ".solvent"
    cold = median_of(lambda: fingerprint(root, None))
    fingerprint(root, state)
    kept = median_of(lambda: fingerprint(root, state))
    turns = iter(range(1000))
    changed = root / "package_7" / "module_7.py"
    text = changed.read_text()
    one = median_of(
        lambda: fingerprint(root, state),
        lambda: changed.write_text(text.replace("CAP_7 = 7", f"CAP_7 = {next(turns)}")),
    )
    time.sleep(SETTLE_SECONDS)
    load_spec(root, Settings())
    time.sleep(SETTLE_SECONDS)
    load_spec(root, Settings())
    warm = median_of(lambda: load_spec(root, Settings()))
    figures = {
        f"fingerprints of {MODULES} modules, nothing kept": cold,
        f"fingerprints of {MODULES} modules, symbols kept from before": kept,
        f"fingerprints of {MODULES} modules, one of them changed": one,
        f"nothing changed in {MODULES} modules: the plan is still good": warm,
    }
    return {name: round(1000 * seconds, 1) for name, seconds in figures.items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder).resolve())
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    for name, milliseconds in figures.items():
        print(f"{milliseconds:10.1f} ms  {name}")
    print(f"on {machine}")
    target = Path(__file__).parent / "results" / "fingerprint.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"machine": machine, "milliseconds": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
