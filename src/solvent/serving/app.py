"""The endpoint's routes: MLflow's and SageMaker's scoring contracts, outcomes, metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from solvent import __version__
from solvent.foundation.errors import SolventError, Unexpected
from solvent.serving.batching import Batcher
from solvent.serving.errors import BadRequest
from solvent.serving.guard import Guard, read_body
from solvent.serving.metrics import Metrics
from solvent.serving.outcomes import log_outcomes
from solvent.serving.protocol import decode_outcomes, decode_rows
from solvent.serving.replies import answer_document, failure, plain, reply
from solvent.serving.rows import EventClock
from solvent.serving.scorer import Scorer
from solvent.serving.served import Request

if TYPE_CHECKING:
    from solvent.serving.swap import Following

Handler = Callable[[HttpRequest], Awaitable[Response]]
ROUTES = ("/invocations", "/outcomes", "/ping", "/health", "/version", "/metrics")


class Endpoint:
    """One model's routes. inline: see `Batcher`."""

    def __init__(self, following: Following, clock: EventClock, metrics: Metrics, *, inline: bool) -> None:
        self.following = following
        self.clock = clock
        self.metrics = metrics
        self.batcher = Batcher(Scorer(following.store.log, clock), following.lineup, inline=inline)

    async def invocations(self, request: HttpRequest) -> Response:
        columns, rows = decode_rows(await read_body(request))
        answer = await self.batcher.submit(Request(columns, rows))
        self.metrics.predicted(answer.version, answer.flags)
        return reply(answer_document(answer))

    async def outcomes(self, request: HttpRequest) -> Response:
        rows = decode_outcomes(await read_body(request))
        signature = self.following.current().signature
        model = self.following.current().model.version.model
        report = await asyncio.to_thread(log_outcomes, self.following.store, model, signature, rows, self.clock)
        for kind in ("new", "corrected", "repeated", "unknown"):
            self.metrics.outcomes[kind] += getattr(report, kind)
        return reply(report)

    async def ping(self, _request: HttpRequest) -> Response:
        return reply({"status": "ok"})

    async def health(self, _request: HttpRequest) -> Response:
        return reply({"status": "ok", "model": self.following.current().name})

    async def version(self, _request: HttpRequest) -> Response:
        version = self.following.current().model.version
        return reply(
            {
                "solvent": __version__,
                "model": version.model,
                "number": version.number,
                "alias": self.following.alias,
                "artifact": version.artifact,
                "since": self.following.since,
            }
        )

    async def exposition(self, _request: HttpRequest) -> Response:
        return plain(self.metrics.text(self.following.current().name))

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Follow the alias while the app is up; finish what was taken before it goes down."""
        follower = asyncio.create_task(self.following.follow())
        try:
            yield
        finally:
            await self.batcher.close()
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower


def build_app(
    following: Following,
    metrics: Metrics,
    *,
    clock: EventClock,
    hosts: frozenset[str],
    token: str | None = None,
    inline: bool = True,
) -> Starlette:
    """The ASGI application of one model."""
    endpoint = Endpoint(following, clock, metrics, inline=inline)
    handlers: dict[str, tuple[Handler, str]] = {
        "/invocations": (endpoint.invocations, "POST"),
        "/outcomes": (endpoint.outcomes, "POST"),
        "/ping": (endpoint.ping, "GET"),
        "/health": (endpoint.health, "GET"),
        "/version": (endpoint.version, "GET"),
        "/metrics": (endpoint.exposition, "GET"),
    }
    routes = [
        Route(path, _counted(path, handler, metrics), methods=[verb]) for path, (handler, verb) in handlers.items()
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, hosts=hosts, token=token)],
        exception_handlers={HTTPException: _no_route, Exception: _our_fault},
        lifespan=endpoint.lifespan,
    )


def _counted(path: str, handler: Handler, metrics: Metrics) -> Handler:
    """The handler with its errors answered, and everything counted."""

    async def handle(request: HttpRequest) -> Response:
        start = time.perf_counter()
        try:
            response = await handler(request)
        except SolventError as error:
            response = failure(error)
        metrics.answered(path, response.status_code, time.perf_counter() - start)
        return response

    return handle


async def _no_route(request: HttpRequest, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    what = f"{request.method} {request.scope['path'][:100]} is nothing that this endpoint does"
    response = failure(BadRequest(what, next=f"it has {', '.join(ROUTES)}"))
    response.status_code = status
    return response


async def _our_fault(_request: HttpRequest, _error: Exception) -> Response:
    """No trace leaves the process; the server logs it."""
    return failure(Unexpected("the endpoint failed on this request", next="its log says why"))
