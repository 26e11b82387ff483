"""Reading from Slack what its events do not tell: who is there, what was said before, and what was missed."""

from __future__ import annotations

from athenaeum.conversations.sync.workspace import Synced, sync_channel, sync_histories, sync_person, sync_workspace

__all__ = ["Synced", "sync_channel", "sync_histories", "sync_person", "sync_workspace"]
