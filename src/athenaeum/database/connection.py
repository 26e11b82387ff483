"""Connections, pooled and single, each held to its role."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import psycopg
import stamina
import stamina.instrumentation
from psycopg.conninfo import make_conninfo
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import AsyncAdaptedQueuePool

from athenaeum.database.migrate import migrate
from athenaeum.database.notifier import Notifier
from athenaeum.database.roles import APP, ENGINE
from athenaeum.database.subscriptions import Subscriptions
from athenaeum.database.wire import PATIENCE, Wire
from athenaeum.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

    from sqlalchemy import Connection

    from athenaeum.domain.identity import TenantId

stamina.instrumentation.set_on_retry_hooks(())  # its lines would stand among a command's own

_CONNECT = timedelta(seconds=10)  # a server that is starting answers within one
_CHECKUP = timedelta(seconds=2)
# A network that swallows everything is noticed within 25 s; the kernel's own limits are two hours and 15 minutes.
_TCP = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
# A process that is frozen in a transaction gives up what it has locked when its turn may be another's.
_IDLE = "15s"


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A look at the pool: `open` of them exist, `in_use` are checked out, `limit` is the most there can be."""

    open: int
    in_use: int
    limit: int


class DatabaseConnection:
    """The pool of connections to one PostgreSQL; an async context manager that may be closed twice.

    `session()` without a tenant runs as the engine's role: the queue and the register only.
    `session(tenant)` runs as the application's role and sees that tenant alone.
    """

    def __init__(self, database_url: str, pool_size: int = 10, max_overflow: int = 20, *, echo: bool = False) -> None:
        """`database_url` is a `postgresql://` address; nothing is opened yet."""
        self.url = database_url
        self._limit = pool_size + max_overflow
        try:
            url = make_url(database_url).set(drivername="postgresql+psycopg")
        except (ArgumentError, ValueError) as error:
            raise Misconfigured(_UNREADABLE) from error
        self._engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_pre_ping=True,
            echo=echo,
            hide_parameters=True,  # an error is logged, and what people wrote is not
            poolclass=AsyncAdaptedQueuePool,
            connect_args={"async_creator_fn": Wire.open, **_settings()},
        )
        self._sessions = async_sessionmaker(self._engine, sync_session_class=_HeldSession, expire_on_commit=False)
        self.notifier = Notifier(self)
        """Says after their commit what sessions were asked to `notify`."""
        self.subscriptions = Subscriptions(self.connect)
        """Hears what others said."""

    async def __aenter__(self) -> Self:
        """Return itself; connections open on first use."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every pooled connection."""
        await self.close()

    async def close(self) -> None:
        """Close every connection after the last notification; harmless when repeated."""
        await self.subscriptions.close()
        await self.notifier.close()
        await self._engine.dispose()

    async def create_tables(self) -> None:
        """Migrate the database to the newest schema."""
        await migrate(self.url)

    @asynccontextmanager
    async def session(self, tenant: TenantId | None = None) -> AsyncGenerator[AsyncSession]:
        """A session whose transactions are held to `tenant`; commits at the end, rolls back on an error.

        It may be committed in between as well: what follows is a new transaction of the same tenant. A server that
        restarts, or takes no more connections just now, is given some two seconds to begin with.
        """
        async with self._sessions() as session:
            session.sync_session.info.update(tenant=tenant, notifier=self.notifier)
            async for attempt in retrying():
                with attempt:
                    await session.rollback()  # what is left of the attempt before
                    await session.connection()
            yield session
            await session.commit()

    async def connect(self, *, patience: timedelta = PATIENCE) -> Wire:
        """A connection of one's own, outside the pool and in autocommit: for listeners and hot loops.

        It has no role: what it calls must take its own. An answer that takes longer than `patience` is a loss.
        """
        return await connect(self.url, patience=patience)

    async def health_check(self) -> bool:
        """Whether a new connection can be opened and answers; a hung server fools one that is already open."""
        try:
            async with await connect(self.url, patience=_CHECKUP):
                return True  # it has answered already, to the look for a pooler
        except (psycopg.Error, OSError):
            return False

    def get_pool_status(self) -> PoolStatus:
        """Counts of the pool's connections at this moment."""
        pool = self._engine.pool
        assert isinstance(pool, AsyncAdaptedQueuePool)
        return PoolStatus(open=pool.checkedin() + pool.checkedout(), in_use=pool.checkedout(), limit=self._limit)


async def wire(session: AsyncSession) -> Wire:
    """The driver's own connection, in the session's transaction: for COPY, and for answers in binary."""
    raw = await (await session.connection()).get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, Wire)
    return driver


async def connect(url: str, *, patience: timedelta = PATIENCE) -> Wire:
    """Open one connection in autocommit, waiting for that and for each answer as long as `patience` lasts."""
    target = make_conninfo(libpq_url(url), **_settings(patience))
    return await Wire.open(target, autocommit=True, patience=patience)


def _settings(patience: timedelta = PATIENCE) -> dict[str, Any]:
    timeout = max(1, int(min(patience, _CONNECT).total_seconds()))  # 0 would mean no limit
    return {"connect_timeout": timeout, "application_name": "athenaeum", **_TCP}


def libpq_url(url: str) -> str:
    """The address as libpq takes it: without SQLAlchemy's driver name."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@asynccontextmanager
async def init_db(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    """Migrate the database at `database_url` and give its pool for the time of the block."""
    async with DatabaseConnection(database_url) as database:
        await database.create_tables()
        yield database


def notify(session: AsyncSession, channel: str, payload: str) -> None:
    """Let listeners of `channel` hear `payload` once the session's transaction is committed."""
    session.sync_session.info.setdefault("notifications", set()).add((channel, payload))


get_session = DatabaseConnection.session
"""`async with get_session(database, tenant) as session:`, the same as `database.session(tenant)`."""


def transient(error: Exception) -> bool:
    """Whether a database error may pass by itself: a loss, a restart, a deadlock, a full disk or pool."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.Error):
        error = error.orig
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return True
    return isinstance(error, OSError | PoolExhausted)


def retrying() -> AsyncIterable[stamina.Attempt]:
    """Iterate over attempts while the error is `transient`, for some two seconds: a restarting server takes one.

    Each attempt needs a session or connection of its own.
    """
    return stamina.retry_context(on=transient, attempts=6, timeout=3, wait_initial=0.1, wait_max=1.0, wait_jitter=0.1)


_UNREADABLE = "DATABASE_URL cannot be read: give postgresql://user:password@host:5432/name, or unset it"


class _HeldSession(Session):
    """A session that belongs to a tenant and has a notifier, both in its `info`."""


@event.listens_for(_HeldSession, "after_begin")
def _take_role(session: Session, _transaction: object, connection: Connection) -> None:
    # For this transaction only: behind a pooler the next one on this connection may be somebody else's.
    tenant: TenantId | None = session.info["tenant"]
    role = ENGINE if tenant is None else APP
    connection.execute(_TAKE_ROLE, {"role": role, "tenant": "" if tenant is None else str(tenant)})


@event.listens_for(_HeldSession, "after_commit")
def _say_what_was_committed(session: Session) -> None:
    notifier: Notifier = session.info["notifier"]
    for channel, payload in session.info.pop("notifications", ()):
        notifier.notify(channel, payload)


@event.listens_for(_HeldSession, "after_rollback")
def _forget_what_was_not(session: Session) -> None:
    session.info.pop("notifications", None)


_TAKE_ROLE = text(
    "SELECT set_config('role', :role, true), set_config('app.tenant', :tenant, true),"
    f" set_config('idle_in_transaction_session_timeout', '{_IDLE}', true)"
)
