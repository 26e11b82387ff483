"""What the tenants have of one kind of thing, as a person or a script reads it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from rich.table import Table

from athenaeum.commands.console import escaped, out, show_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


def show(
    found: Sequence[tuple[str, Sequence[T]]],
    columns: Mapping[str, Callable[[T], str]],
    *,
    nothing: str,
    as_json: bool,
    fields: Callable[[Any], dict[str, Any]] = asdict,
) -> None:
    """Print what was found of each tenant, which is told first: JSON of the `fields`, or a table of the `columns`.

    Where no tenant has any the person reads `nothing`.
    """
    if as_json:
        show_json([{"tenant": tenant, **fields(one)} for tenant, things in found for one in things])
        return
    if not any(things for _, things in found):
        out.print(nothing)
        return
    table = Table("tenant", *columns, box=None, pad_edge=False)
    for tenant, things in found:
        for one in things:
            table.add_row(escaped(tenant), *(escaped(cell(one)) for cell in columns.values()))
    out.print(table)
