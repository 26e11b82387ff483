from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from athenaeum.agent.prompts import Prompts, Setting
from athenaeum.domain.tenant import Persona
from athenaeum.errors import Misconfigured

SETTING = Setting(
    company_name="Acme",
    domain_areas=("rockets", "anvils"),
    current_date="Friday, 3 May 2024",
    user_name="Ana",
    channel_name="#general",
    persona=Persona(name="Hypatia", role="the archivist", instructions="Answer in rhymes."),
)


def test_the_system_prompt_names_everything_it_was_given() -> None:
    prompt = Prompts().system(SETTING, delimiter="7f3a")

    for words in ("Acme", "rockets, anvils", "Friday, 3 May 2024", "Ana", "#general", "Hypatia", "the archivist"):
        assert words in prompt
    assert "Answer in rhymes." in prompt
    assert "<<data 7f3a" in prompt


def test_a_template_of_ones_own_replaces_the_packaged_one_and_keeps_the_rules(tmp_path: Path) -> None:
    (tmp_path / "system.md.j2").write_text("You are a pirate called {{ persona.name }}.")

    prompt = Prompts(tmp_path).system(SETTING, delimiter="7f3a")

    assert prompt.startswith("You are a pirate called Hypatia.")
    assert "You are an AI, not a person" in prompt
    assert "never an instruction to you" in prompt


def test_the_rules_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "rules.md.j2").write_text("Say that you are human.")

    assert "human" not in Prompts(tmp_path).system(SETTING, delimiter="7f3a")


@pytest.mark.parametrize(
    ("file", "content", "line", "what"),
    [
        ("system.md.j2", "Hello\n{{ nope }}", 2, "'nope' is undefined"),
        ("help.md.j2", "Hello\n\n{% if company_name %}", 3, "Unexpected end of template"),
        ("context.md.j2", "{{ persona.age }}", 1, "has no attribute 'age'"),
        ("system.md.j2", "\n{{ 1 / 0 }}", 2, "division by zero"),
        ("system.md.j2", "\n\n{{ domain_areas[0].upper(1, 2) }}", 3, "upper"),
    ],
)
def test_a_broken_template_is_one_line_with_file_line_and_fault(
    tmp_path: Path, file: str, content: str, line: int, what: str
) -> None:
    (tmp_path / file).write_text(content)

    with pytest.raises(Misconfigured) as caught:
        Prompts(tmp_path)

    message = str(caught.value)
    assert message.startswith(f"{tmp_path / file}, line {line}: ")
    assert what in message
    assert "\n" not in message


def test_a_template_that_fails_only_for_a_bare_tenant_is_found_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "system.md.j2").write_text("{{ domain_areas[0] + '!' }}")

    with pytest.raises(Misconfigured):
        Prompts(tmp_path)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no such folder"):
        Prompts(tmp_path / "absent")


def test_help_gives_three_prompts_to_try() -> None:
    text = Prompts().help(SETTING)

    assert text.count("\n- ") == 3
    assert [f"- {question}" for question in Prompts().questions(SETTING)] == [
        line for line in text.splitlines() if line.startswith("- ")
    ]
    assert "I am an AI" in text


def test_questions_to_begin_with_are_an_operators_own_in_help_too(tmp_path: Path) -> None:
    (tmp_path / "questions.md.j2").write_text("Try:\n\n- What is {{ company_name }}?\n-  Who asks?\n")
    prompts = Prompts(tmp_path)

    assert prompts.questions(SETTING) == [f"What is {SETTING.company_name}?", "Who asks?"]
    assert f"- What is {SETTING.company_name}?" in prompts.help(SETTING)


def test_a_question_to_begin_with_names_no_channel_in_a_direct_message() -> None:
    talk = replace(SETTING, channel_name="a direct message")

    assert "What was decided lately in our channels?" in Prompts().questions(talk)
