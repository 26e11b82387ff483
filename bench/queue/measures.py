"""What is measured: a line of the table each."""

from __future__ import annotations

from dataclasses import dataclass

_SHORTEST = 0.01  # milliseconds; a handler may begin before its producer knows of the commit


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table."""

    title: str
    unit: str
    """`/s`, of which more is better, or `ms`, of which less is."""
    asked: float | None = None
    """What the requirements ask of ours."""
    margin: float | None = 1.0
    """How many times better than the best other ours is meant to be; None where that says nothing."""
    only_waking: bool = False
    """Whether a peer whose workers are not woken is no rival: it saves what waking costs."""
    ceiling: str = ""
    """What bounds it: the name of a figure of the machine."""

    def better(self, mine: float, other: float) -> float:
        """How many times better `mine` is."""
        return mine / other if self.unit == "/s" else other / max(mine, _SHORTEST)

    def met(self, value: float) -> bool:
        """Whether a value of ours is what is asked."""
        return self.asked is None or (value > self.asked if self.unit == "/s" else value < self.asked)

    def number(self, value: float) -> str:
        return f"{value:,.0f}" if self.unit == "/s" else f"{value:.2f}"


MEASURES = {
    "drain": Measure("draining, each end durable", "/s", asked=100, margin=1.1, ceiling="commits10"),
    "pace": Measure("draining, start to start", "/s", margin=None),
    "enqueue1": Measure("enqueueing, one by one", "/s", only_waking=True, ceiling="commits1"),
    "enqueue10": Measure("enqueueing, 10 clients", "/s", only_waking=True, ceiling="commits10"),
    "bulk": Measure("enqueueing, 1,000 at once", "/s", only_waking=True),
    "idle_p50": Measure("idle: commit to start, p50", "ms", asked=1),
    "idle_p99": Measure("idle: commit to start, p99", "ms"),
    "idle_call_p50": Measure("idle: call to start, p50", "ms", margin=None),
    "paced_p50": Measure("at 200/s: commit to start, p50", "ms"),
    "paced_p99": Measure("at 200/s: commit to start, p99", "ms"),
    "paced_call_p50": Measure("at 200/s: call to start, p50", "ms", margin=None),
    "claim_p50": Measure("claim under load, p50", "ms"),
    "claim_p99": Measure("claim under load, p99", "ms", asked=10),
    "rows": Measure("events a claim", "", margin=None),
}
