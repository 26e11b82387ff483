"""The queue beside its peers, in one run on one machine: draining, enqueueing, wake-up, claims.

    python bench/queue [--peers ours,pgqueuer] [--tests drain,idle] [--rounds 5] [--json FILE]
    python bench/queue --tests drain --waiting 1000000 --finished 1000000

Runs on DATABASE_URL, which must be scratch, or on an embedded server in a temporary home; Celery's Redis is started
where `redis-server` is installed. Every worker and every producer is a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog
from bench.queue.machine import machine
from bench.queue.peers import PEERS
from bench.queue.report import Report
from bench.queue.rounds import Plan, play
from bench.queue.scenes import EMPTY, finished, waiting
from bench.queue.table import show
from bench.queue.trials import TRIALS
from rich.console import Console


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python bench/queue", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=_names(PEERS), default=list(PEERS), help=f"of {','.join(PEERS)}")
    parser.add_argument("--tests", type=_names(TRIALS), default=list(TRIALS), help=f"of {','.join(TRIALS)}")
    parser.add_argument("--events", type=int, default=20_000, help="how many to drain, and to enqueue in bulk")
    parser.add_argument("--rounds", type=int, default=2, help="how often each peer has its turn; medians are shown")
    parser.add_argument(
        "--waiting", type=int, action="append", default=[], help="also beside so many waiting events; repeatable"
    )
    parser.add_argument(
        "--finished", type=int, action="append", default=[], help="also beside so many finished events; repeatable"
    )
    parser.add_argument("--json", type=Path, help="write every figure to this file as well")
    return parser.parse_args()


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no {name}: give some of {','.join(known)}")
        return chosen

    return names


async def run(options: argparse.Namespace, report: Report) -> None:
    """Fill the report, until all is measured or SIGTERM or SIGINT comes."""
    scenes = [EMPTY, *map(waiting, options.waiting), *map(finished, options.finished)]
    plan = Plan(options.peers, options.tests, scenes, options.events, options.rounds)
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        async with machine() as site:
            await play(plan, site, report)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chosen = arguments()
    report = Report(chosen.events)
    asyncio.run(run(chosen, report))
    show(report, Console() if sys.stdout.isatty() else Console(width=200))
    if chosen.json:
        report.write(chosen.json)
    sys.exit(bool(report.missed()))
