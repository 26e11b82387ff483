"""The values of SQLAlchemy's expressions, computed by their structure: what the product built is what is evaluated.

Whatever is not known here raises NotImplementedError with its name, so that no statement is understood by accident.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column
from sqlalchemy.sql import elements, functions, operators, selectable

from support.simulation.store import Row, Transaction

Predicate = Callable[[Transaction, dict[str, Row]], Any]


class Scope:
    """What an expression can see: a row of each table, the transaction, the statement's parameters, subqueries."""

    __slots__ = ("parameters", "predicates", "query", "rows", "transaction")

    def __init__(
        self,
        transaction: Transaction,
        *,
        query: Callable[[Any, Scope], list[Any]],
        predicates: Mapping[str, Predicate],
        parameters: Mapping[str, Any],
    ) -> None:
        self.transaction = transaction
        self.rows: dict[str, Row] = {}
        self.query = query
        self.predicates = predicates
        self.parameters = parameters


def evaluate(node: Any, scope: Scope) -> Any:
    """The expression's value; NULL is None."""
    kind = type(node)
    found = _BY_TYPE.get(kind)
    if found is None:
        found = _BY_TYPE[kind] = _find(kind)
    return found(node, scope)


def holds(criteria: tuple[Any, ...], scope: Scope) -> bool:
    """Whether every condition is true, and not NULL."""
    return all(evaluate(condition, scope) is True for condition in criteria)


def _column(node: Any, scope: Scope) -> Any:
    return scope.rows[node.table.name][node.name]


def _parameter(node: Any, scope: Scope) -> Any:
    return scope.parameters.get(node.key, node.value) if node.required else node.value


def _binary(node: Any, scope: Scope) -> Any:
    left, right = evaluate(node.left, scope), evaluate(node.right, scope)
    if node.operator in _NULL_SAFE:
        return _NULL_SAFE[node.operator](left, right)
    if left is None or right is None:
        return None
    return _OPERATORS[node.operator](left, right)


def _junction(node: Any, scope: Scope) -> Any:
    decisive = node.operator is operator.or_ or node.operator is operators.or_
    unknown = False
    for clause in node.clauses:
        value = evaluate(clause, scope)
        if value is None:
            unknown = True
        elif value is decisive:
            return decisive
    return None if unknown else not decisive


def _unary(node: Any, scope: Scope) -> Any:
    value = evaluate(node.element, scope)
    if node.operator is operators.inv:
        return None if value is None else not value
    raise NotImplementedError(f"the operator {node.operator}")


def _case(node: Any, scope: Scope) -> Any:
    assert node.value is None
    for condition, result in node.whens:
        if evaluate(condition, scope) is True:
            return evaluate(result, scope)
    return None if node.else_ is None else evaluate(node.else_, scope)


def _function(node: Any, scope: Scope) -> Any:  # noqa: C901, PLR0911 - one for each function
    arguments = [evaluate(argument, scope) for argument in node.clauses]
    known = [argument for argument in arguments if argument is not None]
    match node.name:
        case "now":
            return scope.transaction.began
        case "clock_timestamp":
            return scope.transaction.store.clock()
        case "coalesce":
            return known[0] if known else None
        case "greatest":
            return max(known, default=None)
        case "least":
            return min(known, default=None)
        case "athenaeum_tenant":
            return scope.transaction.tenant
        case "tenant_served":
            return True
        case "tenant_native":
            return None
        case "concat_ws":
            return str(arguments[0]).join(map(str, known[1:]))
        case "hashtextextended" | "pg_advisory_xact_lock" | "pg_advisory_xact_lock_shared":
            return ""  # of reactions, which nobody gives here
        case "pg_notify":
            scope.transaction.notices.append((arguments[0], arguments[1]))
            return ""
        case name:
            raise NotImplementedError(f"the function {name}")


def _scalar(node: Any, scope: Scope) -> Any:
    found = scope.query(node.element, scope)
    return found[0][0] if found else None


def _text(node: Any, scope: Scope) -> Any:
    text = " ".join(str(node.text).split())
    if text not in scope.predicates:
        raise NotImplementedError(f"the condition {text}")
    return scope.predicates[text](scope.transaction, scope.rows)


def _literal(node: Any, scope: Scope) -> Any:
    if not node.is_literal:
        return _column(node, scope)
    text = " ".join(str(node.name).split())
    if text == "*":  # of EXISTS, whose columns nobody reads
        return None
    if text not in scope.predicates:
        raise NotImplementedError(f"the condition {text}")
    return scope.predicates[text](scope.transaction, scope.rows)


_OPERATORS: dict[Any, Callable[[Any, Any], Any]] = {
    operator.eq: operator.eq,
    operator.ne: operator.ne,
    operator.lt: operator.lt,
    operator.le: operator.le,
    operator.gt: operator.gt,
    operator.ge: operator.ge,
    operator.add: operator.add,
    operator.sub: operator.sub,
    operators.in_op: lambda value, among: value in among,
    operators.not_in_op: lambda value, among: value not in among,
}
_NULL_SAFE: dict[Any, Callable[[Any, Any], Any]] = {
    operators.is_: lambda value, other: value is other,
    operators.is_not: lambda value, other: value is not other,
    operators.is_distinct_from: operator.ne,
    operators.is_not_distinct_from: operator.eq,
}
_KINDS: tuple[tuple[Any, Callable[[Any, Scope], Any]], ...] = (
    (elements.BindParameter, _parameter),
    (elements.Null, lambda _node, _scope: None),
    (elements.True_, lambda _node, _scope: True),
    (elements.False_, lambda _node, _scope: False),
    (elements.BooleanClauseList, _junction),
    (elements.Grouping, lambda node, scope: evaluate(node.element, scope)),
    (elements.BinaryExpression, _binary),
    (elements.Case, _case),
    (elements.Cast, lambda node, scope: evaluate(node.clause, scope)),
    (elements.Label, lambda node, scope: evaluate(node.element, scope)),
    (selectable.Exists, lambda node, scope: bool(scope.query(node.element.element, scope))),
    (selectable.ScalarSelect, _scalar),
    (elements.UnaryExpression, _unary),
    (functions.FunctionElement, _function),
    (elements.TextClause, _text),
    (elements.ColumnClause, _literal),
    (elements.ColumnElement, _column),
)
_BY_TYPE: dict[type, Callable[[Any, Scope], Any]] = {}


def _find(kind: type) -> Callable[[Any, Scope], Any]:
    if issubclass(kind, Column):
        return _column
    for known, found in _KINDS:
        if issubclass(kind, known):
            return found
    raise NotImplementedError(f"expressions of class {kind.__qualname__}")
