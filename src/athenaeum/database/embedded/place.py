"""Where a home's cluster lives, and the names of the files around it."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from athenaeum.database.embedded.owner import Owner
from athenaeum.errors import Misconfigured

log = structlog.get_logger(__name__)

REACHABLE = Path("/var/lib/athenaeum")  # for root, whose own home PostgreSQL's user may not enter
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_LIMIT = 100  # bytes; sun_path holds 108 on Linux and 104 on macOS, with the final zero
_PLAIN = re.compile(r"[A-Za-z0-9/._+-]+")  # libpq and SQLAlchemy split hosts at "," and ":"


@dataclass(frozen=True, slots=True)
class Premises:
    """The directory of one cluster, mode 0700, which belongs to the server's user."""

    root: Path
    owner: Owner

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What the server itself writes."""
        return self.root / "postgres.log"

    @property
    def boot_lock(self) -> Path:
        """Held alone by whoever starts or stops the server."""
        return self.root / "boot.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by every user of the server."""
        return self.root / "users.lock"

    @property
    def server_lock(self) -> Path:
        """Inherited by the server, so held as long as any process of it lives."""
        return self.root / "server.lock"

    @property
    def password(self) -> Path:
        """The password of the role athenaeum; written last, so it also says that the bootstrap is complete."""
        return self.root / "password"

    @property
    def superuser_password(self) -> Path:
        """The password of the role postgres."""
        return self.root / "superuser.password"

    @property
    def socket_dir(self) -> Path:
        """Where the server listens; short and plain whatever the home is called."""
        inside = self.root / "run"
        if len(os.fsencode(inside / _SOCKET_NAME)) <= _SOCKET_LIMIT and _PLAIN.fullmatch(str(inside)):
            return inside
        # not the temporary directory of the environment: all processes must find the same one
        return Path("/tmp") / f"athenaeum-{_digest(self.root)}"  # noqa: S108 - made 0700 and checked below

    @property
    def socket(self) -> Path:
        """The server's socket."""
        return self.socket_dir / _SOCKET_NAME

    def make_socket_dir(self) -> None:
        """Create the socket's directory, and refuse one that somebody else has put there.

        Raises:
            Misconfigured: It is not a directory of the server's user alone.
        """
        with suppress(FileExistsError):
            self.socket_dir.mkdir(mode=0o700)
            self.owner.give(self.socket_dir)
        status = self.socket_dir.lstat()
        private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        if not private or status.st_uid not in {self.owner.uid, os.geteuid()}:
            raise Misconfigured(
                f"{self.socket_dir} is not a private directory of the database's user: "
                "remove it, or set ATHENAEUM_HOME to a shorter path"
            )
        self.owner.give(self.socket_dir)


def settle(home: Path) -> Premises:
    """Find or make the place of this home's cluster.

    It is inside the home. Only for root, whose home PostgreSQL's user often may not enter, it is under
    `/var/lib/athenaeum`, and the file `postgres.location` in the home names it: no directory that was there
    before is ever opened to others.

    Raises:
        Misconfigured: The home notes a place that is gone.
        OSError: A directory could not be made.
    """
    home = home.expanduser().resolve()
    # root's new home may be passed through by the server's user, but not listed
    home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    note = home / "postgres.location"
    root = Path(note.read_text(encoding="utf-8").strip()) if note.exists() else home / "postgres"
    owner = Owner.of(root / "data", home)
    if not note.exists() and not owner.can_enter(home):
        root = _relocate(home, note)
        owner = Owner.of(root / "data", home)
    elif note.exists() and not root.is_dir():
        raise Misconfigured(
            f"the database of {home} was in {root}, which is gone: bring it back from a backup, "
            f"or delete {note} to begin with an empty database"
        )
    root.mkdir(mode=0o700, exist_ok=True)
    owner.give(root)
    return Premises(root, owner)


def make_reachable() -> None:
    """Create the directory that every user may pass through; one that exists is left as it is."""
    with suppress(FileExistsError):
        REACHABLE.mkdir()
        REACHABLE.chmod(0o711)  # whatever the umask


def _relocate(home: Path, note: Path) -> Path:
    """Choose a directory outside the home; of several racing processes one writes the note, all follow it."""
    make_reachable()
    root = REACHABLE / f"{_digest(home)}-{secrets.token_hex(4)}"
    root.mkdir(mode=0o700)
    draft = home / f".{root.name}"
    draft.write_text(f"{root}\n", encoding="utf-8")
    try:
        note.hardlink_to(draft)
    except FileExistsError:
        root.rmdir()
        return Path(note.read_text(encoding="utf-8").strip())
    finally:
        draft.unlink()
    log.warning("embedded.relocated", home=str(home), place=str(root))
    return root


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
