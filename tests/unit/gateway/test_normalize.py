"""Events become changes: the documented ones rightly, anything else without harm."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ApprovalId, ChannelId, MessageTs, TurnId, UserId
from athenaeum.gateway.changes import (
    Archived,
    Clicked,
    Doubted,
    Explained,
    Met,
    Moved,
    Nothing,
    Reacted,
    Relocated,
    Removed,
    Renamed,
    Stale,
    Written,
)
from athenaeum.gateway.normalize import normalize
from athenaeum.slack.incoming import Malformed

BOT = UserId("UBOT")
TS = "1700000000.000100"
AT = datetime(2023, 11, 14, 22, 13, 27, 250_000, tzinfo=UTC)
MESSAGE: dict[str, Any] = {
    "type": "message",
    "channel": "C1",
    "channel_type": "channel",
    "user": "U1",
    "text": "hi",
    "ts": TS,
}


def callback(event: dict[str, Any], **outer: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event, **outer}


def written(event: dict[str, Any], **outer: Any) -> Written:
    change = normalize(callback({**MESSAGE, **event}, **outer), BOT)
    assert isinstance(change, Written)
    return change


def test_a_message_is_read_whole() -> None:
    change = written({"text": "<@UBOT> a &amp; b", "thread_ts": "1699999999.000001"})
    speech = change.speech
    assert speech is not None
    assert (speech.text, speech.mentions_bot, speech.channel_kind) == ("a & b", True, ChannelKind.PUBLIC)
    assert (speech.workspace, speech.sender, speech.thread_ts) == ("T1", "U1", "1699999999.000001")
    assert speech.sent_at == datetime(2023, 11, 14, 22, 13, 20, 100, tzinfo=UTC)
    assert change.message.text == "<@UBOT> a &amp; b"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("<@UBOT>", ""),
        ("<@UBOT|athenaeum> hello", "hello"),
        ("hello <@UBOT>", "hello"),
        ("ask <@UBOT> about <@W2> and <@U3|tom>", "ask about <@W2> and <@U3|tom>"),
        ("<@UBOT>\n```a\n    b```", "```a\n    b```"),
        ("one <@UBOT> <@UBOT>  two", "one two"),
        ("a &lt;b&gt; &amp;amp;", "a <b> &amp;"),
    ],
)
def test_the_mention_of_the_bot_is_taken_out_wherever_it_stands(text: str, question: str) -> None:
    speech = written({"text": text}).speech
    assert speech is not None
    assert speech.text == question


def test_a_mention_of_somebody_whose_id_begins_like_the_bots_is_not_the_bots() -> None:
    speech = written({"text": "<@UBOT2> hi"}).speech
    assert speech is not None
    assert not speech.mentions_bot


@pytest.mark.parametrize(
    ("channel", "given", "kind"),
    [
        ("C1", "channel", ChannelKind.PUBLIC),
        ("C1", "group", ChannelKind.PRIVATE),
        ("G1", "mpim", ChannelKind.GROUP),
        ("D1", "im", ChannelKind.DIRECT),
        ("D1", "", ChannelKind.DIRECT),
        ("C1", "", None),
    ],
)
def test_the_kind_of_channel_comes_from_the_event_or_stays_unknown(
    channel: str, given: str, kind: ChannelKind | None
) -> None:
    assert written({"channel": channel, "channel_type": given}).kind is kind


def test_grid_events_name_their_installation_in_the_authorizations() -> None:
    leave = [{"enterprise_id": "E1", "team_id": "T9", "user_id": "UBOT"}]
    speech = written({"user": "W1"}, team_id=None, authorizations=leave, context_team_id="T8").speech
    assert speech is not None
    assert (speech.workspace, speech.enterprise, speech.sender) == ("T9", "E1", "W1")


def test_an_organisation_wide_installation_has_no_team_but_the_contexts() -> None:
    leave = [{"enterprise_id": "E1", "team_id": None, "is_enterprise_install": True}]
    speech = written({}, team_id=None, authorizations=leave, context_team_id="T8").speech
    assert speech is not None
    assert (speech.workspace, speech.enterprise) == ("T8", "E1")


def test_an_edit_carries_its_own_date() -> None:
    inner = {
        "type": "message",
        "user": "U1",
        "ts": TS,
        "text": "new",
        "edited": {"user": "U1", "ts": "1700000005.000000"},
    }
    change = written({"subtype": "message_changed", "message": inner, "previous_message": {**inner, "text": "old"}})
    assert change.revised
    assert change.message.edited_at == datetime(2023, 11, 14, 22, 13, 25, tzinfo=UTC)


def test_an_edit_is_told_by_the_time_of_its_event_as_well() -> None:
    inner = {"type": "message", "user": "U1", "ts": TS, "text": "new"}
    change = written({"subtype": "message_changed", "message": inner, "ts": "1700000009.000000"})
    assert change.message.changed_at == datetime(2023, 11, 14, 22, 13, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ({**MESSAGE, "subtype": "message_deleted", "deleted_ts": TS}, Removed(ChannelId("C1"), MessageTs(TS), AT)),
        ({**MESSAGE, "subtype": "channel_convert_to_private"}, Doubted(ChannelId("C1"))),
        ({**MESSAGE, "subtype": "message_replied"}, Nothing()),
        (
            {"type": "reaction_added", "user": "U1", "reaction": "eyes", "item": {"channel": "C1", "ts": TS}},
            Reacted(ChannelId("C1"), MessageTs(TS), UserId("U1"), "eyes", added=True, at=AT),
        ),
        ({"type": "reaction_added", "user": "U1", "reaction": "eyes", "item": {"type": "file"}}, Nothing()),
        (
            {"type": "member_joined_channel", "user": "U1", "channel": "C1"},
            Moved(ChannelId("C1"), UserId("U1"), joined=True, at=AT),
        ),
        (
            {"type": "member_left_channel", "user": "U1", "channel": "C1"},
            Moved(ChannelId("C1"), UserId("U1"), joined=False, at=AT),
        ),
        ({"type": "channel_rename", "channel": {"id": "C1", "name": "new"}}, Renamed(ChannelId("C1"), "new", AT)),
        ({"type": "channel_archive", "channel": "C1"}, Archived(ChannelId("C1"), archived=True, at=AT)),
        ({"type": "group_unarchive", "channel": "C1"}, Archived(ChannelId("C1"), archived=False, at=AT)),
        ({"type": "channel_left", "channel": "C1"}, Doubted(ChannelId("C1"))),
        ({"type": "channel_shared", "channel": "C1"}, Doubted(ChannelId("C1"))),
        ({"type": "channel_created", "channel": {"id": "C1", "name": "new"}}, Stale(ChannelId("C1"))),
        (
            {"type": "channel_id_changed", "old_channel_id": "C1", "new_channel_id": "C2"},
            Relocated(ChannelId("C2"), ChannelId("C1")),
        ),
        ({"type": "emoji_changed"}, Nothing()),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_each_event_is_the_change_it_tells_of(event: dict[str, Any], change: object) -> None:
    assert normalize(callback({**event, "event_ts": "1700000007.250000"}), BOT) == change


def test_a_changed_person_is_read_as_others_see_them() -> None:
    profile = {"display_name": "maya", "real_name": "Maya Chen"}
    change = normalize(
        callback({"type": "user_change", "user": {"id": "U1", "name": "mchen", "profile": profile}}), BOT
    )
    assert isinstance(change, Met)
    assert (change.person.name, change.person.real_name, change.person.is_guest) == ("maya", "Maya Chen", False)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_TYPES = [
    "message", "app_mention", "reaction_added", "member_joined_channel", "channel_rename", "channel_archive",
    "channel_shared", "channel_id_changed", "user_change", "team_join", "channel_left", "other",
]  # fmt: skip
_SUBTYPES = [None, "message_changed", "message_deleted", "bot_message", "file_share", "tombstone", "x"]
_KEYS = [
    "channel", "user", "text", "ts", "thread_ts", "message", "previous_message", "edited", "item", "files", "bot_id",
    "channel_type", "deleted_ts", "event_ts", "reaction", "id", "name", "profile", "new_channel_id", "bot_profile",
]  # fmt: skip
_plausible = st.recursive(
    st.sampled_from(["C1", "U1", TS, "", "im", "<@UBOT>", "<@UBOT|x> \x00"]) | _json,
    lambda inner: st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6) | st.lists(inner, max_size=2),
    max_leaves=15,
)


@given(_json)
def test_arbitrary_json_raises_nothing_but_unreadable(body: object) -> None:
    with contextlib.suppress(Malformed):
        normalize(body, BOT)


@given(
    st.sampled_from(_TYPES), st.sampled_from(_SUBTYPES), st.dictionaries(st.sampled_from(_KEYS), _plausible, max_size=8)
)
def test_almost_right_events_raise_nothing_but_unreadable_and_never_hold_what_postgresql_refuses(
    kind: str, subtype: str | None, fields: dict[str, Any]
) -> None:
    try:
        change = normalize(callback({"type": kind, "subtype": subtype, **fields}), BOT)
    except Malformed:
        return
    if isinstance(change, Written):
        assert "\x00" not in change.message.text
        assert all("\x00" not in file.name for file in change.message.files)
        change.message.text.encode()


@given(st.text(), st.text())
def test_no_text_of_a_question_holds_the_bots_mention(before: str, after: str) -> None:
    speech = written({"text": f"{before}<@UBOT>{after}"}).speech
    assert speech is not None
    assert speech.mentions_bot
    assert "<@UBOT>" not in speech.text or "<@UBOT>" in (before + after).replace("&lt;", "<").replace("&gt;", ">")


APPROVAL = "00000000-0000-4000-8000-000000000007"
CLICK: dict[str, Any] = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "channel": {"id": "C1"},
    "container": {"type": "message", "message_ts": TS, "thread_ts": "1699999999.000001"},
    "actions": [{"action_id": "athenaeum_approve", "value": APPROVAL, "action_ts": "1700000001.5"}],
}


def test_a_click_names_who_decided_what() -> None:
    thread = MessageTs("1699999999.000001")
    clicked = Clicked(ChannelId("C1"), thread, UserId("U1"), ApprovalId(UUID(APPROVAL)), approved=True)
    assert normalize(CLICK, BOT) == clicked
    denied = {**CLICK, "actions": [{"action_id": "athenaeum_deny", "value": APPROVAL}]}
    assert normalize(denied, BOT) == replace(clicked, approved=False)


SUBMISSION: dict[str, Any] = {
    "type": "view_submission",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "view": {
        "id": "V1",
        "callback_id": "athenaeum_reason",
        "private_metadata": f"{APPROVAL} 2026-11-21T07:00:00.000001+00:00",
        "state": {"values": {"athenaeum_reason": {"athenaeum_reason": {"value": "Too\x00 old."}}}},
    },
}


def test_a_filled_modal_names_who_said_what_of_which_word() -> None:
    at = datetime(2026, 11, 21, 7, 0, 0, 1, tzinfo=UTC)
    assert normalize(SUBMISSION, BOT) == Explained(UserId("U1"), TurnId(UUID(APPROVAL)), at, "Too old.")


@pytest.mark.parametrize("metadata", ["", APPROVAL, "x 2026-11-21T07:00:00+00:00", f"{APPROVAL} yesterday"])
def test_a_modal_of_ours_with_other_metadata_is_refused(metadata: str) -> None:
    with pytest.raises(Malformed, match="metadata"):
        normalize({**SUBMISSION, "view": {**SUBMISSION["view"], "private_metadata": metadata}}, BOT)


def test_a_modal_of_others_is_nothing() -> None:
    for view in ({**SUBMISSION["view"], "callback_id": "theirs"}, None, "x"):
        assert normalize({**SUBMISSION, "view": view}, BOT) == Nothing()


def test_a_click_on_anything_else_is_nothing() -> None:
    for actions in ([], [{"action_id": "feedback"}], "none", None):
        assert normalize({**CLICK, "actions": actions}, BOT) == Nothing()


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.none() | st.text(max_size=5) | st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=3)))
            for name in ("team", "enterprise", "user", "channel", "container", "actions")
        },
    )
)
def test_no_click_raises_anything_but_malformed(fields: dict[str, Any]) -> None:
    with contextlib.suppress(Malformed):
        normalize({**CLICK, **fields}, BOT)
