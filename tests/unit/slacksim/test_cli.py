from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from slacksim.cli import main; main()"]


def test_it_prints_its_url_serves_the_scenario_and_stops_on_sigterm(tmp_path: Path) -> None:
    file = tmp_path / "company.json"
    file.write_text(json.dumps({"team": {"name": "Northwind", "domain": "northwind"}}))
    command = [*COMMAND, "--port", "0", "--scenario", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/_sim/world", timeout=5) as answer:
            world = json.load(answer)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert world["team"]["name"] == "Northwind"


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [(["--scenario", "missing.yaml"], 2, "missing.yaml: No such file"), (["--port", "70000"], 2, "--port")],
)
def test_a_wrong_call_ends_with_two_and_says_why(arguments: list[str], status: int, complaint: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == status
    assert complaint in done.stderr


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [*COMMAND, "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"port {port}: Address already in use" in done.stderr or "address already in use" in done.stderr
