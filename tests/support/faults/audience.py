"""Faults of the audience rule: one condition of it dropped."""

from __future__ import annotations

from support.faults.fault import Fault

_RULE = "athenaeum/retrieval/audience.py"
_FOUND_BY = "tests/security/test_audience.py::test_whatever_is_searched_may_be_read_by_everybody_who_reads_the_answer"

AUDIENCE = (
    Fault(
        "a private channel is read by whoever asks in it",
        _RULE,
        """
              AND members_read_at IS NOT NULL
-             AND EXISTS (SELECT FROM slack_members AS member
-                         WHERE member.channel_id = channel.channel_id AND member.user_id = :asker)
+             AND true
""",
        found_by=_FOUND_BY,
    ),
    Fault(
        "the asker's private channels are read wherever they ask",
        _RULE,
        """
-        ELSE (channel_id = :place OR :place_kind = '{ChannelKind.DIRECT}')
+        ELSE true
""",
        found_by=_FOUND_BY,
    ),
    Fault(
        "strangers read what is public among us",
        _RULE,
        """
-        WHEN channel_id <> :place AND ({_STRANGERS}) THEN false
         WHEN kind = 'public' THEN true
""",
        found_by=_FOUND_BY,
    ),
    Fault(
        "a guest who reads along is one of us",
        _RULE,
        """
-               WHERE channel_id = :place AND is_guest IS NOT false)
+               WHERE channel_id = :place AND is_guest IS NULL)
""",
        found_by=_FOUND_BY,
    ),
    Fault(
        "somebody whom nobody knows is one of us",
        _RULE,
        """
-               WHERE channel_id = :place AND is_guest IS NOT false)
+               WHERE channel_id = :place AND is_guest)
""",
        found_by=_FOUND_BY,
    ),
    Fault(
        "where members are unknown there are no strangers",
        _RULE,
        """
-       AND NOT EXISTS (SELECT FROM slack_channels WHERE channel_id = :place AND members_read_at IS NOT NULL)
+       AND NOT EXISTS (SELECT FROM slack_channels WHERE channel_id = :place)
""",
        found_by=_FOUND_BY,
    ),
    Fault(
        "strangers read all documents",
        _RULE,
        """
-        among_us = "" if audience.asker is None else f" WHERE NOT ({_STRANGERS})"
+        among_us = ""
""",
        found_by=_FOUND_BY,
    ),
)
