"""Slack's export of a workspace, as a zip or a folder: read as a stream, and taken into the archive."""

from __future__ import annotations

from athenaeum.conversations.export.importer import Advance, import_export
from athenaeum.conversations.export.report import ImportReport, Quarantined

__all__ = ["Advance", "ImportReport", "Quarantined", "import_export"]
