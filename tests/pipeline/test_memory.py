"""Steps at once as far as their memory fits together."""

from __future__ import annotations

from solvent.pipeline.memory import MemoryBudget, available_bytes

MEET = """
    import time
    from pathlib import Path
    from solvent import step

    def alone(name: str) -> int:
        here = Path(f"{{name}}.here")
        here.touch()
        time.sleep(0.3)
        others = len(list(Path(".").glob("*.here")))
        here.unlink()
        return others

    @step(memory="{memory}")
    def left() -> int:
        return alone("left")

    @step(memory="{memory}")
    def right() -> int:
        return alone("right")
"""


def met(project, memory):
    project.write("solvent.toml", '[pipeline]\nmemory = "1GB"\n')
    project.write("pipeline.py", MEET.format(memory=memory))
    run = project.run()
    return {project.value(run, name) for name in ("left", "right")}


def test_steps_that_need_more_together_than_there_is_run_one_after_the_other(project):
    assert met(project, "600MB") == {1}


def test_steps_that_fit_together_run_at_once(project):
    assert 2 in met(project, "400MB")


def test_a_step_that_needs_more_than_there_is_runs_alone(project):
    assert met(project, "5GB") == {1}


def test_the_peak_of_a_finished_run_is_that_steps_own_and_stands_for_its_need(project):
    project.write(
        "pipeline.py",
        """
        from solvent import step

        @step
        def large() -> int:
            return len(bytearray(300_000_000))

        @step
        def small(large: int) -> int:
            return large
        """,
    )
    run = project.run(workers=1)
    peaks = {s.label: project.store.facts.run(s.run).end.resources["max_rss_bytes"] for s in run.steps}
    assert peaks["large"] > 300e6
    if available_bytes() is not None:  # elsewhere a process's peak is that of all its life
        assert peaks["small"] < 300e6


def test_a_budget_counts_what_runs_and_is_no_limit_where_nothing_is_known():
    budget = MemoryBudget(100)
    assert budget.admits(500)
    budget.take("a", 60)
    assert budget.admits(40) and not budget.admits(41)
    budget.give("a")
    assert budget.admits(41)
    free = MemoryBudget(None)
    free.take("a", 10**15)
    assert free.admits(10**15)
