"""What a model's tokens cost, and money in words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens, read and written."""

    input: Decimal
    output: Decimal

    def of(self, *, input_tokens: int, output_tokens: int) -> Decimal:
        """What so many cost."""
        return (self.input * input_tokens + self.output * output_tokens) / 1_000_000


def read_prices(text: str) -> dict[str, Price]:
    """`MODEL=INPUT/OUTPUT` separated by commas, by model.

    Raises:
        ValueError: naming what cannot be read.
    """
    prices: dict[str, Price] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        model, _, amounts = part.rpartition("=")
        read, _, written = amounts.partition("/")
        try:
            price = Price(Decimal(read.strip()), Decimal(written.strip()))
            readable = bool(model) and min(price.input, price.output) >= 0 and max(price.input, price.output) < _HIGHEST
        except InvalidOperation as error:  # no number, or none that can be compared
            raise ValueError(part) from error
        if not readable:
            raise ValueError(part)
        prices[model.strip()] = price
    return prices


_HIGHEST = Decimal(1_000_000)
FREE = Price(Decimal(0), Decimal(0))


def in_dollars(amount: Decimal) -> str:
    """With two decimals, or with as many as there are."""
    whole = amount == amount.quantize(Decimal("0.01"))
    return f"${amount:.2f}" if whole else f"${amount.normalize():f}"
