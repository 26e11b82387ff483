from __future__ import annotations

import json
from collections.abc import AsyncGenerator

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.slack.installation import BotCredentials, Installation
from athenaeum.tenants import installations, register
from athenaeum.tenants.vault import Vault
from support.command_line import CommandLine
from support.installing import KEY
from support.slack_events import IDENTITY

NEW = "B" * 43 + "="


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as opened:
        yield opened


@pytest.fixture
async def lantern(database: DatabaseConnection) -> TenantId:
    """A workspace that has installed the app."""
    tenant = await register.bind(database, IDENTITY)
    installation = Installation(BotCredentials("xoxb-" + "secret"), ("chat:write",), "U0ADMIN")
    async with database.session(tenant.id) as session:
        await installations.save(session, Vault([KEY]), tenant.id, installation)
    return tenant.id


async def test_a_workspace_is_listed_and_shown_without_its_token(athenaeum: CommandLine, lantern: TenantId) -> None:
    [listed] = json.loads((await athenaeum("tenants", "list", "--json")).out)
    shown = await athenaeum("tenants", "show", "Lantern", "--json")

    assert (listed["name"], listed["team_id"], listed["served"]) == ("Lantern", "T0001", True)
    assert json.loads(shown.out)["token"]["installed_by"] == "U0ADMIN"
    assert "xoxb" not in shown.out
    assert "Lantern" in (await athenaeum("tenants", "list")).out
    assert "U0ADMIN" in (await athenaeum("tenants", "show", "Lantern")).out


async def test_a_workspace_is_disabled_with_a_reason_and_enabled_again(
    athenaeum: CommandLine, database: DatabaseConnection, lantern: TenantId
) -> None:
    assert (await athenaeum("tenants", "disable", "Lantern", "--reason", "contract ended")).out == "disabled\n"
    assert (await register.get(database, lantern)).disabled_because == "contract ended"
    assert (await athenaeum("tenants", "disable", "Lantern")).out == "was disabled already\n"

    assert (await athenaeum("tenants", "enable", str(lantern))).out == "enabled\n"
    assert (await athenaeum("tenants", "enable", "Lantern")).out == "is served already\n"
    audited = json.loads((await athenaeum("audit", "list", "--json")).out)
    assert [entry["deed"] for entry in audited] == ["tenant.changed"] * 2


async def test_only_a_disabled_workspace_is_purged(athenaeum: CommandLine, lantern: TenantId) -> None:
    refused = await athenaeum("tenants", "purge", "Lantern", "--yes")
    assert refused.status == 1
    assert refused.complaint == f"tenant {lantern} is served: first `athenaeum tenants disable {lantern}`"

    await athenaeum("tenants", "disable", "Lantern")
    assert (await athenaeum("tenants", "purge", "Lantern")).status == 2  # nobody is there to be asked
    assert json.loads((await athenaeum("tenants", "purge", "Lantern", "--yes", "--json")).out)["deleted"] > 0
    assert json.loads((await athenaeum("tenants", "show", "Lantern", "--json")).out)["token"] is None


async def test_prompts_are_told_the_companys_name_and_fields(
    athenaeum: CommandLine, database: DatabaseConnection, lantern: TenantId
) -> None:
    assert (await athenaeum("tenants", "set", "Lantern")).status == 2
    told = ("--company-name", "Lantern Light", "--domain-area", "lamps", "--domain-area", "oil")
    assert (await athenaeum("tenants", "set", "Lantern", *told, "--delivery", "native")).out == "set\n"

    tenant = await register.get(database, lantern)
    assert (tenant.company_name, tenant.domain_areas) == ("Lantern Light", ("lamps", "oil"))
    assert tenant.native


async def test_stored_tokens_are_encrypted_with_the_newest_key(
    athenaeum: CommandLine, database: DatabaseConnection, lantern: TenantId
) -> None:
    assert "ATHENAEUM_SECRET_KEY is not set" in (await athenaeum("tenants", "rekey")).complaint
    rekeyed = await athenaeum("tenants", "rekey", ATHENAEUM_SECRET_KEY=f"{NEW},{KEY}")

    assert rekeyed.out == "1 tokens encrypted anew\n"
    async with database.session(lantern) as session:
        assert await installations.load(session, Vault([NEW]), lantern) is not None


@pytest.mark.parametrize("given", ["Nobody", "00000000-0000-4000-8000-0000000000ff"])
async def test_a_workspace_that_does_not_exist_is_one_line(athenaeum: CommandLine, given: str) -> None:
    outcome = await athenaeum("tenants", "disable", given)

    assert outcome.status == 1
    assert given in outcome.complaint
    assert str(DEFAULT_TENANT) not in outcome.complaint
