"""What is read of the files of a question, and what is said of those that are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from athenaeum.conversations.archive import File, read_file
from athenaeum.conversations.archive.attachments import Attachment
from athenaeum.documents.formats.media import media_type
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.slack.client import SlackClient
from athenaeum.slack.incoming import Payload
from athenaeum.tools.attachments import LARGEST, SHOWN, Attachments, Excerpts
from athenaeum.tools.quarantine import Quarantine
from slacksim import files, objects, scenario
from slacksim.people import Person
from slacksim.server import SlackSim
from support.desk import Desk
from support.office import docx, paragraph
from support.photograph import photograph
from support.product import until

Read = Callable[..., Coroutine[Any, Any, Excerpts]]
_SAID_AT = datetime(2023, 11, 14, tzinfo=UTC)


@pytest.fixture
async def sim() -> AsyncGenerator[SlackSim]:
    async with SlackSim(scenario.load()) as running:
        yield running


@pytest.fixture
def maya(sim: SlackSim) -> Person:
    return Person.named(sim.world, "maya")


@pytest.fixture
async def read(desk: Desk, sim: SlackSim) -> AsyncGenerator[Read]:
    async with SlackClient(sim.world.app.bot_token, base_url=sim.api_url) as client:

        async def read(*shared: File) -> Excerpts:
            found = [Attachment(file, "U1", _SAID_AT) for file in shared]
            return await Attachments(desk.database, {DEFAULT_TENANT: client}).read(desk.question, found)

        yield read


def share(maya: Person, name: str, content: bytes, mimetype: str = "") -> File:
    """A file in a channel of the bot, as the archive knows it."""
    kept = maya.upload(name, content, mimetype=mimetype)
    maya.say("platform", "", files=[kept])
    return read_file(Payload.of(objects.file(kept)))


async def test_what_is_hidden_from_the_eye_is_not_told(maya: Person, read: Read) -> None:
    reading = await read(share(maya, "plan.txt", "Buy paint.\U000e0041\u200b".encode()))
    assert [passage.text for passage in reading.passages] == ["Buy paint."]
    assert [passage.label for passage in reading.passages] == ["F1"]


async def test_a_file_of_office_is_read_by_its_name_or_by_its_kind(maya: Person, read: Read) -> None:
    plan = docx(paragraph("Budget", "Heading1") + paragraph("Paint is the largest part."))
    kind = media_type("plan.docx")
    assert kind is not None
    reading = await read(share(maya, "plan.docx", plan), share(maya, "plan", plan, kind))
    assert [passage.text for passage in reading.passages] == ["Paint is the largest part."] * 2


@pytest.mark.parametrize(
    ("name", "content", "mimetype", "reason"),
    [
        ("beach.png", b"\x89PNG\r\n\x1a\n\x00", "image/png", "cannot be read as a picture"),
        ("beach.heic", b"\x00\x00\x00\x18ftypheic", "image/heic", "pictures of its kind are not seen"),
        ("logo.svg", b"<svg><text>secret</text></svg>", "image/svg+xml", "pictures of its kind are not seen"),
        ("notes.txt", b"PK\x03\x04\x00\x00\x00", "text/plain", "not text"),
        ("bomb.zip", b"PK\x03\x04\x00\x00\x00", "application/zip", "files of its kind are not read"),
        ("plan.docx", b"\xd0\xcf\x11\xe0 and more", "", "locked with a password"),
        ("plan.pdf", b"%PDF-1.7 and nothing else", "application/pdf", "cannot be read as application/pdf"),
    ],
)
async def test_of_what_is_not_text_it_is_said_why_it_is_not_read(
    maya: Person, read: Read, name: str, content: bytes, mimetype: str, reason: str
) -> None:
    reading = await read(share(maya, name, content, mimetype))
    (told,) = reading.unread
    assert not reading.passages
    assert told.startswith(f"{name}: ")
    assert reason in told


async def test_a_file_that_says_to_be_small_is_cut_off_where_it_is_not(maya: Person, read: Read) -> None:
    shared = share(maya, "big.txt", b"word " * (LARGEST // 5 + 1))
    (told,) = (await read(File(shared.name, shared.id, shared.mimetype, 10, shared.url_private))).unread
    assert "larger than 10 MB" in told


async def test_the_token_goes_to_no_other_place(sim: SlackSim, maya: Person, read: Read) -> None:
    shared = share(maya, "plan.txt", b"Buy paint.")
    place = urlsplit(shared.url_private)
    for elsewhere in (f"http://localhost:{place.port}{place.path}", f"https://files.slack.com{place.path}"):
        (told,) = (await read(File(shared.name, shared.id, shared.mimetype, 10, elsewhere))).unread
        assert "kept outside of Slack" in told


async def test_a_file_that_leads_to_signing_in_is_not_followed(sim: SlackSim, maya: Person, read: Read) -> None:
    shared = share(maya, "plan.txt", b"Buy paint.")
    sim.world.app.scopes.remove("files:read")
    (told,) = (await read(shared)).unread
    assert "`files:read`" in told


async def test_a_file_that_is_still_uploaded_is_waited_for(sim: SlackSim, maya: Person, read: Read) -> None:
    kept = maya.upload("plan.txt", b"Buy paint.")
    maya.say("platform", "", files=[kept])
    kept.content = None

    async def asked() -> bool:
        return bool(sim.simulation.calls.of("files.info"))

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read(File("", kept.id)))
        await until(asked)
        files.fill(kept, b"Buy paint.")
    assert [(passage.title, passage.text) for passage in reading.result().passages] == [("plan.txt", "Buy paint.")]


async def test_a_picture_is_shown_with_a_label_of_its_own(maya: Person, read: Read) -> None:
    notes, beach = share(maya, "notes.txt", b"Buy paint."), share(maya, "beach.png", photograph(), "image/png")
    reading = await read(notes, beach)
    assert [(source.label, source.title) for source in reading.sources] == [("F1", "notes.txt"), ("F2", "beach.png")]
    ((told, jpeg),) = reading.shown(Quarantine("7f3a"))
    assert told.splitlines()[:2] == ["<<data 7f3a from a file [F2]>>", "beach.png"]
    assert jpeg.startswith(b"\xff\xd8")
    assert not reading.unread


async def test_at_most_five_files_are_read(maya: Person, read: Read) -> None:
    reading = await read(*(share(maya, f"{number}.png", b"\x89PNG", "image/png") for number in range(6)))
    assert [told.split(":")[0] for told in reading.unread] == ["0.png", "1.png", "2.png", "3.png", "4.png", "1 more"]


async def test_of_a_long_file_that_is_told_which_speaks_to_the_question(maya: Person, read: Read) -> None:
    paragraphs = [f"Chapter {number} is about gardens. " + "Grass grows. " * 90 for number in range(60)]
    paragraphs[50] = "To retry a failed event, put it back into the queue. " + "Queues move. " * 90
    reading = await read(share(maya, "book.txt", "\n\n".join(paragraphs).encode()))
    assert any("retry a failed event" in passage.text for passage in reading.passages)
    assert sum(len(passage.text) for passage in reading.passages) <= SHOWN
    assert "passages: the files are long" in reading.unread[0]
