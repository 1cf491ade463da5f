"""Counters of one endpoint, printed in Prometheus' text format."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds
MAX_FLAGS = 1000  # distinct flag codes that are counted apart


class Metrics:
    """Counts in memory; a restart starts at zero, as Prometheus expects."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.predictions: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.swaps = 0
        self.failed_swaps = 0
        self._latency = [0] * (len(BUCKETS) + 1)
        self._latency_sum = 0.0

    def answered(self, route: str, status: int, seconds: float) -> None:
        self.requests[route, status] += 1
        if route == "/invocations":
            self._latency[bisect_left(BUCKETS, seconds)] += 1
            self._latency_sum += seconds

    def predicted(self, version: str, flags: list[list[str]]) -> None:
        self.predictions[version] += len(flags)
        for code in (code for codes in flags for code in codes):
            self.flags[code if code in self.flags or len(self.flags) < MAX_FLAGS else "other"] += 1

    def text(self, model: str) -> str:
        """The exposition; model: name of the version that answers now."""
        lines = [
            *_family("solvent_model_info", "gauge", "The version that answers", {f'version="{_escape(model)}"': 1}),
            *_family(
                "solvent_requests_total",
                "counter",
                "Requests answered",
                {f'route="{_escape(route)}",status="{status}"': n for (route, status), n in self.requests.items()},
            ),
            *_family(
                "solvent_predictions_total",
                "counter",
                "Rows answered and logged",
                {f'version="{_escape(name)}"': n for name, n in self.predictions.items()},
            ),
            *_family(
                "solvent_flagged_rows_total",
                "counter",
                "Flags on answered rows, by contract code",
                {f'code="{_escape(code)}"': n for code, n in self.flags.items()},
            ),
            *_family(
                "solvent_outcomes_total",
                "counter",
                "Outcomes received",
                {f'kind="{kind}"': n for kind, n in self.outcomes.items()},
            ),
            *_family("solvent_model_swaps_total", "counter", "New versions taken", {"": self.swaps}),
            *_family("solvent_model_swap_failures_total", "counter", "Versions not loadable", {"": self.failed_swaps}),
            *self._histogram(),
        ]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name = "solvent_invocation_seconds"
        lines = [f"# HELP {name} Time from request to answer", f"# TYPE {name} histogram"]
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self._latency, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*lines, f"{name}_sum {self._latency_sum:.6f}", f"{name}_count {total}"]


def _family(name: str, kind: str, help: str, samples: dict[str, int]) -> list[str]:
    body = [f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in samples.items()]
    return [f"# HELP {name} {help}", f"# TYPE {name} {kind}", *body]


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
