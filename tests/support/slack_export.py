"""Exports as Slack makes them, for tests: written to a zip or a folder."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOKEN = f"xox{'e'}-1-2"  # as the links to files carry it


def user(user_id: str, name: str, **fields: Any) -> dict[str, Any]:
    profile = {"real_name": name.title(), "display_name": name}
    return {"id": user_id, "team_id": "T0001", "name": name, "deleted": False, "profile": profile, **fields}


def channel(channel_id: str, name: str, members: list[str] | None, **fields: Any) -> dict[str, Any]:
    listed = {} if members is None else {"members": members}
    return {"id": channel_id, "name": name, "created": 1_690_000_000, "is_archived": False, **listed, **fields}


def said(ts: str, user_id: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "user": user_id, "text": text, "ts": ts, "team": "T0001", **fields}


@dataclass(slots=True)
class Export:
    """Files by name; what is not bytes is written as JSON."""

    files: dict[str, Any] = field(default_factory=dict[str, Any])

    def zip(self, path: Path, *, below: str = "") -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                archive.writestr(zipfile.ZipInfo(below + name, (2024, 1, 1, 0, 0, 0)), self._bytes(content))
        return path

    def folder(self, path: Path) -> Path:
        for name, content in self.files.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self._bytes(content))
        return path

    @staticmethod
    def _bytes(content: Any) -> bytes:
        if isinstance(content, bytes):
            return content
        return json.dumps(content, indent=4, ensure_ascii=False).encode()


def lantern() -> Export:
    """A small workspace: a channel, a private one, a direct and a group message, threads, reactions, edits, files."""
    root = "1704103200.000100"
    return Export(
        {
            "users.json": [
                user("U0001", "maya"),
                user("U0002", "tom", deleted=True),
                user("U0003", "vera", is_restricted=True),
                user("UBOT1", "deploys", is_bot=True),
            ],
            "channels.json": [
                channel("C0001", "general", ["U0001", "U0002", "U0003"], topic={"value": "Everything"}),
                channel("C0002", "allgemeines-größe", ["U0001"]),
            ],
            "groups.json": [channel("G0001", "secret", ["U0001"])],
            "dms.json": [{"id": "D0001", "created": 1_690_000_000, "members": ["U0001", "U0002"]}],
            "mpims.json": [channel("G0002", "mpdm-maya--tom--vera-1", ["U0001", "U0002", "U0003"])],
            "integration_logs.json": [],
            "general/2024-01-01.json": [
                said(
                    root,
                    "U0001",
                    "When is the freeze? 🧊",
                    thread_ts=root,
                    reply_count=2,
                    reactions=[{"name": "eyes", "users": ["U0002", "U0003"], "count": 2}],
                ),
                said("1704103260.000200", "U0002", "Friday.", thread_ts=root, parent_user_id="U0001"),
                said(
                    "1704103300.000300",
                    "U0001",
                    "Friday at noon.",
                    thread_ts=root,
                    edited={"user": "U0001", "ts": "1704103400.000000"},
                ),
                said("1704103500.000400", "U0009", "From another workspace.", user_team="T0002"),
                {
                    "type": "message",
                    "subtype": "bot_message",
                    "bot_id": "B0001",
                    "username": "deploys",
                    "text": "Deployed 42.",
                    "ts": "1704103600.000500",
                },
                said(
                    "1704103700.000600",
                    "U0001",
                    "",
                    files=[
                        {
                            "id": "F0001",
                            "name": "plan.pdf",
                            "title": "The plan",
                            "mimetype": "application/pdf",
                            "url_private": f"https://files.slack.com/plan.pdf?t={TOKEN}",
                        }
                    ],
                ),
            ],
            "general/2024-01-02.json": [
                said("1704189600.000100", "U0001", "<@U0002> has left the channel", subtype="channel_leave"),
                said("1704189700.000100", "USLACKBOT", "This message was deleted.", subtype="tombstone", hidden=True),
            ],
            "allgemeines-größe/2024-01-01.json": [said("1704103800.000100", "U0001", "Straße und Größe")],
            "secret/2024-01-01.json": [said("1704103900.000100", "U0001", "The budget is 480000 euros.")],
            "D0001/2024-01-01.json": [said("1704104000.000100", "U0002", "Just between us.")],
            "mpdm-maya--tom--vera-1/2024-01-01.json": [said("1704104100.000100", "U0003", "The three of us.")],
        }
    )
