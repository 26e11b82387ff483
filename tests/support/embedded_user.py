"""A process that uses a home's embedded PostgreSQL until its standard input ends.

`python -m support.embedded_user HOME` answers each line of input with a line of JSON:
`ensure` brings the server back, anything else is an error.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import structlog

from athenaeum.database.embedded import EmbeddedPostgres
from athenaeum.errors import Misconfigured


async def main(home: Path) -> None:
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async with EmbeddedPostgres(home) as server:
        say({"url": server.url, "data_dir": str(server.data_dir)})
        async for line in commands:
            assert line == b"ensure\n"
            await server.ensure()
            say({"ensured": True})


def say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    # a shell has what it starts in the background ignore Ctrl-C, and so would we
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        asyncio.run(main(Path(sys.argv[1])))
    except Misconfigured as error:
        say({"error": str(error)})
        sys.exit(1)
