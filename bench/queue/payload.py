"""What every event carries: a Slack mention of about 400 bytes."""

from __future__ import annotations

import json
from typing import Any

_MENTION: dict[str, Any] = {
    "team_id": "T0BENCH0001",
    "api_app_id": "A0BENCH0001",
    "type": "event_callback",
    "event_id": "Ev0BENCH0001",
    "event_time": 1793000000,
    "event": {
        "type": "app_mention",
        "user": "U0BENCH0001",
        "text": "<@U0AGENT001> who may approve a change of the retention period, and where is that written down?",
        "ts": "1793000000.000100",
        "thread_ts": "1793000000.000100",
        "channel": "C0BENCH0001",
        "event_ts": "1793000000.000100",
    },
}
_TEXT = json.dumps(_MENTION).replace("'", "''")

SQL = f"(jsonb_build_object('i', i) || '{_TEXT}'::jsonb)"
"""The payload of event `i` as a jsonb expression."""


def payload(i: int) -> dict[str, Any]:
    return {"i": i, **_MENTION}
