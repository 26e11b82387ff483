"""The pipes: a durable queue in PostgreSQL that works without anything else of Athenaeum.

producer    `enqueue`, in the caller's transaction; `Producer`, in its own
processor   `EventProcessor`, claims and outcomes in the caller's transaction
queue       the hot statements, for a connection of one's own
tokens      fencing tokens for those who write without a claim
retry       what an error means for the event
wakeup      at the moment of a commit
backlog     how much there is, by kind and tenant
admin       what operators see and do
limits      how many run at once
schedules   periodic work
history     partitions and retention
"""

from __future__ import annotations

from athenaeum.events.processor import EventProcessor
from athenaeum.events.producer import Producer, enqueue, enqueue_many

__all__ = ["EventProcessor", "Producer", "enqueue", "enqueue_many"]
