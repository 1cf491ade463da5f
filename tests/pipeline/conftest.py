"""A project in a temporary folder, with its store and warm workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from solvent.foundation.settings import Settings, load_settings
from solvent.lineage.entities import Actor
from solvent.pipeline import PipelineRun, Plan, RunOptions, WorkerPool, load_spec, plan_pipeline, run_pipeline
from solvent.pipeline.spec import PipelineSpec
from solvent.store import Store, open_store


class Workshop:
    """A small project under test. events: what the runs told while they went."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings()
        self.events: list[Any] = []
        state = root / ".solvent"
        actor = Actor(kind="person", name="tester")
        self.store: Store = open_store(f"sqlite:///{state / 'solvent.db'}", root=state, actor=actor)
        self.pool = WorkerPool(root, workers=2)

    def write(self, name: str, text: str) -> Path:
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text).lstrip())
        return place

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert old in text
        (self.root / name).write_text(text.replace(old, new))

    @property
    def spec(self) -> PipelineSpec:
        self.settings = load_settings(self.root, {})
        return load_spec(self.root, self.settings)

    def run(self, **options: Any) -> PipelineRun:
        return run_pipeline(
            self.root, self.spec, self.store, RunOptions(**options), progress=self.events.append, pool=self.pool
        )

    def plan(self, **options: Any) -> Plan:
        return plan_pipeline(self.root, self.spec, self.store, RunOptions(**options))

    def states(self, **options: Any) -> dict[str, str]:
        """Run, and say how each step fared."""
        return {step.label: step.state for step in self.run(**options).steps}

    def reasons(self, **options: Any) -> dict[str, str]:
        return {step.label: step.reason for step in self.plan(**options).steps}

    def value(self, run: PipelineRun, name: str) -> Any:
        """What an output holds, as a worker would read it."""
        from solvent.pipeline.serialisers.base import Stored, for_format

        output = run.output(name)
        stored = Stored(output.digest, output.about, self.store.objects, self.root)
        return for_format(output.format).load(stored, "")

    def log(self, run: PipelineRun, name: str) -> str:
        digest = run.step(name).log
        return self.store.objects.read(digest).decode() if digest else ""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Workshop]:
    workshop = Workshop(tmp_path)
    yield workshop
    workshop.pool.close()
    workshop.store.close()


CHAIN = """
    from solvent import step

    @step
    def one(*, start: int = 1) -> int:
        return start

    @step
    def two(one: int) -> int:
        return one * 2

    @step
    def three(two: int, one: int) -> list[int]:
        return [two, one]
"""


@pytest.fixture
def chain(project: Workshop) -> Workshop:
    """Three steps without any library: one → two → three."""
    project.write("pipeline.py", CHAIN)
    return project
