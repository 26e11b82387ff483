"""The tests can fail: a fault that is planted in a copy of the product is found by one of them.

In a storm the tests of the whole system look for some of the faults as well.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from support.database import PostgresServer
from support.faults.catalogue import FAULTS
from support.faults.fault import Fault
from support.proving_ground import ProvingGround

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

STORM = bool(os.environ.get("ATHENAEUM_STORM"))
TRIALS = [pytest.param(fault, fault.found_by, id=fault.name) for fault in FAULTS] + [
    pytest.param(fault, fault.storm, id=f"{fault.name} (storm)") for fault in FAULTS if STORM and fault.storm
]


@pytest.fixture(scope="session")
def ground(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Generator[ProvingGround]:
    """Runs tests as a usual run does, with storms of one seed."""
    environment = {"ATHENAEUM_TEST_DSN": postgres.admin_url, "ATHENAEUM_STORM": "", "ATHENAEUM_STORM_SEED": "1"}
    with ProvingGround(tmp_path_factory.mktemp("ground"), environment) as running:
        yield running


@pytest.mark.parametrize(("fault", "test"), TRIALS)
def test_a_planted_fault_is_found(fault: Fault, test: str, ground: ProvingGround, template: str) -> None:
    migrated = {} if fault.in_schema else {"ATHENAEUM_TEST_TEMPLATE": template}
    with fault.planted(ground.source):
        report = ground.run(test, **migrated)
    assert report.failed, report.said


def test_what_finds_them_finds_nothing_where_none_is_planted(ground: ProvingGround, template: str) -> None:
    tests = {fault.found_by for fault in FAULTS}
    report = ground.run(*tests, ATHENAEUM_TEST_TEMPLATE=template)
    assert not report.failed, report.said
    assert len(report.passed) >= len(tests), report.said
