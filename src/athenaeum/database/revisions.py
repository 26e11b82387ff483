"""The steps from one schema to the next, as alembic keeps them: `athenaeum.database.migrate` is the entrance."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import psycopg
import structlog
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from athenaeum.errors import Misconfigured

log = structlog.get_logger(__name__)

MINIMUM_SERVER = 160000
"""PostgreSQL 16: the oldest that grants a role the right to become another without inheriting from it."""

_LOCK = 0x617468656E  # advisory lock: several processes may start at once, one migrates
_ALEMBIC = Lock()  # alembic keeps the migration that runs in globals of the process, whichever database it is for


def missing(url: str) -> list[str]:
    """Revisions that `upgrade` would apply, oldest first."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return _missing(connection)
    finally:
        engine.dispose()


def upgrade(url: str) -> None:
    """Apply what is missing, all of it or nothing; see `migrate`."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if not (wanted := _missing(connection)):
                return
            _require(connection)
            # One transaction, and its own lock: one of the session's would stay behind at a pooler.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            settings = _settings()
            settings.attributes["connection"] = connection
            with _ALEMBIC:
                command.upgrade(settings, "head")
            connection.commit()
            log.info("database.migrated", revisions=wanted)
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise Misconfigured(
                f"{error.orig.diag.message_primary}: as an administrator run CREATE EXTENSION vector in the database"
                " and ALTER ROLE … CREATEROLE, and make the user its owner"
            ) from error
        raise
    finally:
        engine.dispose()


def _missing(connection: Connection) -> list[str]:
    current = MigrationContext.configure(connection).get_current_revision()
    try:
        revisions = _script().iterate_revisions("heads", current or "base")
        return [revision.revision for revision in revisions][::-1]
    except RevisionError as error:
        raise Misconfigured(f"the database is newer than this Athenaeum ({current}): upgrade Athenaeum") from error


def _engine(url: str) -> Engine:
    # What one connection prepares, another finds at a pooler.
    url_of_driver = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(url_of_driver, connect_args={"prepare_threshold": None})


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_settings())


def _settings() -> AlembicConfig:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return settings


def _require(connection: Connection) -> None:
    version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    if int(version) < MINIMUM_SERVER:
        raise Misconfigured(f"PostgreSQL {int(version) // 10000} is too old: use 16 or newer, or unset DATABASE_URL")
    vector = connection.exec_driver_sql("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").scalar()
    if vector is None:
        raise Misconfigured(
            "PostgreSQL lacks pgvector: install the package postgresql-NN-pgvector on the database's host"
        )
