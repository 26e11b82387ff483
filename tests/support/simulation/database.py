"""What a process holds of PostgreSQL: the stand-in for `DatabaseConnection`, its sessions and its connections."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, Self

import psycopg
from sqlalchemy import TextClause
from sqlalchemy.exc import OperationalError

from athenaeum.database import connection as product
from athenaeum.database import models
from athenaeum.database.notifier import Notifier
from athenaeum.database.subscriptions import Subscriptions
from support.simulation import event_rows, texts
from support.simulation.network import Network, Reply
from support.simulation.processes import Process
from support.simulation.statements import Interpreter, declare, describe
from support.simulation.store import Statement, Store, Transaction
from support.simulation.texts import PREDICATES, bind

_PATIENCE = timedelta(seconds=15)
_PAUSES = (0.25,)
_LOST = "the connection was lost"


def tables(store: Store) -> None:
    """Make every table, empty."""
    for table in models.Base.metadata.sorted_tables:
        declare(store, table)
    for table in event_rows.tables():
        store.add(table)


class Database:
    """One process's way to the store, with the methods of `DatabaseConnection` that the product uses."""

    url = "postgresql://simulated"

    def __init__(self, store: Store, network: Network, process: Process) -> None:
        self._store = store
        self._network = network
        self._process = process
        self.notifier = Notifier(self)  # pyright: ignore[reportArgumentType] - as much of a database as it uses
        self.subscriptions = Subscriptions(self.connect)  # pyright: ignore[reportArgumentType]

    @asynccontextmanager
    async def session(self, tenant: Any = None) -> AsyncGenerator[Session]:
        session = Session(self._store, self._network, self._process, tenant, self.notifier)
        try:
            yield session
            await session.commit()
        finally:
            session.close()

    async def connect(self, *, patience: timedelta = _PATIENCE, **_: Any) -> Connection:
        await self._network.exchange(
            self._process,
            lambda: "connect",
            lambda reply: reply(None, None),
            lost=lambda: psycopg.OperationalError(_LOST),
        )
        return Connection(self._store, self._network, self._process, patience)

    async def health_check(self) -> bool:
        return True

    async def close(self) -> None:
        await self.subscriptions.close()
        await self.notifier.close()


class _Line:
    """What sessions and connections have in common: a statement is asked, performed, and answered."""

    def __init__(self, store: Store, network: Network, process: Process) -> None:
        self.store = store
        self.network = network
        self.process = process

    def pauses(self) -> bool:
        return bool(self.network.choices.fate(_PAUSES))

    def perform(self, transaction: Transaction, statement: Statement, reply: Reply) -> None:
        self.store.perform(transaction, statement, reply, self.pauses)


class Session(_Line):
    """An `AsyncSession` as far as the product uses one; its transaction begins with its first statement."""

    def __init__(self, store: Store, network: Network, process: Process, tenant: Any, notifier: Notifier) -> None:
        super().__init__(store, network, process)
        self.info: dict[str, Any] = {"tenant": tenant, "notifier": notifier}
        self._tenant = tenant
        self._transaction: Transaction | None = None
        self._broken = False

    @property
    def sync_session(self) -> Self:
        return self

    async def execute(self, statement: Any, parameters: Any = None) -> Result:
        if self._broken:
            raise _broken()
        if self._transaction is None:
            self._transaction = Transaction(self.store)
            self._transaction.tenant = self._tenant
            self.process.open[self] = None
        transaction = self._transaction

        def serve(reply: Reply) -> None:
            if transaction.ended:
                reply(None, psycopg.OperationalError(_LOST))
            else:
                self.perform(transaction, _statement(transaction, statement, parameters), reply)

        return Result(await self._ask(lambda: _describe(statement, parameters), serve))

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        row = (await self.execute(statement, parameters)).first()
        return None if row is None else row[0]

    async def scalars(self, statement: Any, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalars()

    async def commit(self) -> None:
        transaction = self._transaction
        if transaction is not None:
            if self._broken:
                raise _broken()

            def serve(reply: Reply) -> None:
                if transaction.ended:
                    reply(None, psycopg.OperationalError(_LOST))
                else:
                    transaction.commit()
                    reply(None, None)

            await self._ask(lambda: "COMMIT", serve)
            self._transaction = None
        product._say_what_was_committed(self)  # pyright: ignore[reportArgumentType] - has the `info` it reads

    async def rollback(self) -> None:
        self.close()

    def close(self) -> None:
        """Undo what is not committed."""
        transaction, self._transaction = self._transaction, None
        self.process.open.pop(self, None)
        if transaction is not None and self.process.alive:
            transaction.rollback()

    async def _ask(self, name: Callable[[], str], serve: Callable[[Reply], None]) -> Any:
        try:
            return await self.network.exchange(
                self.process, name, serve, lost=lambda: psycopg.OperationalError(_LOST), cancel=lambda: None
            )
        except psycopg.Error as error:
            self._broken = True
            raise OperationalError(None, None, error) from error

    def drop(self) -> None:
        """The process has died: the server undoes what it had begun."""
        if self._transaction is not None:
            self.network.loop.arrive(self._transaction.rollback)


def _broken() -> OperationalError:
    return OperationalError(None, None, psycopg.OperationalError(_LOST))


def _statement(transaction: Transaction, statement: Any, parameters: Any) -> Statement:
    if isinstance(statement, TextClause):
        return bind(statement.text)(transaction, parameters or {})
    return Interpreter(transaction, PREDICATES).run(statement, parameters)


class Result:
    """The rows of a statement."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return self._rows

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def one(self) -> Any:
        [row] = self._rows
        return row

    one_or_none = first

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        return self._rows[0][0] if self._rows else None

    scalar = scalar_one_or_none

    def scalars(self) -> Result:
        return Result([row[0] for row in self._rows])


@dataclass(frozen=True, slots=True)
class _Notify:
    relname: bytes
    extra: bytes


class Connection(_Line):
    """A psycopg connection in autocommit, which may listen."""

    pooled = False
    _numbers = count(1000)

    def __init__(self, store: Store, network: Network, process: Process, patience: timedelta) -> None:
        super().__init__(store, network, process)
        self._patience = patience.total_seconds()
        self._number = next(self._numbers)
        self._heard: deque[_Notify] = deque()
        self._channel: str | None = None
        self.closed = False
        self.pgconn = self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def execute(self, query: Any, parameters: Any = None, **_: Any) -> _Cursor:
        text = query.decode() if isinstance(query, bytes) else query
        if self.closed:
            raise psycopg.OperationalError(_LOST)
        if text.startswith("LISTEN "):
            self._listen(text.removeprefix("LISTEN "))
            return _Cursor([])

        begun: list[Transaction] = []

        def serve(reply: Reply) -> None:
            transaction = Transaction(self.store)
            begun.append(transaction)

            def done(rows: Any, error: Exception | None) -> None:
                if error is None:
                    transaction.commit()
                else:
                    transaction.rollback()
                reply(rows, error)

            self.perform(transaction, bind(text)(transaction, parameters or ()), done)

        rows: Any = None
        try:
            async with asyncio.timeout(self._patience):
                rows = await self.network.exchange(
                    self.process,
                    lambda: texts.describe(text, parameters),
                    serve,
                    lost=lambda: psycopg.OperationalError(_LOST),
                    cancel=lambda: None,
                )
        except TimeoutError:
            self._hang_up()
            raise psycopg.OperationalError(_LOST) from None
        except psycopg.OperationalError:
            self._hang_up()
            raise
        finally:
            if self.process.alive and begun:
                begun[0].rollback()  # asked for when the caller is cancelled; otherwise it has ended
        return _Cursor([tuple(row) for row in rows])

    async def close(self) -> None:
        self._hang_up()

    def drop(self) -> None:
        self._hang_up()

    def _hang_up(self) -> None:
        self.closed = True
        self.process.open.pop(self, None)
        if self._channel is not None:
            self.store.listeners[self._channel].remove(self._hear)
            self._channel = None

    # Listening

    def _listen(self, channel: str) -> None:
        assert self._channel is None, "the model listens to one channel"
        self._channel = channel
        self.process.open[self] = None
        self.store.listeners.setdefault(channel, []).append(self._hear)

    def _hear(self, payload: str) -> None:
        loop = self.network.loop
        channel = (self._channel or "").encode()

        def arrive() -> None:
            if not self.closed:
                self._heard.append(_Notify(channel, payload.encode()))
                loop.readable(self._number, self.process.lane)

        loop.arrive(arrive)

    def fileno(self) -> int:
        return self._number

    def consume_input(self) -> None:
        if self.closed:
            raise psycopg.OperationalError(_LOST)

    def notifies(self) -> _Notify | None:
        return self._heard.popleft() if self._heard else None


class _Cursor:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    async def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    async def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None


def _describe(statement: Any, parameters: Any) -> str:
    if isinstance(statement, TextClause):
        return texts.describe(statement.text, parameters)
    return describe(statement)
