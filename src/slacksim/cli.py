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
    scenario_files: Annotated[
        list[Path] | None,
        typer.Option(
            "--scenario",
            help="A scenario file (YAML or JSON); a small workspace by default. Given again: one more workspace.",
        ),
    ] = None,
) -> None:
    """Runs a local Slack workspace and prints its URL.

    Example: slacksim --port 0 --scenario company.yaml
    """
    try:
        worlds = [scenario.load(file) for file in scenario_files] if scenario_files else [scenario.load()]
    except ScenarioError as error:
        typer.echo(f"slacksim: {error}", err=True)
        raise typer.Exit(2) from None
    try:
        asyncio.run(_serve(worlds, port))
    except OSError as error:
        typer.echo(f"slacksim: port {port}: {error.strerror}. Take another with --port.", err=True)
        raise typer.Exit(1) from None


async def _serve(worlds: list[World], port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with SlackSim(worlds[0], port=port, others=worlds[1:]) as sim:
        typer.echo(sim.url)
        await stopped.wait()


def main() -> None:
    app()
