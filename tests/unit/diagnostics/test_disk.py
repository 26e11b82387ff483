from __future__ import annotations

from pathlib import Path

import pytest

from athenaeum.diagnostics import Verdict, disk


@pytest.mark.parametrize(
    ("free", "status"), [(10**8, Verdict.FAULT), (5 * 10**8, Verdict.WARNING), (10**10, Verdict.OK)]
)
def test_little_space_is_told_before_there_is_none(free: int, status: Verdict) -> None:
    found = disk.judge(Path("/home"), free=free)

    assert found.status is status
    assert (found.mend is None) is (status is Verdict.OK)


def test_a_home_that_does_not_exist_yet_is_looked_for_above(tmp_path: Path) -> None:
    assert "GB free" in disk.look(tmp_path / "not" / "yet").detail
