"""The files of a question, read: each is somebody's text, and none may cost more than its own reading."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from athenaeum.conversations.archive import File, attachments, read_file
from athenaeum.conversations.archive.attachments import Attachment
from athenaeum.database.connection import DatabaseConnection
from athenaeum.documents import sandbox
from athenaeum.documents.chunking import chunks
from athenaeum.documents.formats import picture
from athenaeum.documents.formats.media import BINARIES, media_type
from athenaeum.documents.formats.outline import Outline, Unreadable
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import PassageId, TenantId
from athenaeum.domain.passage import Origin, Passage
from athenaeum.domain.turn import Question
from athenaeum.errors import RetryLater
from athenaeum.llm import quoting
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import MissingScope, SlackFailure
from athenaeum.slack.incoming import Payload
from athenaeum.tenants import register
from athenaeum.tools.quarantine import Quarantine, visible

log = structlog.get_logger(__name__)

MOST: Final = 5
"""Files that are read for a question."""
LARGEST: Final = 10 * 1024 * 1024
"""Bytes of one of them."""
SHOWN: Final = 30_000
"""Characters of all of them that the model is told: some 8,000 tokens."""
_AT_ONCE = 2
"""Readings of one process; each may take a gigabyte."""
_PATIENCE = timedelta(seconds=60)
_UPLOADING = (0.5, 1.0, 2.0)
"""Seconds between looks at a file that is still on its way into Slack."""
_NAME = 80

_PLAIN = frozenset({"application/json", "application/xml", "application/x-yaml", "application/toml", "application/sql"})
_UNSEEN = {
    "image": "pictures of its kind are not seen here",
    "audio": "it is a recording, and recordings are not heard here",
    "video": "it is a film, and films are not seen here",
}
_REFUSED = {
    "file_too_large": f"it is larger than {LARGEST // 1024 // 1024} MB",
    "file_not_found": "it was deleted",
    "file_deleted": "it was deleted",
    "foreign_address": "it is kept outside of Slack, where nothing is opened",
}
_NO_SCOPE = "files may not be opened here: an admin has to install the app again, with the scope `files:read`"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, and how it is cited: a passage without words."""

    passage: Passage
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Excerpts:
    """What the files say and show, and of each that does neither why."""

    passages: tuple[Passage, ...] = ()
    """In the order of the files and of their texts."""
    pictures: tuple[Picture, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def sources(self) -> list[Passage]:
        """All that an answer may cite."""
        return [*self.passages, *(shown.passage for shown in self.pictures)]

    def shown(self, quarantine: Quarantine) -> list[tuple[str, bytes]]:
        """Each picture, and the words before it."""
        return [
            (quarantine.wrap(shown.passage.source, origin=Origin.FILE, label=shown.passage.label), shown.jpeg)
            for shown in self.pictures
        ]

    def quoted(self, quarantine: Quarantine) -> tuple[list[str], str]:
        """The passages and what was not read, as a model is told them."""
        passages = [
            quarantine.wrap(f"{passage.source}\n\n{passage.text}", origin=Origin.FILE, label=passage.label)
            for passage in self.passages
        ]
        return passages, quarantine.wrap("\n".join(self.unread), origin=Origin.FILE) if self.unread else ""


class Attachments:
    """Reads what was shared with a question, and in its thread before it."""

    def __init__(self, database: DatabaseConnection, clients: Mapping[TenantId, SlackClient]) -> None:
        """`clients` open the files, each those of its workspace."""
        self._database = database
        self._clients = clients
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def find(self, question: Question) -> list[Attachment]:
        """The files, those of the question itself first."""
        if question.surface is not Surface.SLACK:
            return []
        async with self._database.session(question.tenant) as session:
            return await attachments.shared(session, question)

    async def read(self, question: Question, found: Sequence[Attachment]) -> Excerpts:
        """As much of the files as a model is told; of long ones what speaks to the question."""
        workspace = (await register.get(self._database, question.tenant)).url
        passages: list[Passage] = []
        pictures: list[Picture] = []
        unread: list[str] = []
        for attachment in found[:MOST]:
            begun = len(passages) + len(pictures)
            try:
                file, opened = await self._open(self._clients[question.tenant], attachment.file)
            except Unreadable as reason:
                log.info("file.unread", file=attachment.file.id, reason=str(reason))
                unread.append(f"{_named(attachment)}: {reason}.")
                continue
            known = replace(attachment, file=file)
            if isinstance(opened, Outline):
                passages += [
                    _passage(known, workspace, begun + number, heading=chunk.heading, text=chunk.text)
                    for number, chunk in enumerate(chunks(opened), 1)
                ]
            else:
                pictures.append(Picture(_passage(known, workspace, begun + 1), opened))
        if len(found) > MOST:
            unread.append(f"{len(found) - MOST} more: at most {MOST} files are read for a question.")
        chosen = _chosen(passages, question.text)
        if left := len(passages) - len(chosen):
            unread.append(
                f"{left} of {len(passages)} passages: the files are long, and these speak least to the question."
            )
        return Excerpts(tuple(chosen), tuple(pictures), tuple(unread))

    async def _open(self, client: SlackClient, file: File) -> tuple[File, Outline | bytes]:
        """The file as it is known now, and its text, or, of a picture, what a model is shown."""
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                file = await _complete(client, file)
                media = _media(file)
                if file.size > LARGEST:
                    raise Unreadable(_REFUSED["file_too_large"])
                content = await client.download(file.url_private, limit=LARGEST)
        except MissingScope:
            raise Unreadable(_NO_SCOPE) from None
        except (TimeoutError, RetryLater):
            raise Unreadable("Slack did not hand it out in time") from None
        except SlackFailure as error:
            raise Unreadable(_REFUSED.get(error.code, f"Slack did not hand it out ({error.code})")) from None
        async with self._free:
            return file, await (sandbox.see(content) if media in picture.MEDIA else sandbox.read(content, media))


async def _complete(client: SlackClient, file: File) -> File:
    """The file with its address; where the message told none, Slack is asked, and again while it is uploaded."""
    for pause in (*_UPLOADING, None):
        if file.url_private:
            return file
        file = read_file(Payload.of(await client.file_info(file.id)))
        if pause is not None and not file.url_private:
            await asyncio.sleep(pause)
    if file.url_private:
        return file
    raise Unreadable("it is still being uploaded")


def _media(file: File) -> str:
    """What it is read as: by its name, else by what Slack takes it for. What it is in truth its reader finds out."""
    kind = file.mimetype.partition("/")[0]
    if file.mimetype in picture.MEDIA:
        return file.mimetype
    if kind in _UNSEEN:
        raise Unreadable(_UNSEEN[kind])
    media = media_type(file.name) or (file.mimetype if file.mimetype in BINARIES else None)
    if media is not None:
        return media
    if kind == "text" or file.mimetype in _PLAIN:
        return "text/plain"
    raise Unreadable(f"files of its kind are not read here ({file.mimetype or 'unknown'})")


def _passage(
    attachment: Attachment, workspace: str | None, number: int, *, heading: str = "", text: str = ""
) -> Passage:
    return Passage(
        id=PassageId(-number),
        origin=Origin.FILE,
        title=_named(attachment),
        heading=visible(heading),
        url=attachment.address(workspace),
        text=visible(text),
        score=0.0,
        written_at=attachment.shared_at,
    )


def _named(attachment: Attachment) -> str:
    return " ".join(visible(attachment.file.name).split())[:_NAME] or "a file"


def _chosen(passages: Sequence[Passage], question: str) -> list[Passage]:
    """Those with most of the question's words, the earlier of equals, as many as fit, in their own order."""
    about = quoting.terms(question)
    ranked = sorted(passages, key=lambda passage: -len(about & quoting.terms(f"{passage.heading}\n{passage.text}")))
    room = SHOWN
    chosen: list[Passage] = []
    for passage in ranked:
        cut = replace(passage, text=quoting.cut(passage.text, SHOWN))
        room -= len(cut.text)
        if room < 0:
            break
        chosen.append(cut)
    return sorted(chosen, key=lambda passage: -passage.id)
