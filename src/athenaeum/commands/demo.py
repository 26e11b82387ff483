"""`athenaeum demo`: the whole product, with no account and no key."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from athenaeum.commands.console import err, out, progress_bar, run, settings, show_json

if TYPE_CHECKING:
    from athenaeum.config import Config
    from athenaeum.domain.turn import Answer


def demo(
    port: Annotated[int | None, typer.Option(min=0, max=65534, help="The page's port; 0 takes a free one.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
    ask: Annotated[str | None, typer.Option(metavar="TEXT", help="Ask once, print the answer as JSON, end.")] = None,
) -> None:
    """Show everything in a browser: a made-up company's workspace on this machine.

    Example: athenaeum demo --ask "How do I retry a failed event?"
    """
    if ask is not None and not ask.strip():
        raise typer.BadParameter("--ask: ask something")
    config = settings()
    if ask is None:
        run(_show(config, port, browser=browser))
        return
    answer = run(_ask(config, ask, port))
    show_json({"question": ask, "answer": answer.text, **_sources(answer), "model": answer.model})


async def _show(config: Config, port: int | None, *, browser: bool) -> None:
    from athenaeum.demo.house import home_of, open_house
    from athenaeum.demo.instance import running

    if (url := running(home_of(config))) is not None:
        out.print(url, style="bold")
        err.print("The demo is running already; end that one with Ctrl-C to begin anew.", style="dim")
        return
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with open_house(config, port=port) as house:
        out.print(house.url, style="bold")
        if browser:
            _open(house.url)
        with progress_bar() as tell:
            await house.stock(tell)
        err.print("Mention @Athenaeum in a channel, or write to it. Ctrl-C ends the demo.", style="dim")
        await stopped.wait()


async def _ask(config: Config, question: str, port: int | None) -> Answer:
    from athenaeum.demo.asking import ask_in_workspace
    from athenaeum.demo.house import home_of, open_house
    from athenaeum.demo.instance import running
    from athenaeum.wiring.database import open_database

    if (url := running(home_of(config))) is not None:
        inside = config.model_copy(update={"home": home_of(config)})
        async with open_database(inside) as database:
            return await ask_in_workspace(database, url, question)
    async with open_house(config, port=0 if port is None else port) as house:
        with progress_bar() as tell:
            await house.stock(tell)
        return await ask_in_workspace(house.running.database, house.url, question)


def _sources(answer: Answer) -> dict[str, object]:
    shown = ("number", "title", "url", "quote")
    return {"citations": [{name: asdict(source)[name] for name in shown} for source in answer.citations]}


def _open(url: str) -> None:
    try:
        controller = webbrowser.get()
    except webbrowser.Error:
        return
    if type(controller) is not webbrowser.GenericBrowser:  # that one would take over the terminal
        controller.open(url)
