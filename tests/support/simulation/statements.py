"""SELECT, INSERT, UPDATE and DELETE as the product builds them with SQLAlchemy, run against the store.

Of PostgreSQL's ways this keeps what concurrency depends on: an UPDATE waits for a row that another transaction has
changed, looks at its newest version again, and then compares with subqueries as they were when it began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Column
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql.dml import OnConflictDoNothing, OnConflictDoUpdate
from sqlalchemy.sql import Delete, Insert, Select, Update, functions, operators

from support.simulation.expressions import Predicate, Scope, evaluate, holds
from support.simulation.store import Key, Lock, Row, Statement, Store, Table, Transaction

_Found = dict[str, tuple[Key, Row]]
_TOLD = frozenset({"state", "fence", "answer", "part", "generation", "attempts", "posting_until", "ts", "finished_at"})


class Record:
    """A row of a result: its values by place and by name."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: Sequence[str], values: Sequence[Any]) -> None:
        self._names = names
        self._values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[self._names.index(name)]
        except ValueError:
            raise AttributeError(name) from None

    def __getitem__(self, place: int) -> Any:
        return self._values[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __repr__(self) -> str:
        return f"({', '.join(_brief(value) for value in self._values)})"


def _brief(value: Any) -> str:
    return value.isoformat()[11:23] if isinstance(value, datetime) else str(value)


class Entity:
    """A whole row, its columns as attributes, as an object of a model has them."""

    def __repr__(self) -> str:
        told = {name: _brief(value) for name, value in self.__dict__.items() if value is not None and name in _TOLD}
        return ", ".join(f"{name}={value}" for name, value in told.items())

    def __init__(self, row: Row) -> None:
        self.__dict__.update(row)
        if "metadata" in row:
            self.metadata_ = row["metadata"]


def declare(store: Store, table: SqlTable) -> None:
    """Make a table of the product's models."""
    store.add(Table(table.name, *_shape(table)))


@cache
def _shape(table: SqlTable) -> tuple[tuple[str, ...], dict[str, Callable[[Transaction], Any]]]:
    defaults = {column.name: _default(column) for column in table.columns}
    return tuple(column.name for column in table.primary_key), defaults


def _default(column: Column[Any]) -> Callable[[Transaction], Any]:
    given: Any = getattr(column.server_default, "arg", None)
    if given is None:
        return lambda _: None
    if isinstance(given, functions.now):
        return lambda transaction: transaction.began
    value = column.type.python_type(given) if column.type.python_type is int else given
    constant = {"false": False, "true": True, "{}": {}}.get(value, value) if isinstance(value, str) else value

    def give(_: Transaction) -> Any:
        return constant

    return give


class Interpreter:
    """Runs statements in one transaction."""

    def __init__(self, transaction: Transaction, predicates: Mapping[str, Predicate]) -> None:
        """`predicates` are the conditions that the product writes as text, by that text."""
        self._transaction = transaction
        self._predicates = predicates

    def run(self, statement: Any, parameters: Any = None) -> Statement:
        """Run a statement; its rows."""
        if isinstance(parameters, list):
            rows: list[Any] = []
            for each in parameters:
                rows += yield from self.run(statement, each)
            return rows
        scope = Scope(
            self._transaction, query=_Once(self._query), predicates=self._predicates, parameters=parameters or {}
        )
        if isinstance(statement, Select):
            return (yield from self._select(statement, scope))
        if isinstance(statement, Insert):
            return (yield from self._insert(statement, scope, parameters or {}))
        if isinstance(statement, Update | Delete):
            return (yield from self._change(statement, scope))
        raise NotImplementedError(f"statements of class {type(statement).__qualname__}")

    def _query(self, query: Any, outer: Scope) -> list[Any]:
        """The rows of a subquery, which sees the rows around it."""
        scope = Scope(self._transaction, query=self._query, predicates=self._predicates, parameters={})
        scope.rows.update(outer.rows)
        sources, criteria = _sources(query, outer.rows)
        return [
            _shown(query._raw_columns, found, scope)
            for found in self._matching(sources, (*criteria, *query._where_criteria), scope)
        ]

    def _matching(self, sources: Sequence[str], criteria: tuple[Any, ...], scope: Scope) -> list[_Found]:
        """Every combination of rows that fulfils the criteria."""
        found: list[_Found] = []
        first, *others = sources
        for key, row in self._transaction.rows(first):
            scope.rows[first] = row
            if others:
                found += [{first: (key, row), **more} for more in self._matching(others, criteria, scope)]
            elif holds(criteria, scope):
                found.append({first: (key, row)})
        return found

    def _select(self, statement: Any, scope: Scope) -> Statement:
        columns = statement._raw_columns
        sources, criteria = _sources(statement, {})
        if not sources:
            return [_record(columns, scope)]
        criteria = (*criteria, *statement._where_criteria)
        rows = self._matching(sources, criteria, scope)
        for clause in reversed(statement._order_by_clauses):
            descending = getattr(clause, "modifier", None) is operators.desc_op
            expression = clause.element if getattr(clause, "modifier", None) is not None else clause
            rows.sort(key=lambda found: _valued(expression, found, scope), reverse=descending)
        if statement._limit_clause is not None:
            rows = rows[: evaluate(statement._limit_clause, scope)]
        if statement._for_update_arg is not None:
            rows = yield from self._lock(statement._for_update_arg, rows, criteria, scope)
        return [_shown(columns, found, scope) for found in rows]

    def _lock(self, how: Any, rows: list[_Found], criteria: tuple[Any, ...], scope: Scope) -> Statement:
        if how.read or how.nowait or len(rows[:1] and rows[0]) > 1:
            raise NotImplementedError("this kind of row lock")
        lock = Lock.NO_KEY_UPDATE if how.key_share else Lock.UPDATE
        locked: list[_Found] = []
        for found in rows:
            [(table, (key, _))] = found.items()
            if how.skip_locked:
                if self._transaction.try_lock((table, key), lock) is not None:
                    continue
            else:
                yield from self._transaction.lock((table, key), lock)
            row = self._transaction.get(table, key)
            if row is not None:
                scope.rows[table] = row
                if holds(criteria, scope):
                    locked.append({table: (key, row)})
        return locked

    def _insert(self, statement: Any, scope: Scope, parameters: Mapping[str, Any]) -> Statement:
        transaction, table = self._transaction, self._transaction.store.tables[statement.table.name]
        rows: list[Mapping[Any, Any]] = [statement._values or {}]
        if statement._multi_values:
            rows = list(statement._multi_values[0])
        shown: list[Any] = []
        for given in rows:
            row = {name: default(transaction) for name, default in table.defaults.items()}
            row |= {name: value for name, value in parameters.items() if name in row}
            for column, value in given.items():
                row[getattr(column, "name", column)] = evaluate(value, scope) if _is_expression(value) else value
            key = tuple(row[name] for name in table.key)
            yield from transaction.lock((table.name, key), Lock.UPDATE)
            standing = transaction.get(table.name, key)
            if standing is not None:
                row = self._on_conflict(statement._post_values_clause, table.name, standing, row, scope)
            if row is not None:
                transaction.put(table.name, key, row)
                if statement._returning:
                    shown.append(_shown(statement._returning, {table.name: (key, row)}, scope))
        return shown

    @staticmethod
    def _on_conflict(clause: Any, table: str, standing: Row, row: Row, scope: Scope) -> Row | None:
        if isinstance(clause, OnConflictDoNothing):
            return None
        if not isinstance(clause, OnConflictDoUpdate):
            raise NotImplementedError("an INSERT that violates a constraint")
        scope.rows = {table: standing, "excluded": row}
        where = clause.update_whereclause
        if where is not None and evaluate(where, scope) is not True:
            return None
        changes: Row = {
            str(getattr(column, "name", column)): evaluate(value, scope) if _is_expression(value) else value
            for column, value in clause.update_values_to_set
        }
        return {**standing, **changes}

    def _change(self, statement: Any, scope: Scope) -> Statement:
        transaction, table = self._transaction, statement.table.name
        lock = Lock.UPDATE if isinstance(statement, Delete) else Lock.NO_KEY_UPDATE
        shown: list[Any] = []
        for found in self._matching([table], statement._where_criteria, scope):
            key = found[table][0]
            waited = yield from transaction.lock((table, key), lock)
            row = transaction.get(table, key)
            if row is None:
                continue
            scope.rows[table] = row
            if waited and not holds(statement._where_criteria, scope):
                continue
            values = getattr(statement, "_values", None)
            for column, value in (values or {}).items():
                row = {**row, column.name: evaluate(value, scope) if _is_expression(value) else value}
            transaction.put(table, key, None if values is None else row)
            if statement._returning:
                shown.append(_shown(statement._returning, {table: (key, row)}, scope))
        return shown


class _Once:
    """A subquery's rows, computed when they are first asked for: it sees the snapshot the statement began with."""

    def __init__(self, compute: Callable[[Any, Scope], list[Any]]) -> None:
        self._compute = compute
        self._known: dict[tuple[int, tuple[int, ...]], list[Any]] = {}

    def __call__(self, query: Any, scope: Scope) -> list[Any]:
        asked = (id(query), tuple(id(row) for row in scope.rows.values()))
        if asked not in self._known:
            self._known[asked] = self._compute(query, scope)
        return self._known[asked]


def describe(statement: Any) -> str:
    """A statement in a few words."""
    verb = type(statement).__name__.upper()
    if verb == "SELECT":
        return f"SELECT {', '.join(_sources(statement, {})[0]) or statement}"
    changes = getattr(statement, "_values", None) if verb == "UPDATE" else None
    told = f" ({', '.join(column.name for column in changes)})" if changes else ""
    return f"{verb} {statement.table.name}{told}"


def _is_expression(value: Any) -> bool:
    return hasattr(value, "get_children")


def _sources(query: Any, outer: Mapping[str, Row]) -> tuple[list[str], tuple[Any, ...]]:
    """The tables of a query that are not those around it, and what joins them."""
    if query._from_obj or query._group_by_clauses or query._distinct:
        raise NotImplementedError(f"a query like {query}")
    sources: dict[str, None] = {}
    criteria: list[Any] = []
    expressions = [*query._raw_columns, *query._where_criteria]
    for target, condition, _, how in query._setup_joins:
        if how["isouter"] or how["full"]:
            raise NotImplementedError("an outer join")
        expressions += [target, condition]
        criteria.append(condition)
    # asking the statement itself would have it compiled
    for expression in expressions:
        for table in expression._from_objects:
            if table.name not in outer:
                sources[table.name] = None
    return list(sources), tuple(criteria)


def _valued(expression: Any, found: _Found, scope: Scope) -> Any:
    scope.rows.update({table: row for table, (_, row) in found.items()})
    return evaluate(expression, scope)


def _shown(columns: Sequence[Any], found: _Found, scope: Scope) -> Any:
    scope.rows.update({table: row for table, (_, row) in found.items()})
    if len(columns) == 1 and isinstance(columns[0], SqlTable):
        return Record(["entity"], [Entity(scope.rows[columns[0].name])])
    return _record(columns, scope)


def _record(columns: Sequence[Any], scope: Scope) -> Record:
    return Record([column.name for column in columns], [evaluate(column, scope) for column in columns])
