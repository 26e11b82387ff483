"""SQL files beside the migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from alembic import op

from athenaeum.database.roles import APP, ENGINE

_VERSIONS = Path(__file__).parent / "versions"


def run_file(name: str) -> None:
    """Run all statements of a file in `versions`; `{schema}`, `{engine}` and `{app}` are replaced by their names."""
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    script = (_VERSIONS / name).read_text(encoding="utf-8")
    for placeholder, given in (("{schema}", schema), ("{engine}", ENGINE), ("{app}", APP)):
        script = script.replace(placeholder, given)
    # The driver itself takes many statements at once, and leaves their % alone. SQLAlchemy does not say whose it is.
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # pyright: ignore[reportAssignmentType]
    driver.execute(script.encode())
