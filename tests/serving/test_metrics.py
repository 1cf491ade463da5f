"""The exposition is what Prometheus reads."""

from __future__ import annotations

import re

from solvent.serving.metrics import MAX_FLAGS, Metrics

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z]+="([^"\\\n]|\\.)*",?)*\})? -?[0-9.e+]+$')


def test_every_line_is_a_comment_or_a_sample():
    metrics = Metrics()
    metrics.answered("/invocations", 200, 0.003)
    metrics.predicted('bike "demand"\n/1', [["range:temp"], []])
    lines = metrics.text('bike "demand"\n/1').splitlines()
    assert [line for line in lines if not line.startswith("# ") and not SAMPLE.match(line)] == []


def test_the_histogram_is_cumulative():
    metrics = Metrics()
    for seconds in (0.0005, 0.003, 0.003, 9.0):
        metrics.answered("/invocations", 200, seconds)
    counts = re.findall(r'_bucket\{le="([^"]+)"\} (\d+)', metrics.text("m/1"))
    assert dict(counts)["0.001"] == "1"
    assert dict(counts)["0.005"] == "3"
    assert dict(counts)["+Inf"] == "4"


def test_flag_codes_that_callers_invent_do_not_fill_the_memory():
    metrics = Metrics()
    metrics.predicted("m/1", [[f"code-{number}"] for number in range(MAX_FLAGS + 100)])
    assert len(metrics.flags) == MAX_FLAGS + 1
    assert metrics.flags["other"] == 100
