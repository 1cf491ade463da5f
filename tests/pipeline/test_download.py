"""Sources behind a URL, served by a real server on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from solvent.pipeline.download import fetch
from solvent.pipeline.errors import BadSource


class Quiet(SimpleHTTPRequestHandler):
    served: ClassVar[list[int]] = []

    def log_request(self, code="-", size="-") -> None:
        self.served.append(int(code))

    def log_error(self, *args) -> None:
        pass


@pytest.fixture
def server(tmp_path) -> Iterator[str]:
    (tmp_path / "www").mkdir()
    Quiet.served.clear()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "www")))
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_a_url_is_fetched_once_and_then_only_asked_whether_it_changed(server, tmp_path):
    page = tmp_path / "www" / "rides.csv"
    page.write_text("a\n1\n")
    url = f"{server}/rides.csv"
    kept = fetch(url, tmp_path / "kept", "pipeline.py:3", refresh=True)
    assert (kept.name, kept.read_text()) == ("rides.csv", "a\n1\n")
    assert fetch(url, tmp_path / "kept", "pipeline.py:3", refresh=True) == kept
    assert Quiet.served == [200, 304]
    fetch(url, tmp_path / "kept", "pipeline.py:3", refresh=False)
    assert len(Quiet.served) == 2


def test_a_url_is_a_source_like_any(server, tmp_path, project):
    (tmp_path / "www" / "rides.csv").write_text("a\n1\n2\n")
    project.write(
        "pipeline.py",
        f"""
        import polars as pl
        from solvent import source, step

        rides = source("{server}/rides.csv")

        @step
        def count(rides: pl.DataFrame) -> int:
            return rides.height
        """,
    )
    assert project.value(project.run(), "count") == 2
    assert project.plan().fresh
    (tmp_path / "www" / "rides.csv").write_text("a\n1\n2\n3\n")
    import os

    os.utime(tmp_path / "www" / "rides.csv", (4e9, 4e9))  # its header tells whole seconds only
    assert project.value(project.run(), "count") == 3


def test_a_url_that_answers_with_an_error_names_it(server, tmp_path):
    with pytest.raises(BadSource, match=r"pipeline.py:3: http://127.0.0.1:\d+/gone.csv answered 404"):
        fetch(f"{server}/gone.csv", tmp_path / "kept", "pipeline.py:3", refresh=True)


def test_a_server_that_is_not_there_is_an_error_and_leaves_nothing(tmp_path):
    with pytest.raises(BadSource, match="cannot be reached"):
        fetch("http://127.0.0.1:9/rides.csv", tmp_path / "kept", "pipeline.py:3", refresh=True)
    assert [p for p in (tmp_path / "kept").rglob("*") if p.is_file()] == []
