"""A reproduction in lines."""

from __future__ import annotations

from textwrap import wrap

from solvent.governance.comparison.text import version_said
from solvent.governance.reproduction.model import Reproduction, StepVerdict
from solvent.pages.words import plural

WIDTH = 95
MOST = 10
MARKS = {"bytes": "●", "content": "●", "tolerance": "▲", "differs": "■"}
WORDS = {
    "bytes": "equal bytes",
    "content": "equal content",
    "tolerance": "equal within tolerance",
    "differs": "differs",
}
SAID = {
    "bytes": "every byte is the same",
    "content": "the content of every output is the same",
    "tolerance": "every output is the same within the tolerance",
}


def sentence(found: Reproduction) -> str:
    """The verdict, in one sentence."""
    where = "in a fresh environment" if found.where == "fresh" else "in the present environment"
    first = found.first
    if first is None:
        return f"{found.what} is reproduced {where} from commit {found.commit[:10]}: {SAID[found.verdict]}"
    return f"{found.what} is not reproduced {where}: it differs first at {first.step}, because {first.because}"


def render(found: Reproduction) -> list[str]:
    """For a terminal, without the next step."""
    lines = wrap(f"{sentence(found)}.", WIDTH, break_on_hyphens=False, break_long_words=False)
    width = max((len(step.step) for step in found.steps), default=0)
    lines.append("")
    for step in found.steps:
        lines += _step(step, width)
    if found.environment or found.interpreter:
        lines += ["", "  not the recorded environment:"]
        lines += [f"    interpreter {found.interpreter[0]} → {found.interpreter[1]}"] if found.interpreter else []
        shown = found.environment[:MOST]
        lines += [f"    {version_said(note.distribution, note.recorded, note.present)}" for note in shown]
        more = len(found.environment) - len(shown)
        lines += [f"    and {plural(more, 'package')} more"] if more else []
    return [*lines, *(f"  {note}" for note in found.notes)]


def _step(step: StepVerdict, width: int) -> list[str]:
    said = "taken as recorded" if step.given else WORDS[step.equal]
    gaps = [f"{o.name} {o.difference}" if o.name != "result" else o.difference for o in step.outputs if o.difference]
    if gaps:
        said += f", largest difference: {'; '.join(gaps)}"
    lines = wrap(
        f"{MARKS[step.equal]} {step.step.ljust(width)}  {said}", WIDTH - 2, subsequent_indent=" " * (width + 4)
    )
    lines += wrap(
        step.because, WIDTH - width - 6, initial_indent=" " * (width + 4), subsequent_indent=" " * (width + 4)
    )
    return [f"  {line}" for line in lines]
