"""The endpoint as a process: bind, load, answer, drain."""

from __future__ import annotations

import errno
import gc
import signal
import socket
import sys
from collections.abc import Collection
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette

from solvent.foundation.errors import UsageError
from solvent.serving.app import build_app
from solvent.serving.example import example_body, example_row
from solvent.serving.guard import allowed_hosts
from solvent.serving.metrics import Metrics
from solvent.serving.rows import EventClock
from solvent.serving.swap import Following

if TYPE_CHECKING:
    from solvent.store import Store

DEFAULT_PORT = 5001
DRAIN_SECONDS = 30
MAX_CONNECTIONS = 1000  # beyond them, 503
SLACK = timedelta(hours=36)


class PortInUse(UsageError):
    code = "port-in-use"


class CannotBind(UsageError):
    code = "cannot-bind"


def serve(
    store: Store,
    reference: str,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    replay: bool = False,
    slack: timedelta = SLACK,
    token: str | None = None,
    extra_hosts: Collection[str] = (),
) -> None:
    """Answer for a model until SIGTERM or SIGINT; what was taken is finished first.

    reference: `NAME@alias` is followed while it moves; `NAME/3` stays.
    port: 0 takes a free one; the line on stderr names it.
    replay, slack: see `EventClock`. token: what callers must send; needed where others can reach `host`.
    Raises: PortInUse, CannotBind, OpenToAll, and what `resolve` and `load_version` raise.
    """
    hosts = allowed_hosts(host, token, extra_hosts)
    with closing(bind(host, port)) as listener:
        metrics = Metrics()
        following = Following(store, reference, metrics, say=_say)
        clock = EventClock(slack=slack, replay=replay)
        inline = store.log.durability == "process"  # else the log waits for the disk, and the loop must not
        app = build_app(following, metrics, clock=clock, hosts=hosts, token=token, inline=inline)
        _drain_on_signals()
        gc.freeze()  # what is loaded by now stays: the collector need not walk it between two answers
        _Server(app, following, _url(host, listener)).run(sockets=[listener])


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, so that a taken port is known before a model is loaded. Raises: PortInUse, CannotBind."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(f"port {port} of {host} is taken", next="`--port 0` takes a free one") from None
        raise CannotBind(
            f"cannot listen on {host}:{port}: {error.strerror}", next="check `--host` and `--port`"
        ) from None
    return listener


class _Server(uvicorn.Server):
    """uvicorn, with one line when it is ready."""

    def __init__(self, app: Starlette, following: Following, url: str) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                lifespan="on",
                http="httptools",
                ws="none",
                timeout_keep_alive=65,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
        self._following = following
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            following = self._following
            body = example_body(example_row(following.store, following.current().model.version))
            _say(f"{following.current().name} answers at {self._url}")
            _say(f"next: curl {self._url}/invocations -H 'Content-Type: application/json' -d '{body}'")


def _drain_on_signals() -> None:
    """uvicorn raises the signal that stopped it once more after draining; then it shall end nothing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)


def _url(host: str, listener: socket.socket) -> str:
    name = f"[{host.strip('[]')}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
