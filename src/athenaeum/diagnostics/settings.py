"""Whether the settings can be read and fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.config import Config
from athenaeum.diagnostics.finding import Finding, fault, ok
from athenaeum.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBJECT = "settings"


def look(config: Config) -> list[Finding]:
    """A finding for each setting that is wrong."""
    try:
        config.validate()
    except Misconfigured as error:
        return [_wrong(line) for line in str(error).splitlines()]
    chosen = ", ".join(_chosen(config))
    return [ok(SUBJECT, f"readable; set: {chosen}" if chosen else "readable; all at their defaults")]


def _wrong(line: str) -> Finding:
    variable, _, _ = line.partition(":")
    return fault(SUBJECT, line, f"mend {variable} in the environment or in .env")


def _chosen(config: Config) -> Iterator[str]:
    for name, field in Config.model_fields.items():
        if getattr(config, name) != field.default:
            yield str(field.validation_alias)
