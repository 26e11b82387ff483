"""A PostgreSQL of our own for a machine that has none: packaged binaries, one cluster per home.

binaries    which PostgreSQL programs run on this machine
owner       which operating-system user they run as
place       where the cluster and its files live
lock        who uses the server, and who may start or stop it
cluster     the data directory and what is in it from the first day
postmaster  the server's process
server      `EmbeddedPostgres`, the entrance
"""

from __future__ import annotations

from athenaeum.database.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
