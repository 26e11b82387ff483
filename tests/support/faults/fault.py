"""A fault that is planted on purpose: a few lines of the product changed, in a copy of its source."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class Withered(Exception):  # noqa: N818 - what became of the fault
    """The product has changed where the fault is to be planted: tell the fault what stands there now."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What somebody could get wrong in one file, and the test that has to fail then.

    Attributes:
        name: What is wrong.
        place: The file below `src`, Python or SQL.
        change: As in a unified diff: lines that go, come and stay, with a line `@@` between two places. What goes and
            stays must stand there once and no second time.
        found_by: The quickest test that fails, as pytest names it.
        storm: A test of the whole system that fails as well, for some faults.
    """

    name: str
    place: str
    change: str
    found_by: str
    storm: str | None = None

    @property
    def in_schema(self) -> bool:
        """Whether databases that are made from now on differ."""
        return "/migrations/" in self.place

    @contextmanager
    def planted(self, source: Path) -> Generator[None]:
        """Have it in a copy of the product's source, for as long as the block lasts.

        Raises:
            Withered: The lines to be changed do not stand there exactly once.
        """
        file = source / self.place
        sound = text = file.read_text(encoding="utf-8")
        for right, wrong in self._hunks():
            if (count := text.count(right)) != 1:
                raise Withered(f"{self.name}: this stands {count} times in {self.place}, not once:\n{right}")
            text = text.replace(right, wrong)
        file.write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(sound, encoding="utf-8")

    def _hunks(self) -> Iterator[tuple[str, str]]:
        for hunk in self.change.strip("\n").split("\n@@\n"):
            lines = hunk.splitlines(keepends=True)
            right, wrong = ("".join(line[1:] for line in lines if line[0] in side) for side in (" -", " +"))
            yield right.rstrip("\n"), wrong.rstrip("\n")
