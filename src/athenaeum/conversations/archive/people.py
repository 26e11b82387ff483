"""The people and bots of a workspace; the tenant is the session's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.models import SlackUser
from athenaeum.domain.identity import UserId
from athenaeum.slack.incoming import Payload

_TABLE = cast("Table", SlackUser.__table__)


@dataclass(frozen=True, slots=True)
class Person:
    """A user of Slack; `name` is what others see beside their messages."""

    user_id: UserId
    name: str
    real_name: str
    is_bot: bool
    is_guest: bool
    is_deleted: bool
    is_admin: bool = False
    """Of the workspace, or its owner."""
    time_zone: str = ""
    """As IANA calls it; empty when Slack doesn't say."""
    changed_at: datetime | None = None
    """By Slack's clock; None when it doesn't say."""


def read_person(raw: Mapping[str, Any], *, changed_at: datetime | None = None) -> Person:
    """A `user` object of Slack's API, or of an event, whose time `changed_at` is.

    Raises:
        Malformed: it has no id.
    """
    user = Payload.of(raw)
    profile = user.child("profile") or Payload({})
    real_name = profile.text("real_name") or user.text("real_name")
    user_id = UserId(user.identifier("id"))
    return Person(
        user_id=user_id,
        name=profile.text("display_name") or real_name or user.text("name") or user_id,
        real_name=real_name,
        is_bot=user.flag("is_bot") or user_id == "USLACKBOT",
        # strangers from a connected workspace are guests to us: they may read no more than a guest does
        is_guest=user.flag("is_restricted") or user.flag("is_ultra_restricted") or user.flag("is_stranger"),
        is_deleted=user.flag("deleted"),
        is_admin=user.flag("is_admin") or user.flag("is_owner") or user.flag("is_primary_owner"),
        time_zone=user.text("tz"),
        changed_at=changed_at or user.moment("updated"),
    )


async def save(session: AsyncSession, people: Sequence[Person]) -> None:
    """Insert, or overwrite what is not newer by Slack's clock; a description without a time is the newest."""
    if not people:
        return
    statement = insert(_TABLE).values(tenant_id=func.athenaeum_tenant())
    fields = ("name", "real_name", "is_bot", "is_guest", "is_deleted", "is_admin", "time_zone")
    new, old = statement.excluded, _TABLE.c
    # of one time the greater, so that the order says nothing
    newer = tuple_(new.changed_at, *(new[field] for field in fields)) > tuple_(
        old.changed_at, *(old[field] for field in fields)
    )
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "user_id"],
        set_={
            **{field: new[field] for field in fields},
            "changed_at": func.coalesce(new.changed_at, old.changed_at),
            "updated_at": func.clock_timestamp(),
        },
        where=new.changed_at.is_(None) | old.changed_at.is_(None) | newer,
    )
    await session.execute(statement, [asdict(person) for person in people])


_MEET = (
    insert(_TABLE)
    .values(tenant_id=func.athenaeum_tenant(), name="", is_guest=True)
    .on_conflict_do_nothing()
    .returning(_TABLE.c.user_id)
)


async def meet(session: AsyncSession, user: UserId) -> bool:
    """Note that somebody exists; True the first time, when they count as a guest because nothing is known of them."""
    return (await session.execute(_MEET, {"user_id": user})).first() is not None


async def full_name(session: AsyncSession, user: UserId) -> str:
    """How somebody is called in full; their id where nobody knows."""
    known = select(SlackUser.real_name, SlackUser.name).where(SlackUser.user_id == user)
    row = (await session.execute(known)).first()
    return (row.real_name or row.name) if row else str(user)


async def names(session: AsyncSession, users: Iterable[UserId]) -> dict[UserId, str]:
    """What to call each of `users`; who is not known by name is left out."""
    statement = select(SlackUser.user_id, SlackUser.name).where(SlackUser.user_id.in_(set(users)), SlackUser.name != "")
    return {UserId(user): name for user, name in await session.execute(statement)}
