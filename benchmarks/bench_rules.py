"""What each rule of the policy costs in the demo's lives, against the best schedule in hindsight.

    python benchmarks/bench_rules.py FOLDER [LIFE ...]     (default: all; one to five minutes a life and rule)

Lives: `bikes` and `flights` as `solvent demo` lives them; `bikes, no accidents`, where nothing was injected;
`bikes, shuffled`, where rows have changed places in time, so that nothing ages; `electricity`, the table `elec2` of
FOLDER (that of `bench_foresight.py`) in weeks from its quarter on, and `electricity, every feature`, the same with
`policy.leave_out = false`. Prints what it finds and puts it into `benchmarks/results/rules.json`, beside what stands
there of other lives.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import get_args, get_type_hints

import polars as pl
from electricity import Electricity, write_electricity
from msgspec.structs import asdict
from threadpoolctl import threadpool_limits

from solvent.automation.hindsight import look_back
from solvent.automation.tick import Loop
from solvent.demo.accidents import accidents_of
from solvent.demo.endpoint import serving
from solvent.demo.folder import write_project
from solvent.demo.life import BROKEN_WEEK, live_week
from solvent.demo.people import train
from solvent.demo.story import Story
from solvent.demo.world import Bikes, Flights, World
from solvent.foundation.settings import PolicySettings
from solvent.lineage.entities import Action
from solvent.project import Project, current_actor

RESULT = Path(__file__).parent / "results" / "rules.json"
RULES = get_args(get_type_hints(PolicySettings)["rule"])
SHUFFLE = 5  # seed of the places
LIVES = {
    "bikes": lambda _: Bikes.load(broken=BROKEN_WEEK),
    "flights": lambda _: Flights.load(),
    "bikes, no accidents": lambda _: Bikes.load(),
    "bikes, shuffled": lambda _: shuffled(Bikes.load()),
    "electricity": Electricity.load,
    "electricity, every feature": Electricity.load,
}
INJECTED = ("bikes", "flights")


def main() -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    found = json.loads(RESULT.read_text())["lives"] if RESULT.exists() else {}
    table = Path(sys.argv[1]) / "elec2.parquet"
    for name in sys.argv[2:] or LIVES:
        for rule in RULES:
            found.setdefault(name, {})[rule] = lived(name, rule, table)
            RESULT.write_text(json.dumps({"machine": machine, "lives": found}, indent=1) + "\n")


def shuffled(world: Bikes) -> Bikes:
    """The same rows, features and target together, at other times."""
    places = ("ride_hour", "time", "known_at")
    content = world.rows.drop(places).sample(fraction=1.0, shuffle=True, seed=SHUFFLE)
    rows = pl.concat([world.rows.select(places), content], how="horizontal").select(world.rows.columns)
    return Bikes(**{**{name: getattr(world, name) for name in world.__dataclass_fields__}, "rows": rows})


def lived(name: str, rule: str, table: Path) -> dict[str, object]:
    """One life under one rule: seconds, decisions counted, features left out, and costs. table: electricity's."""
    world = LIVES[name](table)
    os.environ["SOLVENT_POLICY_RULE"] = rule
    os.environ["SOLVENT_POLICY_LEAVE_OUT"] = str("every feature" not in name).lower()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(world, Electricity):
            write_electricity(Path(folder))
        else:
            write_project(Path(folder), (name.partition(",")[0],))
        project = Project(Path(folder))
        import_module("sklearn.ensemble")  # loads OpenMP, which can be limited only then
        with threadpool_limits(1), Loop(project) as loop:
            live(loop, world, injected=name in INJECTED)
            seconds = time.perf_counter() - began
            costs = look_back(
                project, world.model, now=world.end(world.weeks - 1), pools=loop.pools, scorer=loop.scorer
            )
        made = [one.decision for one in project.store.facts.decisions(world.model)]
        project.close()
    assert costs is not None
    best = costs.cost("hindsight").cost
    told = {
        "seconds": round(seconds),
        "weeks": world.weeks,
        "decisions": {str(action): sum(one.action is action for one in made) for action in Action},
        "wanders": next((one.evidence["wanders"] for one in made if "wanders" in one.evidence), None),
        "without": sum(one.action is Action.RETRAIN and " without " in one.evidence["span"] for one in made),
        "costs": {one.policy: {**asdict(one), "to_best": round(one.cost / best, 4)} for one in costs.costs},
        "unit": costs.unit,
    }
    ours = costs.cost("solvent")
    print(f"{name}, {rule}: {ours.cost:,.0f} {costs.unit}, {ours.cost / best:.3f} x best, {ours.note}", flush=True)
    print(f"    never {costs.cost('never').cost / best:.3f} x best, {told['decisions']}, {seconds:.0f} s", flush=True)
    return told


def live(loop: Loop, world: World, *, injected: bool) -> None:
    """From the first version to the last week."""
    project, story = loop.project, Story(lambda _: None)
    world.found(project.root / "data")
    train(project, current_actor().name, world.model, world.start, loop.pools.take(1)[0])
    accidents = accidents_of(world) if injected else []
    with serving(project.root, f"{world.model}@champion", project.state / "endpoint.log") as endpoint:
        for week in range(world.weeks):
            live_week(loop, world, week, endpoint, story, accidents)


if __name__ == "__main__":
    main()
