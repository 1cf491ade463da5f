import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller

from solvent.foundation.settings import NotifySettings
from solvent.integrations.notify import as_text, notifiers

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


TOLD = [
    {"type": "alert", "kind": "drift", "model": "bikes", "version": 3, "title": "temp moved", "effect": "a"},
    {"type": "decision", "action": "retrain", "model": "bikes", "version": 4, "reason": "it pays", "effect": "b"},
]


def test_text_says_decisions_first_and_counts():
    assert as_text(TOLD) == (
        "bikes: 1 decision and 1 alert",
        "bikes: retrain version 4: it pays\nbikes version 3: temp moved",
    )


def test_what_speaks_like_slack_gets_one_text(tmp_path, receiver):
    handler, received, url = receiver
    handler.status = 200
    host = url.removeprefix("http://").partition("/")[0]
    (notify,) = notifiers(NotifySettings(urls=[f"mmost://{host}/{'a' * 26}"]), tmp_path)
    assert notify(TOLD) == []
    assert notify([]) == []
    (body,) = received
    assert "bikes: retrain version 4: it pays" in json.loads(body)["text"]


class Mailbox:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 kept"


def test_mail_arrives(tmp_path):
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        url = f"mailto://127.0.0.1:{port}?from=solvent@example.org&to=team@example.org&format=text"
        (notify,) = notifiers(NotifySettings(urls=[url]), tmp_path)
        assert notify(TOLD) == []
    finally:
        controller.stop()
    ((to, content),) = box.mails
    assert to == ["team@example.org"]
    assert "temp moved" in content


def test_an_address_that_fails_is_a_sentence_without_its_secret(tmp_path, receiver):
    handler, _, url = receiver
    handler.status = 500
    host = url.removeprefix("http://").partition("/")[0]
    urls = [f"mmost://{host}/{'s' * 26}", "nothing://secret"]
    (notify,) = notifiers(NotifySettings(urls=urls), tmp_path)
    assert notify(TOLD) == ["mmost://… could not be told", "the address nothing://… is not understood"]
