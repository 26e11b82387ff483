"""`athenaeum turns`."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

from athenaeum.conversations import turns
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.approval import Proposal, ProposedCall
from athenaeum.domain.identity import DEFAULT_TENANT, ApprovalId, LeaseToken
from support.command_line import CommandLine
from support.questions import ASKER, CHANNEL, ask

CALL = ProposedCall("call-1", "post_note", "Post a note", {"text": "a secret of the board"})


async def park(database: DatabaseConnection) -> ApprovalId:
    """A question whose asker has to approve a note first."""
    proposal = Proposal(ApprovalId(uuid4()), (CALL,))
    async with database.session(DEFAULT_TENANT) as session:
        asked = await ask(session, "Tell [bold]the board?")
        turn = await turns.take(session, asked, LeaseToken(1))
        await turns.park(session, turn, LeaseToken(1), proposal)
    return proposal.id


async def decide(database: DatabaseConnection, approval: UUID) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.decide(session, ApprovalId(approval), user=ASKER, channel=CHANNEL, approved=True)


async def test_turns_that_wait_for_their_asker_are_listed_until_they_decide(
    athenaeum: CommandLine, database_url: str
) -> None:
    async with DatabaseConnection(database_url, pool_size=1) as database:
        approval = await park(database)

        shown = (await athenaeum("turns", "parked")).out
        assert "post_note" in shown
        assert "Tell [bold]the board?" in shown
        [told] = json.loads((await athenaeum("turns", "parked", "--json")).out)
        assert (told["asker"], told["channel"], told["tools"]) == ("U1", "C1", ["post_note"])
        assert told["asked_at"] < told["expires_at"]
        assert "secret" not in shown + json.dumps(told)

        await decide(database, approval)
        assert (await athenaeum("turns", "parked")).out == "no turn waits for anybody\n"
