"""A repository for timing: modules of a package, a sixth of them training scripts, and notebooks with pictures."""

from __future__ import annotations

import json
import random
from pathlib import Path

from benchmarks.debt.seeded import CLEAN, PLANTS, as_cells, program


def generate(folder: Path, lines: int, notebooks: int) -> dict[str, int]:
    """Modules of a package, a sixth of them training scripts, and notebooks with outputs; returns what was made."""
    r = random.Random(17)
    written = files = 0
    while written < lines:
        text = training(r) if r.random() < 0.17 else library(r, 180)
        place = folder / "package" / f"part_{files % 40}" / f"module_{files}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        written += text.count("\n")
        files += 1
    (folder / "notebooks").mkdir()
    for number in range(notebooks):
        (folder / "notebooks" / f"study_{number}.ipynb").write_bytes(notebook(r))
    (folder / "requirements.txt").write_text("numpy==2.1.0\npandas>=2.2\nscikit-learn\n")
    return {"python_files": files, "python_lines": written, "notebooks": notebooks}


def training(r: random.Random) -> str:
    """A script that trains, several studies one after the other, as functions of their own names."""
    parts = []
    for number in range(6):
        writer = r.choice([*PLANTS.values(), *CLEAN])
        text = program("", writer, r).text
        heads = [line for line in text.split("\n") if line.startswith(("import ", "from "))]
        body = [line for line in text.split("\n") if line and line not in heads]
        parts += [*heads, f"def study_{number}():", *(f"    {line}" for line in body), ""]
    return "\n".join(parts) + "\n"


def library(r: random.Random, lines: int) -> str:
    """Ordinary code: imports, classes, branches, loops, calls, docstrings."""
    out = ["import os", "import json", "import numpy as np", "import pandas as pd", ""]
    number = 0
    while len(out) < lines:
        name = f"step_{r.randrange(10**6)}"
        out += [
            f"class Box{number}:",
            f'    """Holds {name} and gives it back."""',
            "",
            f"    def __init__(self, path, limit={r.randrange(100)}):",
            "        self.path = path",
            "        self.limit = limit",
            "        self.rows = []",
            "",
            f"    def {name}(self, table, column='c{r.randrange(50)}'):",
            "        found = {}",
            "        for key, group in table.groupby(column):",
            f"            if len(group) > self.limit and key not in found and group.size % {r.randrange(2, 9)}:",
            "                found[key] = [each for each in group.values.tolist() if each is not None]",
            "            else:",
            f"                self.rows.append((key, group.mean(), {r.random():.4f}))",
            "        with open(os.path.join(self.path, column), 'w') as file:",
            "            json.dump(found, file)",
            f"        return np.asarray(self.rows)[:{r.randrange(1, 90)}]",
            "",
        ]
        number += 1
    return "\n".join(out) + "\n"


def notebook(r: random.Random) -> bytes:
    made = json.loads(as_cells(program("", r.choice([*PLANTS.values(), *CLEAN]), r).text))
    picture = "".join(r.choices("abcdefgh0123456789+/", k=60_000))
    for number, cell in enumerate(made["cells"], start=1):
        cell["execution_count"] = number
        cell["outputs"] = [{"output_type": "display_data", "data": {"image/png": picture}, "metadata": {}}]
    made["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": ["# A study\n"]})
    return json.dumps(made, indent=1).encode()
