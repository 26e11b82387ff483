"""Every fault that is planted, in the order in which a question meets them."""

from __future__ import annotations

from support.faults.audience import AUDIENCE
from support.faults.fault import Fault
from support.faults.queue import QUEUE
from support.faults.turns import TURNS
from support.faults.worker import WORKER

FAULTS: tuple[Fault, ...] = (*QUEUE, *WORKER, *TURNS, *AUDIENCE)
