"""What an operator means by a path or an address."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from athenaeum.documents import git
from athenaeum.documents.folder import Folder
from athenaeum.documents.site.pages import Site
from athenaeum.errors import Misconfigured


class Kind(StrEnum):
    """How a source is read."""

    FOLDER = "folder"
    """A folder or file of this machine, a git checkout too."""
    GIT = "git"
    """A repository that is cloned into the cache."""
    SITE = "site"
    """Pages of the web."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a source is; the text is what it is stored and shown by."""

    kind: Kind
    text: str

    @classmethod
    def parse(cls, given: str) -> Location:
        """Tell a path from a repository and from a site.

        Raises:
            Misconfigured: It is none of them.
        """
        given = given.strip()
        path = Path(given).expanduser()
        if given and path.exists():
            return cls(Kind.FOLDER, str(path.resolve()))
        if git.is_repository(given):
            return cls(Kind.GIT, given)
        if urlsplit(given).scheme in {"http", "https"} and urlsplit(given).hostname:
            return cls(Kind.SITE, given)
        raise Misconfigured(f'"{given}" is neither an existing path nor an http, https or git address')

    async def open(self, cache_dir: Path, *, base_url: str | None) -> Folder | Site:
        """The source itself, ready to list what it has.

        Raises:
            Misconfigured: It is gone or cannot be reached.
        """
        if self.kind is Kind.SITE:
            return Site(self.text)
        path = await git.checkout(self.text, cache_dir) if self.kind is Kind.GIT else Path(self.text)
        if not path.exists():
            raise Misconfigured(f"{path} is there no longer: `athenaeum docs remove` forgets it")
        if base_url is None:
            base_url = await git.web_address(path if path.is_dir() else path.parent)
        return Folder(path, base_url=base_url)
