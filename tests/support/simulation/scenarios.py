"""The scenarios by their names."""

from __future__ import annotations

from support.simulation.exploration import Setting
from support.simulation.queue_scenario import QueueScenario
from support.simulation.turn_scenario import TurnScenario

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in (QueueScenario, TurnScenario)}
