"""Migrations taken back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from athenaeum import database


async def downgrade(url: str, revision: str) -> None:
    """Take back whatever came after a revision."""
    await asyncio.to_thread(_downgrade, url, revision)


def _downgrade(url: str, revision: str) -> None:
    settings = Config()
    settings.set_main_option("script_location", str(Path(database.__path__[0]) / "migrations"))
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, revision)
        connection.commit()
    engine.dispose()
