from __future__ import annotations

from datetime import timedelta

from athenaeum.diagnostics import Verdict
from athenaeum.diagnostics.clock import DATABASE, SLACK, Reading, judge

NOTHING, HOUR = timedelta(0), timedelta(hours=1)


def test_without_another_clock_nothing_is_known() -> None:
    assert judge([]).status is Verdict.WARNING


def test_a_minute_is_tolerated() -> None:
    assert judge([Reading(DATABASE, timedelta(seconds=60))]).status is Verdict.OK
    assert judge([Reading(DATABASE, timedelta(seconds=-61))]).status is Verdict.FAULT


def test_where_slack_and_this_machine_agree_the_databases_clock_is_wrong() -> None:
    found = judge([Reading(DATABASE, HOUR), Reading(SLACK, NOTHING)])

    assert found.detail == "this machine's clock is 3600 s behind the database's"
    assert "on the database's host" in str(found.mend)


def test_where_the_database_agrees_slack_is_still_right() -> None:
    found = judge([Reading(DATABASE, NOTHING), Reading(SLACK, -HOUR)])

    assert found.detail == "this machine's clock is 3600 s ahead of Slack's"
    assert "set the clock here" in str(found.mend)
