"""An export goes into the archive: file by file, in batches, each a transaction that also notes which files are done.

While PostgreSQL stores one batch, the next one is read. A killed import goes on with the first file that was not done;
a finished one, run again, reads nothing.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations import archive
from athenaeum.conversations.archive import bulk
from athenaeum.conversations.export import ledger, register
from athenaeum.conversations.export.container import ExportFile, open_export
from athenaeum.conversations.export.contents import Contents, read_contents
from athenaeum.conversations.export.records import Records
from athenaeum.conversations.export.report import KEPT, ImportReport, Quarantined
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import ChannelId, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.errors import Misconfigured
from athenaeum.slack.incoming import Malformed

log = structlog.get_logger(__name__)

BATCH = 5000
"""Messages in a transaction."""
_TURN = 25  # records that are read, in half a millisecond, before an answer of the database's is looked for


@dataclass(frozen=True, slots=True)
class Advance:
    """How far an import is: bytes of JSON, and messages so far."""

    done: int
    total: int
    messages: int
    current: str


OnAdvance = Callable[[Advance], None]


async def import_export(
    database: DatabaseConnection,
    tenant: Tenant,
    path: Path,
    *,
    dry_run: bool = False,
    on_advance: OnAdvance | None = None,
) -> ImportReport:
    """Take an export into the archive of a tenant; with `dry_run` everything is done and nothing kept.

    Raises:
        Misconfigured: there is no export at `path`, or it is another workspace's.
    """
    started = time.perf_counter()
    report = ImportReport(str(path), dry_run=dry_run)
    with open_export(path) as files:
        contents = await asyncio.to_thread(read_contents, files)
        _check_workspace(contents, tenant, path)
        work = _Import(database, tenant, contents, report=report, on_advance=on_advance or _silent)
        with _settled():
            await work.run()
    report.seconds = time.perf_counter() - started
    log.info("import.done", source=str(path), messages=report.messages, new=report.new, changed=report.changed)
    return report


def _check_workspace(contents: Contents, tenant: Tenant, path: Path) -> None:
    ours = {tenant.team_id, tenant.enterprise_id} - {None}
    if ours and contents.teams and not ours & contents.teams:
        theirs = ", ".join(sorted(contents.teams)[:3])
        raise Misconfigured(f"{path} is an export of {theirs}, and {tenant.name} is connected to {tenant.team_id}")


@contextmanager
def _settled() -> Generator[None]:
    """Nothing that is there already is looked through for garbage meanwhile: that took a tenth of the time."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _silent(_: Advance) -> None:
    pass


@dataclass(frozen=True, slots=True)
class _Closed:
    """A file that was read to its end."""

    channel: ChannelId
    leaf: ExportFile
    messages: int
    quarantined: list[Quarantined]


@dataclass(slots=True)
class _Pending:
    """What the next transaction stores."""

    batch: bulk.MessageBatch = field(default_factory=bulk.MessageBatch)
    closed: list[_Closed] = field(default_factory=list[_Closed])
    strangers: set[UserId] = field(default_factory=set[UserId])


class _Import:
    """One import on its way."""

    def __init__(
        self,
        database: DatabaseConnection,
        tenant: Tenant,
        contents: Contents,
        *,
        report: ImportReport,
        on_advance: OnAdvance,
    ) -> None:
        self._database = database
        self._tenant = tenant
        self._contents = contents
        self._report = report
        self._on_advance = on_advance
        self._pending = _Pending()
        self._full: asyncio.Queue[_Pending] = asyncio.Queue(maxsize=1)
        self._total = sum(leaf.size for days in contents.days.values() for leaf in days)
        self._done = 0

    async def run(self) -> None:
        await self._save_register()
        async with self._session() as session:
            known = await ledger.stamps(session)
        async with asyncio.TaskGroup() as group:
            storing = group.create_task(self._store_all())
            for channel, days in self._contents.days.items():
                for leaf in days:
                    if known.get((channel, leaf.name)) == leaf.stamp:
                        self._report.files_known += 1
                    else:
                        await self._read(ChannelId(channel), leaf)
                    self._done += leaf.size
                    self._tell(leaf)
            await self._hand_over()
            await self._full.join()
            storing.cancel()

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[AsyncSession]:
        async with self._database.session(self._tenant.id) as session:
            yield session
            if self._report.dry_run:
                await session.rollback()

    async def _save_register(self) -> None:
        contents, report, taken_at = self._contents, self._report, self._contents.taken_at
        async with self._session() as session:
            await register.save_people(session, contents.people.values(), taken_at=taken_at)
            for conversation in contents.conversations.values():
                await register.save_conversation(session, conversation, taken_at=taken_at)
                kind = conversation.channel.kind
                report.conversations[kind] = report.conversations.get(kind, 0) + 1
                strangers = (conversation.members or frozenset()) - contents.people.keys()
                await register.meet_strangers(session, strangers, taken_at=taken_at)
            for file in {one.file for one in contents.quarantined}:
                await ledger.quarantine(session, file, [one for one in contents.quarantined if one.file == file])
            await archive.announce(session)  # messages of a channel wait for its name to be indexed
        report.people = len(contents.people)
        report.unlisted = contents.unlisted
        report.quarantine(contents.quarantined)

    async def _read(self, channel: ChannelId, leaf: ExportFile) -> None:
        records, found, messages = Records(leaf), list[Quarantined](), 0
        for position, record in enumerate(records):
            if fault := self._take(record, channel):
                found.append(Quarantined.of(leaf.name, position, fault, record))
                del found[KEPT:]
            messages += 1
            self._report.messages += 1
            if messages % _TURN == 0:
                await asyncio.sleep(0)
            if len(self._pending.batch) >= BATCH:
                self._tell(leaf)
                await self._hand_over()
        if records.fault:
            found.append(Quarantined.of(leaf.name, -1, records.fault))
        self._report.files += 1
        self._report.quarantine(found)
        self._pending.closed.append(_Closed(channel, leaf, messages, found))

    def _take(self, record: Mapping[str, Any] | Malformed, channel: ChannelId) -> str | None:
        if isinstance(record, Malformed):
            return str(record)
        try:
            message = self._pending.batch.take(record, channel)
        except Malformed as error:
            return str(error)
        if message is None:
            return None
        if message.user is not None and message.user not in self._contents.people:
            self._pending.strangers.add(message.user)
        text = record.get("text")
        return "the text has NUL characters; it is stored without them" if _has_nul(text) else None

    async def _hand_over(self) -> None:
        """Let what was read be stored when what was read before it is: two batches are the most in memory."""
        pending, self._pending = self._pending, _Pending()
        await self._full.join()
        self._full.put_nowait(pending)

    async def _store_all(self) -> None:
        while True:
            await self._store(await self._full.get())
            self._full.task_done()

    async def _store(self, pending: _Pending) -> None:
        if not (pending.batch or pending.closed):
            return
        async with self._session() as session:
            await register.meet_strangers(session, pending.strangers, taken_at=self._contents.taken_at)
            merged = await bulk.store(session, pending.batch)
            for closed in pending.closed:
                leaf = closed.leaf
                await ledger.close_file(session, closed.channel, leaf.name, leaf.stamp, messages=closed.messages)
                await ledger.quarantine(session, leaf.name, closed.quarantined)
        report = self._report
        report.new += merged.new
        report.changed += merged.changed
        report.reactions += len(pending.batch.reactions)
        report.erased += len(pending.batch.erased)

    def _tell(self, leaf: ExportFile) -> None:
        self._on_advance(Advance(self._done, self._total, self._report.messages, leaf.name))


def _has_nul(text: object) -> bool:
    return isinstance(text, str) and "\0" in text
