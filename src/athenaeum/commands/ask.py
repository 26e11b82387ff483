"""`athenaeum ask`: a question on the terminal, by the same way as one in Slack."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markdown import Markdown

from athenaeum.commands.console import err, escaped, out, run, settings, show_json
from athenaeum.errors import Misconfigured

if TYPE_CHECKING:
    from athenaeum.domain.turn import Answer

_PATIENCE = 600.0  # seconds; longer than every retry of a turn together


def ask(
    question: Annotated[str, typer.Argument(metavar="TEXT", help="What you want to know.")],
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Ask one question here, through the same queue, agent and delivery as in Slack.

    Documents and public channels are searched.

    Example: athenaeum ask "How do I retry a failed event?"
    """
    if not question.strip():
        raise typer.BadParameter("ask something", param_hint="TEXT")
    answer = run(_ask(question))
    if as_json:
        show_json(asdict(answer))
        return
    out.print(Markdown(answer.text))
    if answer.citations:
        out.print()
    for citation in answer.citations:
        out.print(
            f"[dim]\\[{citation.number}] {escaped(citation.title)}  {escaped(citation.url or '')}[/]", soft_wrap=True
        )


async def _ask(question: str) -> Answer:
    from athenaeum.wiring.terminal import ask_here

    with err.status("Thinking…"):
        try:
            async with asyncio.timeout(_PATIENCE):
                return await ask_here(settings(), question)
        except TimeoutError as error:
            raise Misconfigured("no answer within ten minutes: athenaeum events stats shows what waits") from error
