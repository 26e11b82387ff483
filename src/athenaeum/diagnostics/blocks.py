"""Whether Slack takes the blocks that answers are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from athenaeum.diagnostics.finding import Finding, ok, warning
from athenaeum.domain.identity import PassageId, TurnId
from athenaeum.domain.turn import Answer, Citation
from athenaeum.slack.errors import ContentRefused, SlackFailure
from athenaeum.slack.formatting import feedback, render, stop_button

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.slack.client import SlackClient

SUBJECT = "blocks"
_ANSWER = """## Heading

A **bold** word, `code`, a [link](https://example.org/page) and a source [1].

1. one
2. two

| column | column |
| --- | --- |
| cell | cell |

```sh
echo done
```"""
_TURN = TurnId(UUID(int=0))


async def look(client: SlackClient) -> Finding:
    """Ask Slack, which shows nothing for it."""
    try:
        await client.validate_blocks(sample())
    except ContentRefused as refused:
        mend = "report it: until then answers come as plain text, without buttons"
        return warning(SUBJECT, f"Slack does not take what answers are made of ({refused.code})", mend)
    except SlackFailure as failure:
        return ok(SUBJECT, f"Slack did not say ({failure.code}); where it takes none, answers come as plain text")
    return ok(SUBJECT, "Slack takes what answers are made of")


def sample() -> list[Mapping[str, Any]]:
    """One of each kind."""
    citation = Citation(1, PassageId(0), "A page", "https://example.org/page", "its words")
    (rendered,) = render(Answer(_ANSWER, (citation,)))
    return [*rendered.blocks, *feedback(_TURN), stop_button(_TURN)]
