"""What tests of the index put into it, and whom they ask as."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind, Place
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, TenantId, UserId
from athenaeum.domain.passage import Origin
from athenaeum.llm.embeddings import EmbedderUnavailable, Vectors
from athenaeum.retrieval.passages import NewPassage

TERMINAL = Audience(DEFAULT_TENANT, None, Place(ChannelId("terminal"), "terminal", ChannelKind.DIRECT))


class LetterEmbedder:
    """Deterministic: a text's vector counts its letters. It counts its texts, and can be told not to answer."""

    def __init__(self, name: str = "letters") -> None:
        self.name = name
        self.dimensions = 26
        self.window = 80
        self.texts: list[str] = []
        self.answers = True

    async def embed_query(self, text: str) -> Vectors:
        return self._vectors([text])[0]

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = self._vectors(texts)
        self.texts += texts
        return vectors

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        if not self.answers:
            raise EmbedderUnavailable("switched off by the test")
        counts = np.array([[text.lower().count(chr(97 + i)) + 1e-6 for i in range(26)] for text in texts], np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def document(body: str, title: str = "Handbook", heading: str = "", *, is_open: bool = False) -> NewPassage:
    return NewPassage(Origin.DOCUMENT, title, body, heading=heading, is_open=is_open)


def message(body: str, channel: str) -> NewPassage:
    return NewPassage(Origin.MESSAGE, "#channel", body, channel_id=ChannelId(channel), author="Bo")


class Workspace:
    """Writes channels, users and members of a tenant straight into the archive's tables."""

    def __init__(self, database: DatabaseConnection, tenant: TenantId) -> None:
        self._database = database
        self.tenant = tenant

    async def channel(self, name: str, kind: str, *members: str, **flags: bool) -> None:
        async with self._database.session(self.tenant) as session:
            await session.execute(
                text(
                    "INSERT INTO slack_channels (tenant_id, channel_id, name, kind, is_archived, is_shared,"
                    " members_read_at) VALUES (athenaeum_tenant(), :name, :name, :kind, :archived, :shared,"
                    " CASE WHEN :known THEN now() END)"
                ),
                {
                    "name": name,
                    "kind": kind,
                    "archived": flags.get("archived", False),
                    "shared": flags.get("shared", False),
                    "known": flags.get("known", True),
                },
            )
            for member in members:
                await session.execute(
                    text("INSERT INTO slack_members VALUES (athenaeum_tenant(), :channel, :user)"),
                    {"channel": name, "user": member},
                )

    async def user(self, name: str, *, guest: bool = False) -> None:
        async with self._database.session(self.tenant) as session:
            await session.execute(
                text(
                    "INSERT INTO slack_users (tenant_id, user_id, name, is_guest)"
                    " VALUES (athenaeum_tenant(), :name, :name, :guest)"
                ),
                {"name": name, "guest": guest},
            )

    async def deactivate(self, user: str) -> None:
        async with self._database.session(self.tenant) as session:
            await session.execute(
                text("UPDATE slack_users SET is_deleted = true WHERE user_id = :user"), {"user": user}
            )

    async def leave(self, channel: str, user: str) -> None:
        async with self._database.session(self.tenant) as session:
            await session.execute(
                text("DELETE FROM slack_members WHERE channel_id = :channel AND user_id = :user"),
                {"channel": channel, "user": user},
            )

    def audience(self, asker: str | None, place: str, kind: str, *, shared: bool = False) -> Audience:
        return Audience(
            self.tenant,
            UserId(asker) if asker else None,
            Place(ChannelId(place), place, ChannelKind(kind), is_shared=shared),
        )
