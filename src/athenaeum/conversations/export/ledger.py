"""Which files of an export were read, and what of them is in quarantine; the tenant is the session's."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.export.report import Quarantined
from athenaeum.domain.identity import ChannelId


async def stamps(session: AsyncSession) -> dict[tuple[str, str], str]:
    """The stamps of all files that were read, by channel and name."""
    rows = await session.execute(text("SELECT channel_id, file, stamp FROM slack_import_files"))
    return {(row.channel_id, row.file): row.stamp for row in rows}


async def close_file(session: AsyncSession, channel: ChannelId, file: str, stamp: str, *, messages: int) -> None:
    """Note that a file was read to its end."""
    values = {"channel": channel, "file": file, "stamp": stamp, "messages": messages}
    await session.execute(_CLOSE, values)


async def quarantine(session: AsyncSession, file: str, found: Sequence[Quarantined]) -> None:
    """Make `found` all that is in quarantine of a file."""
    await session.execute(text("DELETE FROM slack_quarantine WHERE file = :file"), {"file": file})
    if found:
        await session.execute(
            _QUARANTINE,
            [{"file": file, "position": one.position, "reason": one.reason, "record": one.record} for one in found],
        )


_CLOSE = text("""
    INSERT INTO slack_import_files (tenant_id, channel_id, file, stamp, messages)
    VALUES (athenaeum_tenant(), :channel, :file, :stamp, :messages)
    ON CONFLICT (tenant_id, channel_id, file) DO UPDATE SET stamp = excluded.stamp, messages = excluded.messages
    WHERE slack_import_files.stamp <> excluded.stamp""")
_QUARANTINE = text("""
    INSERT INTO slack_quarantine (tenant_id, file, position, reason, record)
    VALUES (athenaeum_tenant(), :file, :position, :reason, :record)
    ON CONFLICT DO NOTHING""")
