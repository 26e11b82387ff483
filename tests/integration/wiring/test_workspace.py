from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from athenaeum.database.connection import DatabaseConnection
from athenaeum.wiring.workspace import Workspace
from support.database import PostgresServer
from support.embedded import until
from support.product import configure, workspace


async def test_a_workspace_is_bound_once_a_database_that_was_away_is_back(
    postgres: PostgresServer, database_url: str, tmp_path: Path
) -> None:
    name = sql.Identifier(urlsplit(database_url).path[1:])
    async with (
        workspace() as sim,
        DatabaseConnection(database_url) as database,
        Workspace(configure(sim, database_url, tmp_path), database) as connecting,
        await psycopg.AsyncConnection.connect(postgres.admin_url, autocommit=True) as admin,
        asyncio.TaskGroup() as group,
    ):
        await admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        group.create_task(connecting.connect())
        await until(lambda: bool(sim.simulation.calls.of("auth.test")))
        await admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        assert (await connecting.tenant()).team_id == sim.world.team.id
