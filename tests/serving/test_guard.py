"""Who is let in, and how long a body may take."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from solvent.serving import guard
from solvent.serving.errors import TooLarge, TooSlow
from solvent.serving.guard import OpenToAll, allowed_hosts, is_loopback, read_body


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("::ffff:10.0.0.1", False),
        ("localhost.evil.example", False),
    ],
)
def test_only_loopback_needs_no_token(host, ours):
    assert is_loopback(host) is ours
    if ours:
        assert host in allowed_hosts(host, None, ())
    else:
        for token in (None, ""):
            with pytest.raises(OpenToAll):
                allowed_hosts(host, token, ())
        assert "models.example" in allowed_hosts(host, "s3cret", ["models.example"])


def request_of(*chunks: bytes, pause: float = 0.0) -> Request:
    waiting = list(chunks)

    async def receive():
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_a_body_in_pieces_is_put_together():
    assert asyncio.run(read_body(request_of(b"ab", b"", b"c"))) == b"abc"


def test_a_body_that_grows_without_end_is_refused_before_it_is_whole():
    endless = request_of(*[b"x" * 2**20] * 100)
    with pytest.raises(TooLarge):
        asyncio.run(read_body(endless))


def test_a_body_that_dribbles_in_is_given_up(monkeypatch):
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    with pytest.raises(TooSlow):
        asyncio.run(read_body(request_of(b"a", b"b", pause=0.04)))
