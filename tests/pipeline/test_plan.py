"""Judging steps, with lookups from a dictionary."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from solvent.foundation.clock import EPOCH
from solvent.lineage.digests import Digest, digest_value
from solvent.lineage.entities import Artifact, ArtifactType, Run, RunEnd, RunStart, RunStatus
from solvent.pipeline.environment import environment_digest, interpreter
from solvent.pipeline.errors import BadSource
from solvent.pipeline.options import EVERYTHING, RunOptions
from solvent.pipeline.plan import PlannedStep, plan
from solvent.pipeline.spec import CacheRules, InputSpec, OutputSpec, PipelineSpec, Ref, SourceSpec, StepSpec

PACKAGES = ("numpy==2.1.0", "polars==1.36.0")


def artifact(value: Any, format: str = "json") -> Artifact:
    digest = digest_value(value)
    return Artifact(digest=digest, content=digest, type=ArtifactType.ANY, format=format, size=1)


def step(name: str, *inputs: str, **parameters: Any) -> StepSpec:
    wired = tuple(InputSpec(parameter=i, producer=Ref(node=f"pipeline.{i}")) for i in inputs)
    return StepSpec(
        name=f"pipeline.{name}", module="pipeline", qualname=name, file="pipeline.py", line=1, inputs=wired,
        parameters=parameters, positional_only=(), outputs=(OutputSpec(name="result"),), several=False, env=(),
        code=digest_value("code"), distributions=PACKAGES, root=f"step pipeline.py::{name}",
    )  # fmt: skip


RIDES = SourceSpec(
    name="pipeline.rides", location="data/rides.csv", time="time", known_at=None, id=None, contract="",
    file="pipeline.py", line=1,
)  # fmt: skip
SPEC = PipelineSpec(
    steps=(step("clean", "rides"), step("fit", "clean", rate=0.1)), sources=(RIDES,), models=(), files={}, absent=(),
    modules=("pipeline",), environment=environment_digest(PACKAGES), distributions=PACKAGES,
)  # fmt: skip


def document(spec: PipelineSpec, **texts: str) -> dict[str, Any]:
    """A code document in which every step is one function that uses `helper.py::scale` and `limits.json`."""
    texts = {"scale": "def scale(x):\n    return x * CAP", "CAP": "CAP = 3", **texts}
    symbols = {
        "helper.py::scale": {"text": texts["scale"], "kind": "function", "uses": ["helper.py::CAP"]},
        "helper.py::CAP": {"text": texts["CAP"], "kind": "constant", "uses": []},
        "limits.json": {"uses": []},
    }
    for each in spec.steps:
        text = texts.get(each.qualname, f"def {each.qualname}(): ...")
        symbols[each.root] = {"text": text, "kind": "function", "uses": ["helper.py::scale", "limits.json"]}
    for facts in symbols.values():
        facts |= {"digest": digest_value(facts.get("text", texts.get("limits"))), "line": 1}
    steps = {each.name: {"root": each.root, "distributions": list(each.distributions)} for each in spec.steps}
    return {"symbols": symbols, "steps": steps}


class Memory:
    """Lookups that remember what `finish` says was run."""

    def __init__(self, format: str = "json") -> None:
        self.format = format
        self.runs: list[Run] = []
        self.documents: dict[str, Any] = {}
        self.gone: set[Digest] = set()
        self.files: Digest | None = digest_value("rides")
        self.variables: dict[str, str] = {}
        self.now: dict[str, Any] | None = None

    def cached(self, recipes):
        return {r.start.recipe.digest: r for r in self.runs if r.start.recipe.digest in recipes}

    def last(self, name):
        found = [r for r in self.runs if r.start.step == name]
        return (found[-1] if found else None), bool(found)

    def missing(self, artifact):
        return "is missing from the store" if artifact.digest in self.gone else ""

    def source(self, source):
        if self.files is None:
            raise BadSource("`data/rides.csv` matches no file")
        return self.files

    def document(self, digest):
        return self.documents.get(digest)

    def code(self):
        return self.now

    def finish(self, spec: PipelineSpec, planned: PlannedStep, value: Any) -> None:
        node = spec.nodes[planned.name]
        tags = {"environment": spec.environment}
        self.documents[spec.environment] = {"distributions": list(spec.distributions), "interpreter": interpreter()}
        if isinstance(node, StepSpec):
            self.documents[spec.environment + node.code] = document(spec)
            tags["code"] = spec.environment + node.code
        start = RunStart(
            key=f"run{len(self.runs)}", step=planned.name, started_at=EPOCH, recipe=planned.recipe, tags=tags
        )
        end = RunEnd(
            key=start.key, status=RunStatus.DONE, ended_at=EPOCH, outputs={"result": artifact(value, self.format)}
        )
        self.runs.append(Run(start=start, end=end))

    def finish_all(self, spec: PipelineSpec, options: RunOptions = EVERYTHING, **values: Any) -> None:
        """Run what is stale until nothing is; a step's value is its name unless given."""
        while not (plans := plan(spec, options, self)).fresh:
            stale = next(s for s in plans.steps if s.state == "stale")
            self.finish(spec, stale, values.get(stale.label, stale.name))


@pytest.fixture
def done() -> Memory:
    memory = Memory()
    memory.finish_all(SPEC)
    return memory


def reasons(spec, memory, **options) -> dict[str, str]:
    return {s.label: s.reason for s in plan(spec, RunOptions(**options), memory).steps if s.state != "fresh"}


def with_step(number: int, **changes: Any) -> PipelineSpec:
    steps = list(SPEC.steps)
    steps[number] = msgspec.structs.replace(steps[number], **changes)
    return msgspec.structs.replace(SPEC, steps=tuple(steps))


def test_what_never_ran_is_stale_and_what_hangs_on_it_unknown():
    assert reasons(SPEC, Memory()) == {"rides": "never run", "clean": "waits for rides", "fit": "waits for clean"}


def test_after_a_run_all_is_fresh(done):
    assert plan(SPEC, RunOptions(), done).fresh


def test_a_parameter_is_named_with_both_values(done):
    assert reasons(with_step(1, parameters={"rate": 0.2}), done) == {"fit": "parameter rate 0.1 → 0.2"}


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({"CAP": "CAP = 4"}, "`helper.py::scale` changed (constant `CAP` 3 → 4), reached through `fit`"),
        (
            {"scale": "def scale(x):\n    return x / CAP"},
            "`helper.py::scale` changed (`return x * CAP` → `return x / CAP`), reached through `fit`",
        ),
        ({"fit": "def fit():\n    a = 1\n    b = 2\n    return a"}, "`pipeline.py::fit` changed (3 lines)"),
        ({"limits": "new"}, "`limits.json` changed, reached through `fit`"),
    ],
)
def test_changed_code_is_named_to_the_line(done, texts, reason):
    changed = with_step(1, code=digest_value("new"))
    done.now = document(changed, **texts)
    assert reasons(changed, done) == {"fit": reason}


def test_an_uncertain_step_counts_by_whole_modules_or_by_rule(done):
    clock = {"whole": digest_value("modules"), "notes": ("pipeline.py:3: reads the clock (`time.time`)",)}
    spec = with_step(1, **clock)
    assert reasons(spec, done) == {"fit": "its modules changed, and they count whole, for " + clock["notes"][0]}
    trust = msgspec.structs.replace(spec, cache=CacheRules(uncertain="trust"))
    assert plan(trust, RunOptions(), done).fresh
    always = msgspec.structs.replace(spec, cache=CacheRules(uncertain="always"))
    assert reasons(always, done) == {"fit": "uncertain: " + clock["notes"][0]}


def test_a_distribution_that_a_step_does_not_import_does_not_count(done):
    newer = ("numpy==2.1.0", "polars==1.36.0", "torch==3.0")
    spec = msgspec.structs.replace(SPEC, distributions=newer, environment=environment_digest(newer))
    assert plan(spec, RunOptions(), done).fresh
    everything = msgspec.structs.replace(spec, cache=CacheRules(environment="all"))
    assert reasons(everything, done)["rides"] == "torch 3.0 is new to it"


def test_a_pickled_input_brings_the_classes_that_it_refers_to():
    spec = with_step(0, portable=(digest_value("class"),))
    memory = Memory()
    memory.finish_all(spec)
    changed = with_step(0, portable=(digest_value("class, changed"),))
    assert plan(changed, RunOptions(), memory).fresh, "what `clean` gives is JSON"
    memory = Memory("cloudpickle")
    memory.finish_all(spec)
    assert reasons(changed, memory) == {"fit": "a class that an input holds changed"}


def test_an_upgrade_is_named_with_both_versions(done):
    newer = ("numpy==2.1.0", "polars==1.37.0", "torch==3.0")
    steps = tuple(msgspec.structs.replace(s, distributions=newer[:2]) for s in SPEC.steps)
    spec = msgspec.structs.replace(SPEC, steps=steps, distributions=newer, environment=environment_digest(newer))
    assert reasons(spec, done)["rides"] == "polars 1.36.0 → 1.37.0"
    done.finish(spec, plan(spec, RunOptions(), done).step("rides"), "pipeline.rides")
    assert reasons(spec, done)["clean"] == "polars 1.36.0 → 1.37.0"


def test_a_changed_source_reruns_what_its_content_changes(done):
    done.files = digest_value("more rides")
    assert reasons(SPEC, done) == {
        "rides": "data/rides.csv changed",
        "clean": "waits for rides",
        "fit": "waits for clean",
    }
    source = plan(SPEC, RunOptions(), done).step("rides")
    done.finish(SPEC, source, "pipeline.rides")  # the same table after all
    assert plan(SPEC, RunOptions(), done).fresh
    done.files = digest_value("other rides")
    done.finish(SPEC, plan(SPEC, RunOptions(), done).step("rides"), "another table")
    assert reasons(SPEC, done) == {"clean": "input rides changed", "fit": "waits for clean"}


def test_as_of_is_part_of_a_sources_recipe(done):
    later = datetime(2012, 1, 8, tzinfo=UTC)
    assert reasons(SPEC, done, as_of=later)["rides"] == "parameter as_of none → 2012-01-08T00:00:00Z"
    timeless = msgspec.structs.replace(SPEC, sources=(msgspec.structs.replace(RIDES, time=None),))
    done.finish_all(timeless)
    assert plan(timeless, RunOptions(as_of=later), done).fresh


def test_missing_files_are_the_reason(done):
    done.files = None
    planned = plan(SPEC, RunOptions(), done).step("rides")
    assert (planned.state, planned.reason, type(planned.error)) == (
        "stale",
        "`data/rides.csv` matches no file",
        BadSource,
    )


def test_a_hit_whose_bytes_are_gone_is_no_hit(done):
    done.gone.add(artifact("pipeline.clean").digest)
    assert reasons(SPEC, done) == {"clean": "its output is missing from the store", "fit": "waits for clean"}


def test_force_makes_everything_stale(done):
    assert reasons(SPEC, done, force=True)["rides"] == "forced"


def test_the_name_of_a_step_is_no_part_of_its_recipe(done):
    renamed = msgspec.structs.replace(SPEC.steps[0], name="pipeline.tidy")
    fit = msgspec.structs.replace(
        SPEC.steps[1], inputs=(InputSpec(parameter="clean", producer=Ref(node="pipeline.tidy")),)
    )
    assert plan(msgspec.structs.replace(SPEC, steps=(renamed, fit)), RunOptions(), done).fresh


def test_only_what_the_targets_need_is_judged(done):
    assert [s.label for s in plan(SPEC, RunOptions(targets=("clean",)), done).steps] == ["rides", "clean"]
