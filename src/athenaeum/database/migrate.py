"""Bringing a database to the newest schema."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

_VERSIONS = Path(__file__).parent / "migrations" / "versions"


async def migrate(url: str) -> None:
    """Apply what is missing, all of it or nothing; a database that is up to date costs one query.

    Raises:
        Misconfigured: the server is too old, lacks pgvector, or the user the right to create its roles and tables.
    """
    await asyncio.to_thread(_migrate, url)


async def pending(url: str) -> list[str]:
    """Revisions that `migrate` would apply, oldest first."""
    return await asyncio.to_thread(_pending, url)


def newest() -> str:
    """The revision of the newest schema, as its file is called."""
    return max(path.stem.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def _migrate(url: str) -> None:
    if _revision(url) == newest():
        return
    from athenaeum.database import revisions  # noqa: PLC0415 - alembic is slow to import, and few starts need it

    revisions.upgrade(url)


def _pending(url: str) -> list[str]:
    if _revision(url) == newest():
        return []
    from athenaeum.database import revisions  # noqa: PLC0415 - as above

    return revisions.missing(url)


def _revision(url: str) -> str | None:
    """What the database has; None where it has nothing of ours."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return None if row is None else str(row[0])
