"""Clicks that Slack brings as signed forms: written down before they are acknowledged, whatever else is in them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from athenaeum.conversations import turns
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.approval import Proposal, ProposedCall
from athenaeum.domain.identity import ApprovalId, LeaseToken, TurnId
from athenaeum.domain.tenant import Tenant
from athenaeum.slack.formatting import APPROVE
from support.slack_events import BOT, Events, Store, Webhook

FORM = {"content-type": "application/x-www-form-urlencoded"}
TOKEN = LeaseToken(1)


@pytest.fixture
async def proposal(
    webhook: Webhook, events: Events, store: Store, database: DatabaseConnection, tenant: Tenant
) -> Proposal:
    """What a turn of U0001 in C0001 waits for."""
    await webhook.send(events.mention(f"<@{BOT}> Post a note."))
    (row,) = await store.turns()
    proposed = Proposal(ApprovalId(uuid4()), (ProposedCall("c1", "post_note", "Post a note", {"text": "hi"}),))
    async with database.session(tenant.id) as session:
        turn = await turns.take(session, TurnId(row.turn_id), TOKEN)
        await turns.park(session, turn, TOKEN, proposed)
    return proposed


def click(proposal: Proposal, *, user: str = "U0001", team: str = "T0001") -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": team},
        "enterprise": None,
        "user": {"id": user},
        "channel": {"id": "C0001"},
        "container": {"type": "message", "message_ts": "1700000000.000100", "thread_ts": "1700000000.000001"},
        "actions": [{"action_id": APPROVE, "value": str(proposal.id), "action_ts": "1700000001.000001"}],
    }


def form(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


async def decided(store: Store) -> list[tuple[Any, ...]]:
    return await store.rows("SELECT decision, decided_by FROM approvals")


async def queued(store: Store, kind: str) -> int:
    [(count,)] = await store.rows("SELECT count(*) FROM events WHERE event_type = :kind", kind=kind)
    return count


async def test_a_click_is_written_down_with_its_event_before_it_is_acknowledged(
    webhook: Webhook, store: Store, proposal: Proposal
) -> None:
    response = await webhook.post(form(click(proposal)), headers=FORM)

    assert (response.status_code, response.text) == (200, "")
    assert await decided(store) == [("approved", "U0001")]
    assert await queued(store, turns.TURN) == 2


async def test_what_is_refused_is_told_by_way_of_the_queue_once(
    webhook: Webhook, store: Store, proposal: Proposal
) -> None:
    for _ in range(2):
        await webhook.post(form(click(proposal, user="U0002")), headers=FORM)

    assert await decided(store) == [(None, None)]
    assert await queued(store, turns.TURN) == 1
    assert await queued(store, "notice") == 1


@pytest.mark.parametrize("secret", ["", "another secret"])
async def test_a_click_that_slack_did_not_sign_decides_nothing(
    webhook: Webhook, store: Store, proposal: Proposal, secret: str
) -> None:
    response = await webhook.post(form(click(proposal)), secret=secret, headers=FORM)

    assert response.status_code == 401
    assert await decided(store) == [(None, None)]


async def test_a_click_in_another_workspace_decides_nothing_here(
    webhook: Webhook, store: Store, proposal: Proposal
) -> None:
    response = await webhook.post(form(click(proposal, team="T0OTHER")), headers=FORM)

    assert response.status_code == 200
    assert await decided(store) == [(None, None)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"command=%2Fathenaeum&text=hi", 200),
        (b"payload=", 200),
        (b"payload=not+json", 400),
        (b"payload=%5B%5D", 400),
        (b"payload=%FF", 400),
        (b"\xff=\xfe", 400),
        (form({"type": "view_submission"}), 200),
        (form({"type": "block_actions"}), 200),
        (form({"type": "block_actions", "team": {"id": "T0001"}, "actions": [{"action_id": APPROVE}]}), 200),
    ],
)
async def test_any_other_form_does_no_harm(webhook: Webhook, body: bytes, status: int) -> None:
    assert (await webhook.post(body, headers=FORM)).status_code == status
