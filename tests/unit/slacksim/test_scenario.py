from __future__ import annotations

from pathlib import Path

import pytest

from slacksim import scenario
from slacksim.errors import ScenarioError
from slacksim.model import Kind


def test_the_builtin_scenario_loads() -> None:
    world = scenario.load()
    assert world.find_channel("#general") is not None


def test_ids_are_the_same_each_time() -> None:
    first, second = scenario.load(), scenario.load()
    assert list(first.users) == list(second.users)
    assert list(first.channels) == list(second.channels)
    assert first.app.bot_token == second.app.bot_token


def test_names_in_texts_become_ids_and_replies_a_thread() -> None:
    world = scenario.build(
        {
            "users": [{"name": "maya"}, {"name": "tom"}],
            "channels": [
                {
                    "name": "general",
                    "messages": [
                        {
                            "user": "maya",
                            "text": "<@tom> see <#general>",
                            "ago": 60,
                            "reactions": {"eyes": ["tom"]},
                            "replies": [{"user": "athenaeum", "text": "Done.", "ago": 50}],
                        }
                    ],
                }
            ],
        }
    )
    general, tom = world.find_channel("general"), world.find_user("tom")
    assert general is not None
    assert tom is not None
    parent, reply = general.messages.values()
    assert parent.text == f"<@{tom.id}> see <#{general.id}>"
    assert parent.reactions == {"eyes": [tom.id]}
    assert (reply.thread_ts, reply.bot_id) == (parent.ts, world.app.bot_id)


def test_everyone_but_guests_is_meant_by_a_star() -> None:
    world = scenario.build(
        {
            "users": [{"name": "maya"}, {"name": "vera", "is_guest": True}],
            "channels": [{"name": "general", "members": ["*"]}, {"kind": "im", "members": ["maya", "vera"]}],
        }
    )
    general, direct = world.channels.values()
    assert {world.users[user].name for user in general.members} == {"athenaeum", "maya"}
    assert direct.kind is Kind.IM


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("users: [{name: Maya Chen}]", "users.0.name"),
        ("chanels: []", "chanels"),
        ("channels: [{name: general, members: [nobody]}]", "no user 'nobody'"),
        ("channels: [{kind: private}]", "needs a name"),
        ("a: [", "not YAML"),
    ],
)
def test_a_mistake_in_the_file_is_named_in_one_line(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "company.yaml"
    file.write_text(content)
    with pytest.raises(ScenarioError) as refused:
        scenario.load(file)
    text = str(refused.value)
    assert complaint in text
    assert "\n" not in text


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        scenario.load(Path("missing.yaml"))
