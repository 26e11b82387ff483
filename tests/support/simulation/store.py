"""Tables with PostgreSQL's read-committed transactions and row locks, in memory.

A statement is a generator: it works in one instant up to each `yield`. To yield a transaction is to wait for its
end; to yield None lets others in between two statements of one function.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from enum import IntEnum
from typing import Any

import psycopg

Row = dict[str, Any]
Key = tuple[Any, ...]
Statement = Generator["Transaction | None", None, Any]


class Lock(IntEnum):
    """Strengths of a row's lock, as in PostgreSQL's table of conflicts (13.3.2); FOR SHARE is not used."""

    KEY_SHARE = 0
    NO_KEY_UPDATE = 1
    UPDATE = 2


def _conflict(one: Lock, other: Lock) -> bool:
    return one + other > 1


class Table:
    """Committed rows by their key."""

    __slots__ = ("defaults", "key", "name", "rows")

    def __init__(self, name: str, key: tuple[str, ...], defaults: dict[str, Callable[[Transaction], Any]]) -> None:
        self.name = name
        self.key = key
        self.defaults = defaults
        self.rows: dict[Key, Row] = {}


class Transaction:
    """What one transaction has written and locked, from its first statement to its end."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.began = store.clock()
        self.ended = False
        self.waits_for: Transaction | None = None
        self.waiters: list[Callable[[], None]] = []
        self.notices: list[tuple[str, str]] = []
        self.tenant: Any = None
        self._written: dict[tuple[str, Key], Row | None] = {}
        self._locked: list[tuple[Any, ...]] = []

    def rows(self, table: str) -> Iterator[tuple[Key, Row]]:
        """Every row that this transaction sees now: what is committed, and what it wrote itself."""
        committed = self.store.tables[table].rows
        if not self._written:
            yield from list(committed.items())
            return
        mine = {key: row for (name, key), row in self._written.items() if name == table}
        for key, row in list(committed.items()):
            if key not in mine:
                yield key, row
        for key, row in mine.items():
            if row is not None:
                yield key, row

    def get(self, table: str, key: Key) -> Row | None:
        """One row as this transaction sees it now."""
        if (table, key) in self._written:
            return self._written[table, key]
        return self.store.tables[table].rows.get(key)

    def put(self, table: str, key: Key, row: Row | None) -> None:
        """Write a new version, or delete; the caller holds the lock."""
        self._written[table, key] = row

    def wrote(self, table: str, key: Key) -> bool:
        """Whether this transaction has changed or deleted the row."""
        return (table, key) in self._written

    def try_lock(self, name: tuple[Any, ...], lock: Lock) -> Transaction | None:
        """Take a lock unless another transaction is in the way: that one is given."""
        holders = self.store.locks.setdefault(name, {})
        for holder, held in holders.items():
            if holder is not self and _conflict(held, lock):
                return holder
        if holders.get(self, -1) < lock:
            if self not in holders:
                self._locked.append(name)
            holders[self] = lock
        return None

    def lock(self, name: tuple[Any, ...], lock: Lock) -> Statement:
        """Wait for a lock; whether it had to be waited for."""
        waited = False
        while holder := self.try_lock(name, lock):
            waited = True
            yield holder
        return waited

    def commit(self) -> None:
        """Make what was written visible, send the notices, and let the locks go."""
        if self.ended:
            return
        for (table, key), row in self._written.items():
            rows = self.store.tables[table].rows
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
        for notice in dict.fromkeys(self.notices):
            self.store.announce(*notice)
        self._end()

    def rollback(self) -> None:
        """Forget what was written."""
        if not self.ended:
            self._end()

    def _end(self) -> None:
        self.ended = True
        self._written = {}
        for name in self._locked:
            holders = self.store.locks[name]
            del holders[self]
            if not holders:
                del self.store.locks[name]
        waiters, self.waiters = self.waiters, []
        for wake in waiters:
            wake()


class Store:
    """The tables, the locks, and who listens."""

    def __init__(self, clock: Callable[[], Any], later: Callable[[Callable[[], None]], None]) -> None:
        """`clock` gives the database's time; `later` lets something happen at this moment, in any order."""
        self.clock = clock
        self._later = later
        self.tables: dict[str, Table] = {}
        self.locks: dict[tuple[Any, ...], dict[Transaction, Lock]] = {}
        self.listeners: dict[str, list[Callable[[str], None]]] = {}
        self.sequences: dict[str, int] = {}

    def add(self, table: Table) -> None:
        self.tables[table.name] = table

    def next(self, sequence: str) -> int:
        """The next number; never given back."""
        number = self.sequences.get(sequence, 0) + 1
        self.sequences[sequence] = number
        return number

    def announce(self, channel: str, payload: str) -> None:
        for hear in list(self.listeners.get(channel, ())):
            hear(payload)

    def perform(
        self,
        transaction: Transaction,
        statement: Statement,
        done: Callable[[Any, psycopg.Error | None], None],
        pause: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run a statement to its end, which may be later; then tell its result or its error.

        `pause` says at each place where others may come in between whether they get the chance.
        """
        error: psycopg.Error | None = None
        while not transaction.ended:
            try:
                wanted = statement.throw(error) if error else next(statement)
            except StopIteration as stop:
                transaction.waits_for = None
                done(stop.value, None)
                return
            except psycopg.Error as failed:
                transaction.waits_for = None
                done(None, failed)
                return
            error = None
            if wanted is None:
                if pause():
                    self._later(lambda: self.perform(transaction, statement, done, pause))
                    return
            elif not wanted.ended:
                if self._deadlocked(transaction, wanted):
                    error = psycopg.errors.DeadlockDetected("deadlock detected")
                    continue
                transaction.waits_for = wanted
                wanted.waiters.append(lambda: self._later(lambda: self.perform(transaction, statement, done, pause)))
                return

    @staticmethod
    def _deadlocked(transaction: Transaction, wanted: Transaction | None) -> bool:
        while wanted is not None:
            if wanted is transaction:
                return True
            wanted = wanted.waits_for
        return False
