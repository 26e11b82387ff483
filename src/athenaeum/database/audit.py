"""The audit log: who decided what, appended in the transaction of the deed itself, never changed.

Each tenant has a log of its own. An entry's hash covers the entry and the hash before it (a hash chain, as in
Haber and Stornetta, "How to Time-Stamp a Digital Document", 1991), and the head of the chain is kept apart, so that
a changed, missing or cut-off entry is found. Who may rewrite both tables whole could forge a log that holds by
itself: an anchor that was written down elsewhere finds that too.

The chain is made by a trigger (migration 0016) and judged by the statement here, which trusts nothing of it.
Entries name people and things by their ids, and hold no words that anybody wrote.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from athenaeum.database import models
from athenaeum.database.jsonb import storable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import TenantId

OPERATOR = "operator"
"""The actor of what is done on the command line."""
ITSELF = "athenaeum"
"""The actor of what nobody asked for, such as a proposal whose time is over."""

_ROW = models.AuditEntry
_DIGITS = 18  # more is beyond a bigint


class Deed(StrEnum):
    """What is audited."""

    APPROVED = "approval.approved"
    DENIED = "approval.denied"
    EXPIRED = "approval.expired"
    INSTALLED = "installation.made"
    UNINSTALLED = "installation.removed"
    TENANT_CHANGED = "tenant.changed"
    PERSONA_CHANGED = "persona.changed"
    BUDGET_CHANGED = "budget.changed"
    MODE_CHANGED = "mode.changed"
    HELPER_CHANGED = "helper.changed"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - a deed's name, as the next
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    ERASED = "data.erased"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as it was recorded; `hash` is 32 bytes."""

    seq: int
    recorded_at: datetime
    deed: str
    actor: str
    subject: str
    detail: Mapping[str, Any]
    hash: bytes


@dataclass(frozen=True, slots=True)
class Integrity:
    """How a log stands: `fault` says what is wrong with it first; None is a log that holds.

    `anchor` names its newest entry. Written down elsewhere, it later shows that nothing up to it was rewritten.
    """

    entries: int
    anchor: str
    fault: str | None


async def record(
    session: AsyncSession, deed: Deed, *, tenant: TenantId, actor: str, subject: str, **detail: Any
) -> None:
    """Append an entry to the tenant's log; it stands if the session's transaction is committed.

    `actor` is a user's id, `OPERATOR` or `ITSELF`; `subject` the id of what was changed. The session may be the
    tenant's or the engine's. Other writers of the tenant's log wait until it ends, so record last.
    """
    entry = {"tenant": tenant, "deed": deed, "actor": actor, "subject": subject}
    await session.execute(_APPEND, {**entry, "detail": json.dumps(storable(detail))})


async def entries(session: AsyncSession, *, limit: int = 50) -> list[Entry]:
    """The newest entries of the session's tenant, the newest first."""
    found = await session.scalars(select(_ROW).order_by(_ROW.seq.desc()).limit(limit))
    return [Entry(row.seq, row.recorded_at, row.action, row.actor, row.subject, row.detail, row.hash) for row in found]


async def verify(session: AsyncSession) -> Integrity:
    """Look through the whole log of the session's tenant."""
    broken = (await session.execute(_FIRST_BROKEN)).one_or_none()
    count, last, newest = (await session.execute(_EXTENT)).one()
    head = (await session.execute(select(models.AuditHead.seq, models.AuditHead.hash))).one_or_none()
    if broken is not None:
        fault = f"entry {broken.seq} " + ("was changed" if broken.seq == broken.place else "follows a gap")
    elif (head.seq if head else 0, head.hash if head else b"") != (last or 0, newest or b""):
        fault = f"it ends with entry {last or 0}, its head names {head.seq if head else 'none'}: the end was cut off"
    else:
        fault = None
    return Integrity(count, f"{last or 0}:{(newest or b'').hex()}", fault)


async def holds(session: AsyncSession, anchor: str) -> bool:
    """Whether the log of the session's tenant still has the entry that a verdict named as its anchor."""
    seq, _, digest = anchor.partition(":")
    if not seq.isdecimal() or len(seq) > _DIGITS:
        return False
    kept = await session.scalar(select(_ROW.hash).where(_ROW.seq == int(seq)))
    return kept is not None and kept.hex() == digest


_APPEND = text("""
    INSERT INTO audit_log (tenant_id, action, actor, subject, detail)
    VALUES (:tenant, :deed, :actor, :subject, CAST(:detail AS jsonb))
""")

_EXTENT = text("SELECT count(*), max(seq), (SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1) FROM audit_log")

# The words of the trigger in migration 0016, said again: a trigger that was changed must not judge itself.
_FIRST_BROKEN = text("""
    SELECT seq, place FROM (
        SELECT seq, hash, row_number() OVER chain AS place, sha256(
            lag(hash, 1, '') OVER chain || convert_to(jsonb_build_array(
                tenant_id, seq, to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
                action, actor, subject, detail)::text, 'UTF8')) AS due
        FROM audit_log WINDOW chain AS (ORDER BY seq)
    ) AS entry WHERE hash <> due OR seq <> place ORDER BY seq LIMIT 1
""")
