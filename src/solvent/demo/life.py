"""Live the lives: week by week deliveries, scoring over HTTP, outcomes, one tick; and the accidents on the way.

The clock only moves forward: the bicycles' two years come first, then the
flights' one, in one project and one store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import msgspec
from threadpoolctl import threadpool_limits

from solvent.automation.hindsight import look_back
from solvent.automation.tick import Loop
from solvent.demo.accidents import Accident, Moment, accidents_of
from solvent.demo.endpoint import Endpoint, serving
from solvent.demo.folder import LIVES, write_project
from solvent.demo.people import train
from solvent.demo.story import Story
from solvent.demo.world import Bikes, Flights, World
from solvent.governance.report.gather import life_report, model_life
from solvent.governance.report.html import render_html
from solvent.integrations.notify import notifiers
from solvent.project import Project, current_actor

Progress = Callable[[str, int, int], None]  # model, weeks lived, weeks in all

BROKEN_WEEK = 45  # of the bicycles: 14 to 20 May 2012
ABOUT = (
    "A demonstration on real data. Faults were injected, and its story says so: a week of broken data with a "
    "candidate promoted by hand from it, and a bad version forced past the gate."
)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """lives: which models; weeks: of each, None for all of them; seed: of the flights' label delays and of all fits."""

    lives: tuple[str, ...] = LIVES
    weeks: int | None = None
    seed: int = 7
    broken: int = BROKEN_WEEK


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """What is left when the lives are over. problems: with the decision chain."""

    folder: Path
    report: Path
    decisions: int
    problems: list[str]


def live(folder: Path, options: Options, story: Story, progress: Progress) -> Ending:
    """Write the project and live its lives; everything told is in the store afterwards.

    Raises: NotOurs, NoFlights, EndpointFailed, ProgramFailed, and what a tick raises.
    """
    worlds = [load_world(life, options) for life in options.lives]
    write_project(folder, options.lives, seed=options.seed)
    with ExitStack() as stack:
        project = Project(folder)
        stack.callback(project.close)
        import_module("sklearn.ensemble")  # loads OpenMP, which can be limited only then
        stack.enter_context(threadpool_limits(1))  # for a week's rows, waking OpenMP's team costs more than the work
        loop = stack.enter_context(Loop(project, notifiers=notifiers(project.settings.notify, project.root)))
        for world in worlds:
            live_one(loop, world, story, progress)
        return end(project, story)


def load_world(life: str, options: Options) -> World:
    """The surroundings of one model. Raises: NoFlights."""
    if life == "bikes":
        return Bikes.load(min(options.weeks or 78, 78), broken=options.broken)
    return Flights.load(min(options.weeks or 43, 43), seed=options.seed)


def live_one(loop: Loop, world: World, story: Story, progress: Progress) -> None:
    """From the first version to the look back."""
    project = loop.project
    data = project.root / "data"
    world.found(data)
    train(project, current_actor().name, world.model, world.start, loop.pools.take(1)[0])
    story.open(world, project.settings.model(world.model).monitor.unit)
    accidents = accidents_of(world)
    log = project.state / "endpoint.log"
    with serving(project.root, f"{world.model}@champion", log) as endpoint:
        for week in range(world.weeks):
            progress(world.model, week, world.weeks)
            live_week(loop, world, week, endpoint, story, accidents)
    now = world.end(world.weeks - 1)
    look_back(project, world.model, now=now, pools=loop.pools, scorer=loop.scorer)
    story.close(model_life(project.store, project.settings.model(world.model), world.model))


def live_week(
    loop: Loop, world: World, week: int, endpoint: Endpoint, story: Story, accidents: Sequence[Accident]
) -> None:
    """Score the week's cases, hear what is known by its end, take deliveries, tick, and let accidents happen."""
    project, now, cases = loop.project, world.end(week), world.cases(week)
    flagged = endpoint.score(cases)
    endpoint.report(world.outcomes(week))
    world.deliver(project.root / "data", week)
    (ticked,) = loop.tick(now, [world.model]).models
    story.week(world, week, ticked, cases.height, flagged)
    champion, moment = ticked.champion, Moment(loop, world, week, ticked, story)
    for accident in accidents:
        champion = accident.after(moment) or champion
    if champion is not None:
        endpoint.wait_for(champion)


def end(project: Project, story: Story) -> Ending:
    """Write the report, check the chain, and say what is there now."""
    page = project.root / "report.html"
    report = life_report(project.store, project.settings, about=ABOUT)
    page.write_text(render_html(report), encoding="utf-8")
    ending = Ending(folder=project.root, report=page, decisions=report.chain.length, problems=report.chain.problems)
    story.end(ending.decisions, ending.problems)
    return ending
