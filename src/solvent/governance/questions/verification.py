"""Is it all still there? Every blob's bytes, the decision chain, the log's segments, and what facts speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

import msgspec

from solvent.foundation.errors import SolventError
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, ArtifactType
from solvent.pages.words import capital, in_words, plural

if TYPE_CHECKING:
    from solvent.store import Store

Progress = Callable[[int, int], None]  # (blobs verified so far, blobs in all)
WIDTH = 80
MOST_PROBLEMS = 40  # told in the terminal
LOGS = (ArtifactType.PREDICTIONS, ArtifactType.OUTCOMES)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it was recorded: what, where, and what to do."""

    kind: str
    place: str
    what: str
    next: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at and what is wrong. unknown: blobs that no fact speaks of, which is no problem.

    erased: artifacts whose bytes were erased or collected. lent: those whose bytes are on the remote alone.
    repaired: places of blobs that were damaged and came whole from the remote.
    """

    blobs: int
    artifacts: int
    decisions: int
    segments: int
    erased: int
    unknown: int
    problems: list[Problem]
    lent: int = 0
    repaired: list[str] = []

    @property
    def ok(self) -> bool:
        return not self.problems


def verify(store: Store, progress: Progress | None = None, *, repair: bool = False) -> Verification:
    """Compare everything that is stored with what was recorded about it. Reads all bytes once.

    progress: called after each blob. repair: fetch what is damaged or gone from the remote; without, writes nothing.
    """
    blobs = list(store.objects.list())
    problems = [_broken_chain(problem) for problem in store.facts.verify_chain()]
    repaired: list[str] = []
    for done, digest in enumerate(blobs, 1):
        damage = list(_damage(store, digest))
        if damage and repair and _fetched(store, digest):
            repaired.append(damage[0].place)
        else:
            problems += damage
        if progress is not None:
            progress(done, len(blobs))
    known = _known_artifacts(store)
    present, segments = set(blobs), _segment_digests(store)
    missing = dict(_missing(known, present, segments))
    lent = {digest for digest in missing if store.available(digest, known[digest].size)}
    if repair:
        repaired += [missing[digest].place for digest in lent if _fetched(store, digest)]
    problems += [problem for digest, problem in missing.items() if digest not in lent]
    newest = store.facts.decisions(limit=1)
    return Verification(
        blobs=len(blobs),
        artifacts=len(known),
        decisions=newest[-1].position + 1 if newest else 0,
        segments=len(segments),
        erased=sum(artifact.erased_at is not None for artifact in known.values()),
        unknown=len(present - known.keys()),
        problems=problems,
        lent=0 if repair else len(lent),
        repaired=repaired,
    )


def _fetched(store: Store, digest: Digest) -> bool:
    """Whether the remote had a blob, which is whole here now."""
    try:
        return store.lender is not None and store.lender(store.objects, digest)
    except SolventError:  # the damage is told anyway, and says that the remote may help
        return False


def _broken_chain(problem: str) -> Problem:
    return Problem(
        kind="chain",
        place="decisions",
        what=problem,
        next="someone changed the database: restore it from a backup and compare the two",
    )


def _damage(store: Store, digest: Digest) -> Iterator[Problem]:
    """What is wrong with the bytes of one blob."""
    try:
        store.objects.verify(digest)
    except SolventError as error:
        yield Problem(kind=error.code, place=error.where or str(digest), what=error.what, next=error.next)
    except OSError as error:
        yield Problem(
            kind="unreadable-object",
            place=error.filename or str(digest),
            what=f"object {digest} cannot be read: {error.strerror}",
            next="check the disk and the rights of the `.solvent` folder",
        )


def _missing(
    known: dict[Digest, Artifact], present: set[Digest], segments: dict[Digest, str]
) -> Iterator[tuple[Digest, Problem]]:
    """Artifacts that facts speak of, whose bytes are gone without an erasure or the log's retention saying so."""
    for digest, artifact in known.items():
        if digest in present or artifact.erased_at is not None:
            continue
        if artifact.type in LOGS and digest not in segments:
            continue  # dropped by retention: the fact stays, the rows do not
        name = segments.get(digest) or str(artifact.about.get("name", "")) or artifact.type.value
        yield (
            digest,
            Problem(
                kind="missing-object",
                place=f"objects/{digest[:2]}/{digest}",
                what=f"the bytes of {name} {digest[:10]} are gone",
                next="restore them from a backup, or run again what makes them: `solvent lineage` names it",
            ),
        )


def _segment_digests(store: Store) -> dict[Digest, str]:
    """The log's segments that are kept, by digest, with a name for each."""
    kinds = ("predictions", "outcomes")
    return {
        segment.digest: f"{segment.rows:,} {kind} of {model}"
        for model in store.facts.models()
        for kind in kinds
        for segment in store.facts.segments(model, kind)
    }


def _known_artifacts(store: Store) -> dict[Digest, Artifact]:
    """Every artifact that this project's runs, versions and segments speak of."""
    facts = store.facts
    digests: set[Digest] = set(_segment_digests(store))
    for run in facts.runs(limit=max(facts.count_runs(), 1)):
        digests.update(run.start.inputs.values())
        if run.end is not None:
            digests.update(artifact.digest for artifact in run.end.outputs.values())
            if run.end.log is not None:
                digests.add(run.end.log)
    for model in facts.models():
        for version in facts.versions(model):
            digests.update(d for d in (version.artifact, version.contract, version.reference) if d is not None)
    return facts.artifacts(digests)


def render_verification(answer: Verification) -> list[str]:
    """The answer for a terminal."""
    looked = (
        f"{plural(answer.blobs, 'object')}, {plural(answer.decisions, 'decision')} in the chain, "
        f"{plural(answer.segments, 'segment')} of the log"
    )
    if answer.ok:
        erased = f" {plural(answer.erased, 'artifact')} erased or collected, as recorded." if answer.erased else ""
        lent = f" {plural(answer.lent, 'artifact')} on the remote alone." if answer.lent else ""
        said = wrap(f"All is as it was recorded: {looked}.{erased}{lent}", WIDTH)
        mended = [f"  repaired from the remote: {place}" for place in answer.repaired]
        return [*said, *mended, "", "Next: solvent decisions · solvent asof DATE"]
    count = len(answer.problems)
    verb = "thing is" if count == 1 else "things are"
    lines = [*wrap(f"{capital(in_words(count))} {verb} not as recorded, of {looked}.", WIDTH), ""]
    for problem in answer.problems[:MOST_PROBLEMS]:
        lines += wrap(f"{problem.kind}: {problem.what}", WIDTH, initial_indent="  ", subsequent_indent="    ")
        lines.append(f"    at    {problem.place}")  # a path stays whole, so that it can be copied
        lines += wrap(problem.next, WIDTH, initial_indent="    next  ", subsequent_indent=" " * 10)
    lines += [f"  repaired from the remote: {place}" for place in answer.repaired]
    if count > MOST_PROBLEMS:
        lines.append(f"  … and {count - MOST_PROBLEMS:,} more: --json lists them")
    return [*lines, "", "Next: restore what is damaged, then solvent verify again"]
