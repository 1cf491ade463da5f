"""A real S3 server in a process of its own, and a proxy before it that fails on purpose."""

from __future__ import annotations

import itertools
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

START_SECONDS = 60
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


@dataclass
class S3Server:
    """endpoint: where it answers. Every test makes buckets of its own."""

    endpoint: str
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def bucket(self) -> str:
        name = f"bucket-{next(self._numbers)}"
        self.request("PUT", name)
        return name

    def request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Speak to the server directly, without credentials."""
        asked = urllib.request.Request(f"{self.endpoint}/{path}", data=body, method=method)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.read()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        server = S3Server(f"http://127.0.0.1:{port}")
        _wait(server, process)
        yield server
        process.kill()


def _wait(server: S3Server, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.request("GET", "")
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail("the S3 server did not start: is `moto[server]` installed?", pytrace=False)
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def s3(s3_server, monkeypatch) -> S3Server:
    """The server, with credentials for it in the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return s3_server


class FaultyProxy:
    """Passes TCP connections on to a server, but lets some go wrong.

    share: of connections that go wrong, drawn by `seed`; faults: the ways, in turn.
    """

    def __init__(self, endpoint: str, faults: list[str], share: float = 0.5, seed: int = 0) -> None:
        host, _, port = endpoint.removeprefix("http://").partition(":")
        self.target = (host, int(port))
        self.faults = itertools.cycle(faults)
        self.draw = random.Random(seed)
        self.share = share
        self.struck: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # closed
                return
            fault = next(self.faults) if self.draw.random() < self.share else ""
            threading.Thread(target=self._serve, args=(client, fault), daemon=True).start()

    def _serve(self, client: socket.socket, fault: str) -> None:
        if fault:
            self.struck.append(fault)
        with client:
            if fault == "drop":
                client.recv(100)
                return
            if fault == "503":
                _read_request(client)
                client.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            with socket.create_connection(self.target) as server:
                back = threading.Thread(target=_pump, args=(server, client, fault), daemon=True)
                back.start()
                _pump(client, server, "")
                back.join(30)


def _pump(source: socket.socket, target: socket.socket, fault: str) -> None:
    """Copy bytes until the source ends; `cut`: only the first few, `slow`: a little at a time."""
    passed = 0
    with suppress(OSError):  # the other side has gone
        while data := source.recv(4096 if fault == "slow" else 65536):
            if fault == "cut" and passed + len(data) > 700:
                target.sendall(data[: max(0, 700 - passed)])
                break
            if fault == "slow":
                time.sleep(0.002)
            target.sendall(data)
            passed += len(data)
    for end in (target, source):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR if fault == "cut" else socket.SHUT_WR)


def _read_request(client: socket.socket) -> None:
    """The head of a request and what of its body is there."""
    data = b""
    while b"\r\n\r\n" not in data and (more := client.recv(65536)):
        data += more


@pytest.fixture
def faulty(s3) -> Iterator[Callable[..., FaultyProxy]]:
    """A proxy before the S3 server, made by the test with the faults that it wants."""
    opened = []

    def make(*faults: str, share: float = 0.5, seed: int = 0) -> FaultyProxy:
        opened.append(FaultyProxy(s3.endpoint, list(faults), share, seed))
        return opened[-1]

    yield make
    for proxy in opened:
        proxy.close()
