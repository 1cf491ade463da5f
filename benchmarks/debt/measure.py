"""How many planted debts are found, how many clean lines are accused, and whether spelling changes either."""

from __future__ import annotations

import ast
import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.debt.seeded import PLANTS, Program, as_cells

from solvent.debt.facts.document import read_document
from solvent.debt.facts.file import FileFacts
from solvent.debt.rules.base import Rule, all_rules

Place = tuple[str, int]  # rule and line


@dataclass
class Tally:
    """planted, found, false: by rule; wrong: programs with their surplus and missing places."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[Program, set[Place]]] = field(default_factory=list)

    def table(self) -> list[dict[str, object]]:
        return [
            {
                "rule": rule,
                "planted": self.planted[rule],
                "recall": round(self.found[rule] / self.planted[rule], 3) if self.planted[rule] else None,
                "precision": round(self.found[rule] / max(1, self.found[rule] + self.false[rule]), 3),
            }
            for rule in PLANTS
        ]


def judged_rules() -> list[Rule]:
    return [rule for rule in all_rules() if rule.code in PLANTS]


def findings(text: str, *, notebook: bool = False) -> set[Place]:
    path, content = ("study.ipynb", as_cells(text)) if notebook else ("study.py", text.encode())
    file = FileFacts(read_document(path, content))
    return {(rule.code, found.line) for rule in judged_rules() for found in rule.check(file)}


def tally(programs: Iterable[Program]) -> Tally:
    """Other debts that a program has by accident do not exist: each is written to have its plant alone."""
    counted = Tally()
    for program in programs:
        expected = {(program.rule, program.line)} if program.rule else set()
        found = findings(program.text, notebook=program.notebook)
        counted.planted.update(rule for rule, _ in expected)
        counted.found.update(rule for rule, _ in expected & found)
        counted.false.update(rule for rule, _ in found - expected)
        if found != expected:
            counted.wrong.append((program, found))
    return counted


def variants(program: Program, r: random.Random) -> dict[str, tuple[str, bool, dict[int, int]]]:
    """The same program otherwise written: text, whether as a notebook, and where its lines went."""
    text = program.text
    same = {line: line for line in range(1, text.count("\n") + 2)}
    shuffled, moved = reordered(text, r)
    return {
        "reformatted": (reformatted(text), program.notebook, same),
        "renamed": (renamed(text), program.notebook, same),
        "imports in another order": (shuffled, program.notebook, moved),
        "as a notebook": (text, not program.notebook, same),
    }


def reformatted(text: str) -> str:
    """Quotes, spaces and brackets as `ast.unparse` writes them, where a statement stays on its line."""
    lines = []
    for line in text.split("\n"):
        bare = line.strip()
        try:
            tree = ast.parse(bare)
        except SyntaxError:
            lines.append(line.replace(", ", " ,  "))
            continue
        lines.append(line[: len(line) - len(bare)] + ast.unparse(tree) if bare else line)
    return "\n".join(lines)


def renamed(text: str) -> str:
    """Every name that the program binds gets another one; what is imported and keywords keep theirs."""
    tree = ast.parse(text)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} - {"self"}
    bound |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    new = {name: f"q{number}" for number, name in enumerate(sorted(bound))}
    pattern = re.compile(r"(?<![\w.\"'])(" + "|".join(map(re.escape, new)) + r")(?![\w\"'])(?!=[^=\s])")
    return pattern.sub(lambda match: new[match[1]], text)


def reordered(text: str, r: random.Random) -> tuple[str, dict[int, int]]:
    """The imports, which do not depend on each other, in another order."""
    lines = text.split("\n")
    count = next(number for number, line in enumerate(lines) if not line.startswith(("import ", "from ")))
    order = list(range(count))
    r.shuffle(order)
    moved = {old + 1: new + 1 for new, old in enumerate(order)}
    moved |= {line: line for line in range(count + 1, len(lines) + 1)}
    return "\n".join([*(lines[at] for at in order), *lines[count:]]), moved
