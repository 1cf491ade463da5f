"""Answer for a model over HTTP, logging before each answer."""

from __future__ import annotations

import os

from solvent.cli.program import Exit
from solvent.foundation.clock import parse_span
from solvent.foundation.errors import UsageError
from solvent.project import Project

DEFAULT_PORT = 5001


class MissingExtra(UsageError):
    code = "missing-extra"


def command(reference: str, *, host: str = "127.0.0.1", port: int = DEFAULT_PORT, replay: bool = False) -> Exit:
    """Answer for a model over HTTP, logging before each answer.

    `/invocations` (also MLflow's and SageMaker's contracts), `/outcomes`, `/ping`,
    `/health`, `/version`, `/metrics`. SIGTERM and Ctrl-C finish what was taken.

    Parameters
    ----------
    reference:
        `NAME@alias`, followed while it moves, or `NAME/3`, which stays.
    host:
        Where to listen. Beyond loopback, callers must send the token in SOLVENT_SERVE_TOKEN.
    port:
        0 takes a free one.
    replay:
        Take event times of any age, to live a past again.
    """
    try:
        from solvent.serving.server import serve
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{error.name} is not installed", next="pip install 'solvent[serve]'") from None

    project = Project.find()
    slack = parse_span(project.settings.model(reference.partition("@")[0]).monitor.event_time_slack)
    token = os.environ.get("SOLVENT_SERVE_TOKEN")
    serve(project.store, reference, host=host, port=port, replay=replay, slack=slack, token=token)
    return Exit.FINE
