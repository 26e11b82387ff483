"""The reference pages name what the code declares: settings, metrics, slacksim's control API."""

from __future__ import annotations

import inspect
import re
from typing import get_args

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, SecretStr

from athenaeum.config import Config
from athenaeum.observability import metrics
from slacksim import requests, scenario
from slacksim.control import Control
from slacksim.deliveries import Timing
from slacksim.faults import Mode
from slacksim.inspection import Inspection
from slacksim.modals import Modals
from slacksim.simulation import Simulation
from slacksim.storage import Storage
from support.documentation import PAGES, ROOT, Page, spans

REFERENCE = ROOT / "docs" / "reference"
_OF_TESTS = re.compile(r"^((ATHENAEUM|SLACK)_TEST_|ATHENAEUM_STORM)")
_SETTING = re.compile(r"\b(?:ATHENAEUM|SLACK|ANTHROPIC|OPENAI|DATABASE|EVENT|MAX|WORKER)_[A-Z_]+\b")
_SLACKSIM = Page(REFERENCE / "slacksim.md")


def _variables() -> dict[str, str]:
    """Each setting's variable with its default as people write it."""
    fields = Config.model_fields.values()
    return {str(field.validation_alias): "" if field.default is None else str(field.default) for field in fields}


def test_the_page_of_settings_names_each_with_its_default() -> None:
    told: dict[str, str] = {}
    for names, default, _ in Page(REFERENCE / "configuration.md").table("variable"):
        told |= dict.fromkeys(spans(names), default.content.strip("`"))
    defaults = _variables()

    assert list(told) == list(defaults)
    # where none is set, the page may say what then happens
    assert {name: told[name] for name, default in defaults.items() if default} == {
        name: default for name, default in defaults.items() if default
    }


def test_the_page_of_settings_says_which_are_secret() -> None:
    secret = {
        str(field.validation_alias) for field in Config.model_fields.values() if SecretStr in get_args(field.annotation)
    }
    told = {
        name
        for row in Page(REFERENCE / "configuration.md").table("variable")
        if "ecret" in row[2].content
        for name in spans(row[0])
    }

    assert told == secret


@pytest.mark.parametrize("page", [Page(path) for path in PAGES], ids=str)
def test_every_setting_that_is_named_exists(page: Page) -> None:
    named = {name for code in [*page.code, *page.blocks()] for name in _SETTING.findall(code)}

    assert {name for name in named if not _OF_TESTS.match(name)} <= set(_variables())


def test_the_page_of_metrics_names_each_with_its_labels() -> None:
    declared: set[tuple[str, str]] = set()
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name = f"{metric._name}_total" if metric._type == "counter" else metric._name
            declared.add((name, ",".join(metric._labelnames)))
    told = [
        re.fullmatch(r"(\w+)(?:\{([\w,]+)\})?", name)
        for row in Page(REFERENCE / "metrics.md").table("metric")
        for name in spans(row[0])
    ]

    assert {(match[1], match[2] or "") for match in told if match} == declared
    assert len(told) == len(declared)


def _routes() -> dict[str, type[BaseModel] | None]:
    """Every call of the control API, with the model of its body."""
    world = scenario.load()
    simulation = Simulation(world, Timing())
    found: dict[str, type[BaseModel] | None] = {}
    routes = [route for part in (Control, Inspection, Modals, Storage) for route in part(simulation).routes()]
    for route in (route for route in routes if route.path.startswith("/_sim")):
        body = re.search(r"requests\.parsed\(request, requests\.(\w+)\)", inspect.getsource(route.handler))
        found[f"{route.method} {route.path}"] = getattr(requests, body[1]) if body else None
    return found


def test_the_page_of_slacksim_names_every_call_with_the_fields_of_its_body() -> None:
    told = {
        call.partition("?")[0]: set(re.findall(r"\w+\??", " ".join(spans(row[1]))))
        if call.startswith("POST")
        else set[str]()
        for row in _SLACKSIM.table("call")
        for call in spans(row[0])
    }
    real = {
        call: {name if field.is_required() else f"{name}?" for name, field in body.model_fields.items()}
        if body
        else set[str]()
        for call, body in _routes().items()
    }

    assert told == real


def test_the_page_of_slacksim_names_every_fault() -> None:
    assert [name for row in _SLACKSIM.table("mode") for name in spans(row[0])] == [*get_args(Mode), "client_msg_id_off"]


def test_the_scenario_on_slacksims_page_is_one_and_shows_every_key() -> None:
    (text,) = Page(REFERENCE / "scenarios.md").blocks("yaml")
    entries = [scenario.TeamEntry, scenario.AppEntry, scenario.UserEntry, scenario.ChannelEntry, scenario.MessageEntry]
    keys = {key for entry in entries for key in entry.model_fields}

    world = scenario.build(yaml.safe_load(text))

    assert world.channels
    assert {key for key in keys if not re.search(rf"\b{key}\b", text)} == set()
