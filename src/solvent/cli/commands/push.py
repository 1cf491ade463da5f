"""Send data and runs to the remote, so that others can go on from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solvent.cli.program import Exit
from solvent.cli.show import amount, next_step, show, transfer_progress
from solvent.project import Project

if TYPE_CHECKING:
    from solvent.data.sharing import Pushed


def command(*names: str, json: bool = False) -> Exit:
    """Send data and runs to the remote, so that others can go on from them.

    Sends what the remote lacks and compares it on arrival; interrupted, the next push
    goes on. Exits 1 where something could not be sent because its bytes are not here.

    Parameters
    ----------
    names:
        Only these datasets and steps, with all that they came of; all without.
    """
    from solvent.data.sharing import push

    project = Project.find()
    sent = push(project.store, project.remote, names, transfer_progress())
    show(sent, _lines(sent, project.settings.remote.url), json=json)
    return Exit.FINDINGS if sent.held else Exit.FINE


def _lines(sent: Pushed, url: str) -> list[str]:
    head = f"Sent {sent.objects:,} objects ({amount(sent.bytes)}) to {url}; {sent.present:,} were there"
    if not (sent.objects or sent.runs or sent.datasets or sent.held):
        head = f"{url} has everything already"
    lines = [head, f"  {sent.runs:,} runs and {sent.datasets:,} dataset versions are new there"]
    lines += [f"  kept here: {held.fact}: {held.because}" for held in sent.held]
    return [*lines, next_step("`solvent pull` in another clone" if not sent.held else "`solvent verify`")]
