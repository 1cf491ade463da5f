import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from solvent.foundation.settings import NotifySettings
from solvent.integrations.notify import notifiers

MESSAGES = [{"effect": "bikes:drift:2012-05-07", "title": "temp moved"}]


@pytest.fixture
def receiver():
    """A real HTTP server that keeps what it is sent; `status` is what it answers."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        status = 204

        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(Handler.status)
            if Handler.status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Handler, received, f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    thread.join()
    server.server_close()


def test_messages_reach_the_file_and_the_webhook(tmp_path, receiver):
    _, received, url = receiver
    found = notifiers(NotifySettings(file="alerts.jsonl", webhook=url), tmp_path)
    assert [notify(MESSAGES) for notify in found] == [[], []]
    assert json.loads((tmp_path / "alerts.jsonl").read_text()) == MESSAGES[0]
    assert json.loads(received[0]) == {"messages": MESSAGES}


def test_nothing_to_say_is_not_sent(tmp_path, receiver):
    _, received, url = receiver
    for notify in notifiers(NotifySettings(file="alerts.jsonl", webhook=url), tmp_path):
        assert notify([]) == []
    assert received == []
    assert not (tmp_path / "alerts.jsonl").exists()


@pytest.mark.parametrize("status", [500, 302])
def test_a_failing_or_redirecting_webhook_is_reported_not_followed(tmp_path, receiver, status):
    handler, received, url = receiver
    handler.status = status
    (notify,) = notifiers(NotifySettings(webhook=url), tmp_path)
    assert notify(MESSAGES) == [f"the webhook answered {status}"]
    assert len(received) == 1


def test_an_unreachable_or_odd_webhook_is_a_sentence(tmp_path):
    (closed,) = notifiers(NotifySettings(webhook="http://127.0.0.1:9/"), tmp_path)
    assert "could not be reached" in closed(MESSAGES)[0]
    (odd,) = notifiers(NotifySettings(webhook="file:///etc/passwd"), tmp_path)
    assert odd(MESSAGES) == ["the webhook is no http(s) address"]


def test_an_unwritable_file_is_a_sentence(tmp_path):
    (notify,) = notifiers(NotifySettings(file="missing/alerts.jsonl"), tmp_path)
    assert "could not write alerts.jsonl" in notify(MESSAGES)[0]
