from __future__ import annotations

import json

import psycopg

from support.command_line import CommandLine


async def test_an_empty_database_is_migrated_once(athenaeum: CommandLine, empty_database_url: str) -> None:
    before = await athenaeum("db", "check", DATABASE_URL=empty_database_url)
    assert before.status == 1
    assert "run athenaeum db migrate" in before.out

    for _ in range(2):
        migrated = await athenaeum("db", "migrate", DATABASE_URL=empty_database_url)
        assert (migrated.status, migrated.out) == (0, "up to date\n")

    after = await athenaeum("db", "check", DATABASE_URL=empty_database_url)
    assert (after.status, after.out) == (0, "up to date\n")


async def test_a_script_reads_what_is_missing(athenaeum: CommandLine, empty_database_url: str) -> None:
    outcome = await athenaeum("db", "check", "--json", DATABASE_URL=empty_database_url)

    shown = json.loads(outcome.out)
    assert outcome.status == 1
    assert shown["reachable"] is True
    assert shown["missing"][0] == "0001"


async def test_a_script_reads_that_the_database_is_away(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("db", "check", "--json", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")

    shown = json.loads(outcome.out)
    assert outcome.status == 1
    assert shown["reachable"] is False
    assert "127.0.0.1:1" in shown["reason"]


async def test_a_database_that_is_newer_than_the_program_is_left_alone(
    athenaeum: CommandLine, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    for command in ("check", "migrate"):
        outcome = await athenaeum("db", command)
        assert outcome.status == 1
        assert "upgrade Athenaeum" in outcome.complaint
