"""Who is spoken to: threads in which the bot listens, messages that share a turn, channels with a mode."""

from __future__ import annotations

import time

import pytest

from athenaeum.conversations import modes, turns
from athenaeum.domain.channel import Mode
from athenaeum.domain.identity import ChannelId, LeaseToken, MessageTs, TurnId, turn_id
from athenaeum.gateway.listener import Listener
from support.slack_events import BOT, Events, Store, take

MAYA, TOM, BOB = "U0001", "U0002", "U0003"
CHANNEL = ChannelId("C0001")


@pytest.fixture(autouse=True)
async def _people(store: Store) -> None:  # pyright: ignore[reportUnusedFunction]
    for user, name in ((MAYA, "Maya Chen"), (TOM, "Tom"), (BOB, "Bob Stone")):
        await store.rows(
            "INSERT INTO slack_users (tenant_id, user_id, name, real_name) VALUES (:tenant, :user, :name, :name)"
            " RETURNING 1",
            tenant=store.tenant,
            user=user,
            name=name,
        )


async def questions(store: Store) -> list[str]:
    return [turn.question for turn in await store.turns()]


async def ask(listener: Listener, events: Events, store: Store, question: str = "how do I roll back?") -> str:
    """A mention by Maya that has its answer; gives the thread."""
    root = events.ts()
    await take(listener, events.mention(f"<@{BOT}> {question}", ts=root))
    await answer(store, root)
    await take(listener, events.message("With `rollback`.", user=BOT, bot_id="BBOT00001", thread_ts=root))
    return root


async def answer(store: Store, ts: str) -> None:
    await store.rows(
        "UPDATE turns SET state = 'delivered', fence = 1, answered_at = now(), finished_at = now(),"
        """ answer = '{"text": "With `rollback`.", "citations": [], "model": "", "usage": {}}'"""
        " WHERE message_ts = :ts RETURNING 1",
        ts=ts,
    )


async def begin(store: Store, ts: str) -> TurnId:
    """A worker takes the turn."""
    turn = turn_id(store.tenant, CHANNEL, MessageTs(ts))
    async with store.database.session(store.tenant) as session:
        await turns.take(session, turn, LeaseToken(1))
    return turn


async def withdrawn(store: Store, ts: str) -> bool:
    async with store.database.session(store.tenant) as session:
        turn = await turns.look(session, turn_id(store.tenant, CHANNEL, MessageTs(ts)))
        return await turns.withdrawn(session, turn)


async def test_a_thread_in_which_the_bot_was_mentioned_needs_no_mention(
    listener: Listener, events: Events, store: Store
) -> None:
    root = await ask(listener, events, store)
    await take(listener, events.message("and on staging?", thread_ts=root))

    assert await questions(store) == ["how do I roll back?", "and on staging?"]
    assert [turn.thread_ts for turn in await store.turns()] == [root, root]


async def test_another_person_may_ask_in_it(listener: Listener, events: Events, store: Store) -> None:
    root = await ask(listener, events, store)
    await take(listener, events.message("how long does it take?", user=TOM, thread_ts=root))

    assert [turn.asker_id for turn in await store.turns()] == [MAYA, TOM]


async def test_other_threads_and_the_channel_itself_need_a_mention(
    listener: Listener, events: Events, store: Store
) -> None:
    await ask(listener, events, store)
    await take(listener, events.message("and on staging?"), events.message("why?", thread_ts=events.ts()))

    assert len(await store.turns()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "thanks!",
        "<@U0003> can you look?",
        "Bob, can you look?",
        "hey bob can you look?",
        "<!here> does it work?",
        "I tried it.",
        ":tada:",
        "&gt; how do I roll back?",
    ],
)
async def test_the_bot_stays_silent_where_nobody_speaks_to_it(
    listener: Listener, events: Events, store: Store, text: str
) -> None:
    root = await ask(listener, events, store)
    await take(listener, events.message(text, thread_ts=root))

    assert len(await store.turns()) == 1
    assert (await store.messages())[-1].text == text


async def test_two_people_who_talk_to_each_other_are_left_alone(
    listener: Listener, events: Events, store: Store
) -> None:
    root = await ask(listener, events, store)
    await take(
        listener,
        events.message("<@U0002> was it you?", thread_ts=root),
        events.message("how do you mean?", user=TOM, thread_ts=root),
        events.message("who deployed it?", thread_ts=root),
        events.message("why do you ask?", user=TOM, thread_ts=root),
    )

    assert len(await store.turns()) == 1


async def test_thanks_between_do_not_take_the_floor(listener: Listener, events: Events, store: Store) -> None:
    root = await ask(listener, events, store)
    await take(
        listener,
        events.message("thanks!", user=TOM, thread_ts=root),
        events.message("and on staging?", thread_ts=root),
    )

    assert await questions(store) == ["how do I roll back?", "and on staging?"]


async def test_a_mention_brings_the_bot_back_among_people(listener: Listener, events: Events, store: Store) -> None:
    root = await ask(listener, events, store)
    await take(
        listener,
        events.message("Tom, was it you?", thread_ts=root),
        events.message("no", user=TOM, thread_ts=root),
        events.mention(f"<@{BOT}> who deployed last?", thread_ts=root),
    )
    await answer(store, (await store.turns())[-1].message_ts)
    await take(listener, events.message("and before that?", thread_ts=root))

    assert await questions(store) == ["how do I roll back?", "who deployed last?", "and before that?"]


async def test_half_an_hour_after_the_last_question_the_bot_listens_no_more(
    listener: Listener, events: Events, store: Store
) -> None:
    root = await ask(listener, events, store)
    await store.rows("UPDATE threads SET engaged_until = now() + interval '1 minute' RETURNING 1")
    await take(listener, events.message("and on staging?", thread_ts=root))
    assert await store.rows("SELECT engaged_until > now() + interval '29 minutes' FROM threads") == [(True,)]
    await answer(store, (await store.turns())[-1].message_ts)

    await store.rows("UPDATE threads SET engaged_until = now() RETURNING 1")
    await take(listener, events.message("and on production?", thread_ts=root))
    assert len(await store.turns()) == 2


async def test_what_was_said_before_the_mention_is_not_asked_when_it_comes_late(
    listener: Listener, events: Events, store: Store
) -> None:
    root, early, mention = events.ts(), events.ts(), events.ts()
    await take(
        listener,
        events.mention(f"<@{BOT}> who deployed?", ts=mention, thread_ts=root),
        events.message("did it work?", ts=early, thread_ts=root),
    )

    assert await questions(store) == ["who deployed?"]


async def test_mute_and_unmute_end_and_begin_listening(listener: Listener, events: Events, store: Store) -> None:
    root = await ask(listener, events, store)
    muted = events.ts()
    await take(
        listener,
        events.message("stop listening", ts=muted, thread_ts=root),
        events.message("does it work?", thread_ts=root),
        events.mention(f"<@{BOT}> does it?", thread_ts=root),
    )
    for turn in await store.turns():
        await answer(store, turn.message_ts)
    await take(
        listener,
        events.message("and now?", thread_ts=root),
        events.message("unmute", thread_ts=root),
        events.message("stop listening", ts=muted, thread_ts=root),
    )
    await answer(store, (await store.turns())[-1].message_ts)
    await take(listener, events.message("and now?", thread_ts=root))

    assert await questions(store) == ["how do I roll back?", "stop listening", "does it?", "unmute", "and now?"]


async def test_after_forget_the_bot_listens_no_more(listener: Listener, events: Events, store: Store) -> None:
    root = await ask(listener, events, store)
    await take(listener, events.message("forget", thread_ts=root), events.message("and on staging?", thread_ts=root))

    assert await questions(store) == ["how do I roll back?", "forget"]
    assert await store.rows("SELECT forgotten_ts > since_ts FROM threads") == [(True,)]


async def test_a_group_message_needs_a_mention_first(listener: Listener, events: Events, store: Store) -> None:
    group = {"channel": "G0001", "channel_type": "mpim"}
    root = events.ts()
    await take(listener, events.message("how do I roll back?", **group))
    assert await store.turns() == []

    await take(listener, events.message(f"<@{BOT}> how?", ts=root, **group))
    await answer(store, root)
    await take(listener, events.message("and on staging?", thread_ts=root, **group))
    assert await questions(store) == ["how?", "and on staging?"]


@pytest.mark.parametrize("text", ["`<@{}>` is me", "```\n<@{}> deploy\n```", "&gt; <@{}> how?\nwhat he said"])
async def test_a_mention_in_code_or_in_a_quotation_is_none(
    listener: Listener, events: Events, store: Store, text: str
) -> None:
    ts, said = events.ts(), text.format(BOT)
    await take(listener, events.message(said, ts=ts), events.mention(said, ts=ts))

    assert await store.turns() == []


async def test_several_bots_that_are_mentioned_each_answer(listener: Listener, events: Events, store: Store) -> None:
    await take(listener, events.message(f"<@UOTHERBOT> <@{BOT}|athenaeum> which of you knows?"))

    assert await questions(store) == ["<@UOTHERBOT> which of you knows?"]


async def test_a_message_that_comes_after_an_hour_is_stored_and_not_answered(
    listener: Listener, events: Events, store: Store
) -> None:
    late = f"{time.time() - 3700:.6f}"
    await take(listener, events.mention(f"<@{BOT}> hello", ts=late))

    assert await store.turns() == []
    assert [message.ts for message in await store.messages()] == [late]


async def test_an_old_message_is_answered_when_the_mention_is_put_in_now(
    listener: Listener, events: Events, store: Store
) -> None:
    late = f"{time.time() - 7200:.6f}"
    await take(listener, events.message("hello?", ts=late), events.edit(f"<@{BOT}> hello?", late, before="hello?"))

    assert await questions(store) == ["hello?"]


DIRECT = {"channel": "D0001", "channel_type": "im"}


async def test_what_somebody_writes_in_a_row_is_one_question(listener: Listener, events: Events, store: Store) -> None:
    for text in ("I have a problem.", "The queue is stuck.", "What now?"):
        message = events.message(text, **DIRECT)
        await take(listener, message, message)

    assert await questions(store) == ["I have a problem.\nThe queue is stuck.\nWhat now?"]
    assert await store.rows("SELECT count(*) FROM events WHERE event_type = 'turn'") == [(1,)]
    assert await store.rows("SELECT count(*), count(DISTINCT turn_id) FROM turn_messages") == [(3, 1)]


async def test_in_a_thread_too_also_when_the_mention_had_no_words(
    listener: Listener, events: Events, store: Store
) -> None:
    root = events.ts()
    await take(
        listener,
        events.mention(f"<@{BOT}>", ts=root),
        events.message("how do I roll back", thread_ts=root),
        events.message("the billing service", thread_ts=root),
    )

    assert await questions(store) == ["how do I roll back\nthe billing service"]


async def test_what_has_begun_is_not_added_to(listener: Listener, events: Events, store: Store) -> None:
    root = events.ts()
    await take(listener, events.mention(f"<@{BOT}> how do I roll back?", ts=root))
    await begin(store, root)
    await take(
        listener,
        events.message("and on staging?", thread_ts=root),
        events.message("the billing service, please", thread_ts=root),
    )

    assert await questions(store) == ["how do I roll back?", "and on staging?\nthe billing service, please"]


async def test_two_people_in_one_thread_have_a_turn_each_in_order(
    listener: Listener, events: Events, store: Store
) -> None:
    root = events.ts()
    await take(
        listener,
        events.mention(f"<@{BOT}> how do I roll back?", ts=root),
        events.message("how long does it take?", user=TOM, thread_ts=root),
        events.message("and on staging?", thread_ts=root),
    )

    assert [(turn.asker_id, turn.question) for turn in await store.turns()] == [
        (MAYA, "how do I roll back?"),
        (TOM, "how long does it take?"),
        (MAYA, "and on staging?"),
    ]
    assert len(await store.rows("SELECT DISTINCT ordering_key FROM events WHERE event_type = 'turn'")) == 1


async def test_who_mentions_the_bot_again_asks_again(listener: Listener, events: Events, store: Store) -> None:
    root = events.ts()
    await take(
        listener,
        events.mention(f"<@{BOT}> how do I roll back?", ts=root),
        events.mention(f"<@{BOT}> and who may?", thread_ts=root),
    )

    assert len(await store.turns()) == 2


async def test_messages_a_minute_apart_are_two_questions(listener: Listener, events: Events, store: Store) -> None:
    before = f"{time.time() - 90:.6f}"
    await take(listener, events.message("What is it?", ts=before, **DIRECT), events.message("And who?", **DIRECT))

    assert await questions(store) == ["What is it?", "And who?"]


async def test_an_edit_of_any_message_of_a_question_rewords_it(
    listener: Listener, events: Events, store: Store
) -> None:
    root, second = events.ts(), events.ts()
    await take(
        listener,
        events.mention(f"<@{BOT}> how do I roll back?", ts=root),
        events.message("on stagign", ts=second, thread_ts=root),
        events.edit("on staging", second, before="on stagign", thread_ts=root),
        events.edit(f"<@{BOT}> how do I roll forward?", root, before="x"),
    )
    assert await questions(store) == ["how do I roll forward?\non staging"]

    await begin(store, root)
    await take(listener, events.edit("on production", second, thread_ts=root))
    assert await questions(store) == ["how do I roll forward?\non staging"]


async def test_a_deleted_message_leaves_the_question_and_the_last_withdraws_it(
    listener: Listener, events: Events, store: Store
) -> None:
    root, second = events.ts(), events.ts()
    await take(
        listener,
        events.mention(f"<@{BOT}> how do I roll back?", ts=root),
        events.message("on staging", ts=second, thread_ts=root),
        events.deletion(root),
    )
    assert await questions(store) == ["on staging"]
    assert not await withdrawn(store, root)

    await take(listener, events.deletion(second))
    assert await withdrawn(store, root)


async def test_stop_ends_what_the_writer_asked_before_it_and_nothing_later(
    listener: Listener, events: Events, store: Store
) -> None:
    root, word, later = events.ts(), events.ts(), events.ts()
    await take(
        listener,
        events.mention(f"<@{BOT}> how do I roll back?", ts=root),
        events.mention(f"<@{BOT}> and who may?", ts=later, thread_ts=root),
        events.message("stop", ts=word, thread_ts=root),
        events.message("Stop!", ts=word, thread_ts=root),
    )

    assert [turn.stopped_by for turn in await store.turns()] == [MAYA, None]
    assert await store.rows("SELECT 1 FROM events WHERE event_type = 'notice'") == []


async def test_who_may_not_stop_is_told_so_alone(listener: Listener, events: Events, store: Store) -> None:
    root, ts = events.ts(), events.ts()
    await take(
        listener,
        events.mention(f"<@{BOT}> how do I roll back?", ts=root),
        events.message(f"<@{BOT}> stop", ts=ts, user=TOM, thread_ts=root),
        events.mention(f"<@{BOT}> stop", ts=ts, user=TOM, thread_ts=root),
    )

    assert [turn.stopped_by for turn in await store.turns()] == [None]
    [(told,)] = await store.rows("SELECT payload FROM events WHERE event_type = 'notice'")
    assert told["user"] == TOM
    assert "admins can stop this" in told["text"]


async def test_an_admin_may_stop_what_another_asked(listener: Listener, events: Events, store: Store) -> None:
    await store.rows("UPDATE slack_users SET is_admin = true WHERE user_id = :tom RETURNING 1", tom=TOM)
    root = events.ts()
    await take(
        listener,
        events.mention(f"<@{BOT}> how do I roll back?", ts=root),
        events.message("stop", user=TOM, thread_ts=root),
    )

    assert [turn.stopped_by for turn in await store.turns()] == [TOM]


async def test_stop_at_the_top_of_a_direct_message_ends_what_waits_there(
    listener: Listener, events: Events, store: Store
) -> None:
    await take(listener, events.message("how do I roll back?", **DIRECT), events.message("stop", **DIRECT))

    assert [(turn.question, turn.stopped_by) for turn in await store.turns()] == [("how do I roll back?", MAYA)]


async def set_mode(store: Store, mode: Mode, *, cap: int = modes.CAP) -> None:
    async with store.database.session(store.tenant) as session:
        await modes.set_mode(session, CHANNEL, mode, cap=cap)


ROOM = ("how do I roll back?", "The deploy is done.", "thanks!", "Bob, did you see it?", "does anyone know?")


@pytest.mark.parametrize(
    ("mode", "answered", "whispered"),
    [
        (Mode.MENTIONS, 0, False),
        (Mode.QUESTIONS, 1, False),
        (Mode.ALL, 2, False),
        (Mode.SUGGEST, 1, True),
    ],
)
async def test_a_channels_mode_says_what_is_answered_without_a_mention(
    listener: Listener, events: Events, store: Store, mode: Mode, answered: int, whispered: bool
) -> None:
    await set_mode(store, mode)
    await take(listener, *(events.message(text) for text in ROOM))

    assert await questions(store) == list(ROOM[:answered])
    assert {turn.whispered for turn in await store.turns()} <= {whispered}


async def test_no_more_than_the_cap_is_answered_in_a_day_and_nobody_is_told(
    listener: Listener, events: Events, store: Store
) -> None:
    await set_mode(store, Mode.QUESTIONS, cap=2)
    for _ in range(3):
        message = events.message("how do I roll back?")
        await take(listener, message, message)
    assert [turn.state for turn in await store.turns()] == ["waiting", "waiting", "cancelled"]
    assert await store.rows("SELECT answered FROM channel_modes") == [(2,)]

    await take(listener, events.mention(f"<@{BOT}> how?"))
    await store.rows("UPDATE channel_modes SET counted_on = counted_on - 1 RETURNING 1")
    await take(listener, events.message("how do I roll back?"))
    assert [turn.state for turn in await store.turns()] == ["waiting", "waiting", "cancelled", "waiting", "waiting"]
    assert await store.rows("SELECT answered FROM channel_modes") == [(1,)]
