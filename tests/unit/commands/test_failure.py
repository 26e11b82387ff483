from __future__ import annotations

import errno
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from athenaeum.commands import failure
from athenaeum.errors import Misconfigured

MINE = Misconfigured("no port: set ATHENAEUM_PORT")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MINE, "no port: set ATHENAEUM_PORT"),
        (ExceptionGroup("several", [ExceptionGroup("inner", [KeyError("x"), MINE])]), "no port: set ATHENAEUM_PORT"),
        (psycopg.OperationalError("server closed the connection\nmore"), "the database: server closed the connection;"),
        (OperationalError("SELECT 1", {}, psycopg.errors.DiskFull("no space left")), "the database: no space left;"),
        (OSError(errno.ENOSPC, "No space left on device", "/home/x"), "No space left on device: /home/x"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; athenaeum doctor"),
    ],
)
def test_what_can_happen_to_anyone_is_one_line(error: Exception, words: str) -> None:
    line = failure.explain(error)

    assert line is not None
    assert line.startswith(words)
    assert "\n" not in line


def test_a_defect_is_not_explained() -> None:
    assert failure.explain(KeyError("x")) is None
    assert failure.explain(ExceptionGroup("several", [KeyError("x")])) is None


def test_a_defects_traceback_is_kept_in_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyError) as caught:
        {}["where"]
    failure.report(caught.type, caught.value, caught.tb)

    [kept] = tmp_path.iterdir()
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "unexpected KeyError: 'where'" in said
    assert str(kept) in said
    assert "Traceback" in kept.read_text()
