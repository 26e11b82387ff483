"""`athenaeum up`, and its three roles apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.commands.console import err, run, settings

if TYPE_CHECKING:
    from athenaeum.wiring.process import Running


def up() -> None:
    """Run gateway, workers and janitor in one process.

    Example: athenaeum up
    """
    _serve("gateway", "worker", "janitor")


def gateway() -> None:
    """Receive Slack's events and put them into the queue.

    Example: athenaeum gateway
    """
    _serve("gateway")


def worker() -> None:
    """Answer what is in the queue; run as many as you like.

    Example: WORKER_POOL_SIZE=10 athenaeum worker
    """
    _serve("worker")


def janitor() -> None:
    """Close what was left open and drop old history; one is enough.

    Example: athenaeum janitor
    """
    _serve("janitor")


def _serve(*roles: str) -> None:
    config = settings(quiet=False)
    config.log_configuration()
    from athenaeum.wiring.process import Role, serve

    run(serve(config, [Role(role) for role in roles], ready=_announce))


def _announce(running: Running) -> None:
    err.print(f"Athenaeum is up; health and metrics on {running.address}/health")
