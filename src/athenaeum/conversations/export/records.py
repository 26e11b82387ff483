"""The records of one JSON file of an export, read as a stream: 30 MB of a day are never in memory at once."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import IO, Any, cast

import ijson

from athenaeum.conversations.export.container import ExportFile
from athenaeum.slack.incoming import Malformed

_CONTROL = bytes(set(range(32)) - set(b"\t\n\r"))  # JSON has none of them, and a parser stops at the first


class Records:
    """The objects in a file's list, and what could not be read of it."""

    def __init__(self, leaf: ExportFile) -> None:
        """Nothing is opened yet."""
        self._leaf = leaf
        self.fault: str | None = None
        """Why the file was not read as it is: set when the iteration ends."""

    def __iter__(self) -> Iterator[Mapping[str, Any] | Malformed]:
        """Each record in its turn; a fault in the place of one that is no object."""
        count = 0
        with self._leaf.open() as opened:
            stream = _Mended(opened)
            try:
                for record in ijson.items(stream, "item", use_float=True):  # pyright: ignore[reportUnknownVariableType]
                    count += 1
                    yield _object(record)
            except ijson.JSONError as error:
                self.fault = f"{_reason(error)} after {count} records: the rest of the file cannot be read"
            else:
                if stream.first not in {b"[", b""}:
                    self.fault = "not a list of records"
                elif stream.mended:
                    self.fault = "bytes that are no text were taken out (NUL, control characters, broken UTF-8)"


class _Mended:
    """A stream without the bytes at which a JSON parser would give the rest of the file up."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self.first = b""
        self.mended = False

    def read(self, size: int = -1) -> bytes:
        if size == 0:
            return b""
        while True:
            chunk = self._stream.read(size)
            text = self._decoder.decode(chunk, final=not chunk)
            clean = text.encode().translate(None, _CONTROL)
            self.mended = self.mended or len(clean) != len(text.encode()) or "\ufffd" in text
            self.first = self.first or clean.lstrip()[:1]
            if clean or not chunk:
                return clean


def _object(record: object) -> Mapping[str, Any] | Malformed:
    if isinstance(record, dict):
        return cast("Mapping[str, Any]", record)
    return Malformed(f"expected a JSON object, got {type(record).__name__}")


def _reason(error: Exception) -> str:
    told = error.args[0] if error.args else "no JSON"
    first = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    return first.splitlines()[0].strip()
