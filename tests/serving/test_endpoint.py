"""The endpoint over HTTP, in a process of its own."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import time

import httpx
import polars as pl
import pytest

from solvent.serving.guard import OpenToAll, allowed_hosts
from solvent.serving.server import PortInUse, bind

from .conftest import Declaration, served

ROW = {"temp": 20.0, "hour": 8, "station": "north"}


def test_an_answer_carries_values_ids_and_version_and_is_logged(endpoint, log):
    rows = [{**ROW, "ride": "a", "time": "2012-05-01T08:00:00Z"}, {**ROW, "ride": "b", "time": "2012-05-01T09:00:00Z"}]
    answer = endpoint.ask(rows).json()
    assert answer["prediction_ids"] == ["a", "b"]
    assert (answer["model"], answer["flags"]) == ("bike-demand/1", {})
    logged = log()
    assert logged["prediction_id"].to_list() == ["a", "b"]
    assert logged["output"].to_list() == answer["predictions"]
    assert logged["request_id"].unique().to_list() == [answer["request_id"]]
    assert logged["f_station"].to_list() == ["north", "north"]
    assert [str(t) for t in logged["event_time"]] == ["2012-05-01 08:00:00+00:00", "2012-05-01 09:00:00+00:00"]


def counters(endpoint) -> dict[str, float]:
    lines = endpoint.client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_all_input_forms_say_the_same(endpoint):
    forms = [
        {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())], "index": [7]}},
        {"dataframe_records": [ROW]},
        {"instances": [ROW]},
        {"inputs": {name: [value] for name, value in ROW.items()}},
    ]
    answers = [endpoint.client.post("/invocations", json=form).json()["predictions"] for form in forms]
    assert answers == [answers[0]] * 4


def test_rows_without_an_id_get_ours(endpoint):
    answer = endpoint.ask([ROW, ROW]).json()
    assert answer["prediction_ids"] == [f"{answer['request_id']}-{row}" for row in (0, 1)]


def test_rows_that_the_model_was_not_trained_for_are_answered_and_flagged(endpoint, log):
    answer = endpoint.ask([ROW, {**ROW, "temp": 900.0, "station": "west"}]).json()
    assert answer["flags"] == {"1": ["range:temp", "unseen:station"]}
    logged = log()
    assert logged["flags"].to_list() == [[], ["range:temp", "unseen:station"]]
    assert logged["f_station"].to_list() == ["north", "west"]


@pytest.mark.parametrize(
    ("rows", "row", "column"),
    [
        ([ROW, {**ROW, "temp": "warm"}], 1, "temp"),
        ([{"temp": 1.0, "hour": 3}], None, "station"),
        ([{**ROW, "tmp": 3}], None, "tmp"),
        ([ROW, {**ROW, "hour": 2.5}], 1, "hour"),
        ([{**ROW, "time": "soon"}], 0, "time"),
        ([{**ROW, "ride": "a"}, {**ROW, "ride": "a"}], 1, "ride"),
        ([{**ROW, "ride": None}], 0, "ride"),
    ],
)
def test_rows_that_cannot_be_answered_are_refused_by_row_and_column_and_not_logged(endpoint, log, rows, row, column):
    response = endpoint.ask(rows)
    assert response.status_code == 422
    error = response.json()["error"]
    assert (error["rows"][0]["row"], error["rows"][0]["column"]) == (row, column)
    assert f"column `{column}`" in error["where"]
    assert log().is_empty()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b"[1]", "Expected `object`"),
        (b"{}", "none of the input forms"),
        (b'{"dataframe_records": [], "inputs": {}}', "more than one"),
        (b'{"rows": []}', "unknown field `rows`"),
        (b'{"dataframe_records": []}', "no rows"),
        (b'{"inputs": {"temp": [1, 2], "hour": [1]}}', "column `temp` has 2 values and `hour` has 1"),
        (b'{"dataframe_records": [{"temp": 1}, {"hour": 1}]}', "row 0 lacks column `hour`"),
        (b'{"dataframe_split": {"columns": ["a", "a"], "data": []}}', "`a` is given twice"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1], [1, 2]]}}', "row 1 has 2 values for 1 columns"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[[1]]]}}', "got `array`"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1e999]]}}', "out of range"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[NaN]]}}', "malformed"),
        (b'{"dataframe_split": {"columns": ["a"], "data": ' + b"[" * 100_000, "got `array`"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [], "index": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_body_that_is_no_request_is_refused_with_a_reason(endpoint, body, words):
    response = endpoint.ask(body)
    assert response.status_code == 400
    assert words in response.json()["error"]["what"]
    assert endpoint.client.get("/ping").status_code == 200


def test_integers_beyond_64_bits_are_refused(endpoint):
    response = endpoint.ask([{**ROW, "hour": 2**70}])
    assert (response.status_code, response.json()["error"]["rows"][0]["column"]) == (422, "hour")


def test_only_our_hosts_and_origins_are_answered(endpoint):
    for host in ("evil.example", "127.0.0.1.nip.io", "x@evil", "localhost:80:80", ""):
        assert endpoint.client.get("/version", headers={"host": host}).status_code == 403
    for host in ("localhost", "127.0.0.1:1234", "[::1]:80", "LOCALHOST"):
        assert endpoint.client.get("/version", headers={"host": host}).status_code == 200
    for origin in ("null", "http://evil.example"):
        assert endpoint.ask([ROW], origin=origin).status_code == 403
    assert endpoint.ask([ROW], origin=endpoint.url).status_code == 200


def test_only_json_within_limits_is_read(endpoint):
    response = endpoint.client.post("/invocations", content=b"{}", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    response = endpoint.client.post(
        "/invocations", content=(b"x" * 2**20 for _ in range(40)), headers={"content-type": "application/json"}
    )
    assert response.status_code == 413
    head = b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(endpoint.url.removeprefix("http://").split(":")) as raw:
        raw.sendall(head + b"Content-Length: 99999999999\r\n\r\n")
        assert b" 413 " in raw.recv(1000)
    many = b'{"inputs": {"temp": [' + b"1," * 60_000 + b"1]}}"
    assert endpoint.ask(many).status_code == 413


def test_unknown_paths_and_verbs_name_what_there_is(endpoint):
    response = endpoint.client.get("/invocation")
    assert (response.status_code, "/invocations" in response.json()["error"]["next"]) == (404, True)
    assert endpoint.client.get("/invocations").status_code == 405


def test_probes_version_and_metrics(endpoint):
    assert endpoint.client.get("/ping").status_code == 200
    assert endpoint.client.get("/health").json() == {"status": "ok", "model": "bike-demand/1"}
    version = endpoint.client.get("/version").json()
    assert (version["model"], version["number"], version["alias"]) == ("bike-demand", 1, "champion")
    names = ['predictions_total{version="bike-demand/1"}', 'flagged_rows_total{code="range:temp"}']
    before = counters(endpoint)
    endpoint.ask([ROW, {**ROW, "temp": 900.0}])
    after = counters(endpoint)
    assert [after[f"solvent_{name}"] - before.get(f"solvent_{name}", 0) for name in names] == [2, 1]


def test_classifiers_answer_class_and_probability(root, make):
    make(Declaration(name="busy", task="binary", target="busy"))
    with served(root, "busy@champion", replay=True) as server:
        answer = server.ask([ROW]).json()
    assert answer["positive"] is True
    assert answer["predictions"] == [answer["probabilities"][0] > 0.5]


def test_a_skewed_clock_is_bounded_and_flagged_unless_a_past_is_replayed(root, make, store):
    make()
    with served(root) as server:
        answer = server.ask(
            [{**ROW, "time": "2012-05-01T08:00:00Z"}, {**ROW, "time": "2099-01-01"}, {**ROW, "time": None}]
        ).json()
    assert answer["flags"] == {"0": ["clock:time"], "1": ["clock:time"]}
    logged = store.log.scan_predictions("bike-demand").collect()
    assert (logged["event_time"].dt.year() > 2020).all()
    assert (logged["event_time"].dt.year() < 2090).all()


def test_the_line_that_it_prints_when_ready_works_as_it_stands(endpoint):
    time.sleep(0.05)
    line = next(line for line in endpoint.said if line.startswith("next: curl"))
    answer = subprocess.run([*shlex.split(line.removeprefix("next: ")), "-sS"], capture_output=True, check=True)
    assert len(json.loads(answer.stdout)["predictions"]) == 1


def test_a_taken_port_is_an_error_with_a_way_out(endpoint):
    port = int(endpoint.url.rsplit(":", 1)[1])
    with pytest.raises(PortInUse, match=rf"port {port} of 127.0.0.1 is taken: `--port 0` takes a free one"):
        bind("127.0.0.1", port)


def test_an_address_that_others_can_reach_needs_a_token(root, make):
    make()
    with pytest.raises(OpenToAll, match=r"SOLVENT_SERVE_TOKEN"):
        allowed_hosts("0.0.0.0", None, ())
    with served(root, host="0.0.0.0", token="s3cret") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{url}/version").status_code == 401
        assert httpx.get(f"{url}/version", headers={"authorization": "Bearer wrong"}).status_code == 401
        assert httpx.get(f"{url}/ping").status_code == 200
        assert httpx.get(f"{url}/version", headers={"authorization": "Bearer s3cret"}).status_code == 200


def test_two_endpoints_on_one_store_log_side_by_side(endpoint, shared, log):
    with served(shared[1].root, replay=True) as other:
        answers = [server.ask([ROW]).json() for server in (endpoint, other)]
    assert sorted(log()["prediction_id"]) == sorted(answer["prediction_ids"][0] for answer in answers)


def test_a_case_sent_twice_is_answered_and_logged_twice(endpoint, log):
    for _ in range(2):
        assert endpoint.ask([{**ROW, "ride": "twice"}]).status_code == 200
    assert log().filter(pl.col("prediction_id") == "twice").height == 2
