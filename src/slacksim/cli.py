"""The command ``slacksim``."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from slacksim import scenario
from slacksim.errors import ScenarioError
from slacksim.server import SlackSim
from slacksim.world import World

app = typer.Typer(add_completion=False)


@app.command()
def run(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 8080,
    scenario_file: Annotated[
        Path | None,
        typer.Option("--scenario", help="A scenario file (YAML or JSON); a small workspace by default."),
    ] = None,
) -> None:
    """Runs a local Slack workspace and prints its URL.

    Example: slacksim --port 0 --scenario company.yaml
    """
    try:
        world = scenario.load(scenario_file) if scenario_file else scenario.load()
    except ScenarioError as error:
        typer.echo(f"slacksim: {error}", err=True)
        raise typer.Exit(2) from None
    try:
        asyncio.run(_serve(world, port))
    except OSError as error:
        typer.echo(f"slacksim: port {port}: {error.strerror}. Take another with --port.", err=True)
        raise typer.Exit(1) from None


async def _serve(world: World, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with SlackSim(world, port=port) as sim:
        typer.echo(sim.url)
        await stopped.wait()


def main() -> None:
    app()
