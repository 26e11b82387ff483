from __future__ import annotations

from athenaeum.diagnostics import Verdict
from athenaeum.diagnostics.database import Server, judge


def test_a_server_that_is_too_old() -> None:
    found = judge(Server("there", "15.4", 150004, "0.8.0"))

    assert found.status is Verdict.FAULT
    assert "16 or newer" in str(found.mend)


def test_a_server_without_pgvector() -> None:
    found = judge(Server("there", "17.2", 170002, None))

    assert found.status is Verdict.FAULT
    assert "postgresql-17-pgvector" in str(found.mend)
