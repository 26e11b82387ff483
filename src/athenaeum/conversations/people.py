"""The people and bots of a workspace; the tenant is the session's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import Table, func, select
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


def read_person(raw: Mapping[str, Any]) -> Person:
    """A `user` object of Slack's API.

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
    )


async def save(session: AsyncSession, people: Sequence[Person]) -> None:
    """Insert or overwrite."""
    if not people:
        return
    statement = insert(_TABLE).values(tenant_id=func.athenaeum_tenant())
    fields = ("name", "real_name", "is_bot", "is_guest", "is_deleted")
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "user_id"],
        set_={**{field: statement.excluded[field] for field in fields}, "updated_at": func.clock_timestamp()},
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


async def names(session: AsyncSession, users: Iterable[UserId]) -> dict[UserId, str]:
    """What to call each of `users`; who is not known by name is left out."""
    statement = select(SlackUser.user_id, SlackUser.name).where(SlackUser.user_id.in_(set(users)), SlackUser.name != "")
    return {UserId(user): name for user, name in await session.execute(statement)}
