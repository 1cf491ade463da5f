"""A fast draw of the seeded benchmark: planted debts are found, clean programs are left alone, spelling is nothing."""

import os
import random

import pytest
from benchmarks.debt.measure import findings, tally, variants
from benchmarks.debt.prove import leaks, real
from benchmarks.debt.seeded import PLANTS, Program, drawn

RATE = 6 * int(os.environ.get("SOLVENT_SOAK", "1"))
PROGRAMS = list(drawn(seed=2, per_rule=RATE))


def test_plants_are_found_and_clean_programs_left_alone() -> None:
    counted = tally(PROGRAMS)
    told = "\n\n".join(
        f"{program.rule} {program.line}: {found}\n{program.text}" for program, found in counted.wrong[:3]
    )
    assert not counted.wrong, told


@pytest.mark.parametrize("name", ["reformatted", "renamed", "imports in another order", "as a notebook"])
def test_spelling_changes_no_finding(name: str) -> None:
    r = random.Random(4)
    for program in PROGRAMS[:: 2 if RATE < 12 else 1]:
        text, notebook, moved = variants(program, r)[name]
        expected = {(rule, moved[line]) for rule, line in findings(program.text, notebook=program.notebook)}
        assert findings(text, notebook=notebook) == expected, text


@pytest.mark.parametrize("rule", sorted(set(PLANTS) - {"DAT106", "DAT108"}))
def test_plants_are_real(rule: str) -> None:
    for program in [each for each in PROGRAMS if each.rule == rule][:2]:
        assert real(program), program.text


def test_clean_programs_do_not_leak() -> None:
    clean: list[Program] = [each for each in PROGRAMS if not each.rule][:6]
    assert not [program.text for program in clean if leaks(program)]
