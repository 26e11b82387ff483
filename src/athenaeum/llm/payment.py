"""Who pays for the model requests that are made in this task."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from pydantic_ai.usage import RequestUsage


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request came to, in US dollars; None when its price is not known."""

    model: str
    dollars: Decimal | None
    usage: RequestUsage


class Payer(Protocol):
    """Knows of every request before it is made: `athenaeum.tenants.budgets.Purse`."""

    async def reserve(self, model: str, estimate: Decimal | None) -> UUID:
        """Let a request begin, or raise; `estimate` is None when the model's price is not known."""
        ...

    def charge(self, request: UUID, charge: Charge) -> None:
        """Take what it came to."""
        ...

    async def release(self, request: UUID) -> None:
        """Forget it: it was not carried out."""
        ...


@dataclass(slots=True)
class Bill:
    """One request, and who pays for it."""

    payer: Payer
    request: UUID
    charged: bool = False

    def charge(self, charge: Charge) -> None:
        """Have it paid."""
        self.payer.charge(self.request, charge)
        self.charged = True


@contextmanager
def paid_by(payer: Payer) -> Generator[None]:
    """Have `payer` pay for the requests that are made inside; outside of any, nobody does."""
    former = _payer.set(payer)
    try:
        yield
    finally:
        _payer.reset(former)


def current_payer() -> Payer | None:
    """Who pays here."""
    return _payer.get()


_payer: ContextVar[Payer | None] = ContextVar("athenaeum_payer", default=None)
