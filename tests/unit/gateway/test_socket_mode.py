"""The pauses between attempts to connect."""

from __future__ import annotations

from athenaeum.gateway.socket_mode import _pause


def test_pauses_grow_to_their_limit_with_jitter() -> None:
    for failures, most in ((1, 2.0), (2, 4.0), (5, 32.0), (9, 60.0), (10_000, 60.0)):
        pauses = [_pause(failures, 60.0) for _ in range(50)]
        assert all(most / 2 <= pause <= most for pause in pauses)
        assert len(set(pauses)) > 1
