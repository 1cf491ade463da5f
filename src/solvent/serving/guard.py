"""What stands before every route: Host, Origin, token, content type, size. Nothing is parsed before it passed."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.requests import Request as HttpRequest
from starlette.types import ASGIApp, Receive, Scope, Send

from solvent.foundation.errors import UsageError
from solvent.serving.errors import NoToken, TooLarge, TooSlow, WrongHost, WrongType
from solvent.serving.replies import failure

MAX_BODY = 8 * 2**20  # bytes; decoded, the worst JSON takes some twenty times as much
BODY_SECONDS = 30.0
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class OpenToAll(UsageError):
    code = "open-to-all"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str, token: str | None, extra: Collection[str]) -> frozenset[str]:
    """Host names that the endpoint answers to, without port.

    Raises: OpenToAll for an address that others can reach, without a token.
    """
    if is_loopback(host):
        return frozenset({*LOOPBACK_NAMES, host, *extra})
    if not token:
        raise OpenToAll(
            f"{host} can be reached from other machines",
            next="set SOLVENT_SERVE_TOKEN to a secret that callers send as `Authorization: Bearer TOKEN`",
        )
    return frozenset({*LOOPBACK_NAMES, host, *extra})


class Guard:
    """ASGI middleware. hosts: see `allowed_hosts`; token: what callers must send, None for no token."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], token: str | None = None) -> None:
        self.app = app
        self.hosts = hosts
        self.token = token.encode() if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            self._admit(scope)
        except (WrongHost, NoToken, TooLarge, WrongType) as error:
            await failure(error)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        given = headers.getlist("host")
        if len(given) != 1 or _name(given[0]) not in self.hosts:
            shown = given[0][:80] if given else ""
            raise WrongHost(
                f"this endpoint does not answer to host `{shown}`", next=f"call it by {', '.join(sorted(self.hosts))}"
            )
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != given[0]:
            raise WrongHost("a page of another site may not call this endpoint")
        if self.token is not None and scope["path"] not in ("/ping", "/health"):
            sent = headers.get("authorization", "").removeprefix("Bearer ").encode()
            if not hmac.compare_digest(sent, self.token):
                raise NoToken("a token is needed", next="send it as `Authorization: Bearer TOKEN`")
        if scope["method"] == "POST":
            _admit_body(headers)


def _admit_body(headers: Headers) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise WrongType(f"content type `{kind[:80]}` is not taken", next="send `Content-Type: application/json`")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > MAX_BODY:
        raise _too_large()


async def read_body(request: HttpRequest) -> bytes:
    """The whole body, within limits of size and time. Raises: TooLarge, TooSlow."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_BODY:
                    raise _too_large()
                chunks.append(chunk)
    except TimeoutError:
        raise TooSlow(f"the body did not arrive within {BODY_SECONDS:.0f} seconds") from None
    return b"".join(chunks)


def _too_large() -> TooLarge:
    return TooLarge(f"the body is larger than {MAX_BODY // 2**20} MiB", next="send fewer rows, or use `solvent score`")


def _name(host: str) -> str:
    """A Host header without its port; an address keeps its brackets.

    >>> _name("localhost:5001"), _name("[::1]:80")
    ('localhost', '[::1]')
    """
    if host.startswith("["):
        return host.partition("]")[0] + "]" if host.partition("]")[2][:1] in ("", ":") else host
    name, colon, port = host.partition(":")
    return name.lower() if not colon or port.isdecimal() else host
