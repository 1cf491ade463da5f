"""Runs that failed, and the steps that could not run because of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from solvent.debt.makers import Makers
from solvent.lineage.entities import Run, RunStatus

FAILURES = frozenset({RunStatus.FAILED, RunStatus.LOST})
OWN_TAGS = frozenset({"attempt", "code", "environment", "targets"})  # of a run itself; others are its pipeline's
Kind = frozenset[str]


class Cascade(msgspec.Struct, frozen=True):
    """Failures of one step. held_up: how often each step below did not run because of them."""

    step: str
    failures: int
    held_up: dict[str, int]


def cascades(runs: Sequence[Run], makers: Makers) -> list[Cascade]:
    """The worst first. A step counts as held up where it took from the failed one, directly or through others, in a
    run of the same kind, was among what the pipeline's run was to reach, and did not finish in it.
    """
    graphs = _below(runs, makers)
    goals = {run.start.key: run.start.tags.get("targets", "").split() for run in runs}
    by_parent: dict[str, list[Run]] = {}
    for run in runs:
        if run.start.parent is not None:
            by_parent.setdefault(run.start.parent, []).append(run)
    failures: Counter[str] = Counter()
    held: dict[str, Counter[str]] = {}
    for parent, mine in by_parent.items():
        done = {run.start.step for run in mine if run.status is RunStatus.DONE}
        broken = {run.start.step for run in mine if run.status in FAILURES} - done
        if not broken:
            continue
        below = graphs.get(_kind(mine[0]), {})
        wanted = _wanted(goals.get(parent, []), below)
        for step in sorted(broken):
            failures[step] += 1
            waiting = _all_below(step, below) - done - broken
            held.setdefault(step, Counter()).update(one for one in waiting if wanted is None or one in wanted)
    found = [Cascade(step, count, dict(sorted(held[step].items()))) for step, count in failures.items()]
    return sorted(found, key=lambda one: (-sum(one.held_up.values()), -one.failures, one.step))


def _kind(run: Run) -> Kind:
    """What sort of pipeline's run it was part of: a tick's run has steps that a person's has not."""
    return frozenset(run.start.tags) - OWN_TAGS


def _below(runs: Iterable[Run], makers: Makers) -> dict[Kind, dict[str, set[str]]]:
    """Steps that took from each step, by the kind of run."""
    graphs: dict[Kind, dict[str, set[str]]] = {}
    for run in runs:
        below = graphs.setdefault(_kind(run), {})
        for maker in makers.of(run):
            if maker.start.step != run.start.step:
                below.setdefault(maker.start.step, set()).add(run.start.step)
    return graphs


def _all_below(step: str, below: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    frontier = [step]
    while frontier:
        new = below.get(frontier.pop(), set()) - found
        found |= new
        frontier += new
    return found - {step}


def _wanted(goals: Iterable[str], below: Mapping[str, set[str]]) -> set[str] | None:
    """Steps that a run of some targets reaches; None: all. A target may be named without its module."""
    above: dict[str, set[str]] = {}
    for maker, takers in below.items():
        for taker in takers:
            above.setdefault(taker, set()).add(maker)
    steps = {*below, *above}
    named = {step for step in steps for goal in goals if step == goal or step.endswith(f".{goal}")}
    return named.union(*(_all_below(step, above) for step in named)) if named else None
