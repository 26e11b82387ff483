"""Delivery: what a person sees of a turn, shown by exactly one message for each of its parts."""

from __future__ import annotations

from athenaeum.worker.delivery.delivery import Delivery
from athenaeum.worker.delivery.timing import Timing

__all__ = ["Delivery", "Timing"]
