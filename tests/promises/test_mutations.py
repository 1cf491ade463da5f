"""The cache's promise: nothing is reused wrongly, nothing runs again over an edit that changes no result.

`make mutate` draws many more projects and prints what came of them.
"""

from __future__ import annotations

import pytest

from mutated_projects import draw
from mutations import mutate, plain_results, write

SEEDS = range(3)
MOST = 14


@pytest.mark.parametrize("seed", SEEDS)
def test_no_false_hit_and_no_needless_rerun(seed, tmp_path):
    tally = mutate(seed, tmp_path, most=MOST)
    assert sum(tally.mutations.values()) >= MOST - 1  # not every project has a step to rename or a file to move
    assert (tally.false_hits, tally.needless) == ([], [])


def test_a_changed_atom_changes_what_its_steps_compute(tmp_path, monkeypatch):
    """The generator's own promise, on which the other test rests."""
    project = draw(3)
    write(tmp_path, project.render(project.values))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site-packages'}", prepend=":")
    before = plain_results(tmp_path, project, project.values)
    for atom in [a for a, kind in project.kinds.items() if kind != "source"][:6]:
        values = {**project.values, atom: project.others[atom][0]}
        write(tmp_path, project.render(values), project.render(project.values))
        after = plain_results(tmp_path, project, values)
        for step in project.steps:
            assert (after[step.name] != before[step.name]) or atom not in step.atoms, (
                f"{project.kinds[atom]} {step.name}"
            )
        write(tmp_path, project.render(project.values), project.render(values))
