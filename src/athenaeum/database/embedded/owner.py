"""The operating-system user that PostgreSQL runs as: it refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from athenaeum.errors import Misconfigured

_SERVICE_USERS = ("postgres", "nobody")


class Credentials(TypedDict, total=False):
    """Arguments of `subprocess.Popen` that drop root's rights."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Owner:
    """A user, by numbers: a container's user need not have a name."""

    uid: int
    gid: int

    @classmethod
    def of(cls, *directories: Path) -> Owner:
        """The user to run as: ourselves, or for root the first other owner of these, else a service user.

        Raises:
            Misconfigured: We are root and this machine has no service user.
        """
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        for directory in directories:
            if directory.exists() and (status := directory.stat()).st_uid != 0:
                return cls(status.st_uid, status.st_gid)
        for name in _SERVICE_USERS:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise Misconfigured(
            "PostgreSQL refuses to run as root and this machine has no user postgres or nobody: "
            "run athenaeum as an ordinary user, or set DATABASE_URL"
        )

    @property
    def is_us(self) -> bool:
        """Whether no rights have to be dropped."""
        return self.uid == os.geteuid()

    @property
    def credentials(self) -> Credentials:
        """What `subprocess` needs to run a program as this user."""
        if self.is_us:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make `path`, which we created, this user's."""
        if not self.is_us and path.stat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, directory: Path) -> bool:
        """Ask the kernel, by trying: mode bits alone know nothing of ACLs and mounts."""
        if self.is_us:
            return True
        attempt = subprocess.run(
            ["/bin/sh", "-c", 'cd -- "$1"', "sh", directory],
            cwd="/",
            capture_output=True,
            check=False,
            **self.credentials,
        )
        return attempt.returncode == 0
