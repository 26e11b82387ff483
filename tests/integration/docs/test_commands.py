"""Commands in the documentation exist with these options, and the page of commands names all of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

import athenaeum.cli
import slacksim.cli
from support.documentation import PAGES, ROOT, Page, spans

_APPS = {
    "athenaeum": typer.main.get_command(athenaeum.cli.app),
    "slacksim": typer.main.get_command(slacksim.cli.app),
}
_TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
_REFERENCE = Page(ROOT / "docs" / "reference" / "commands.md")

_ASSIGNMENT = re.compile(r"^[A-Z_]+=\S*$")


def _commands(page: Page) -> Iterator[list[str]]:
    """Lines of code blocks and pieces of inline code that call one of our programs."""
    lines = [line for block in page.blocks() for line in block.splitlines()]
    for line in [*lines, *page.code]:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # not a shell's line
            continue
        while words and (_ASSIGNMENT.match(words[0]) or words[0] == "$"):
            words = words[1:]
        if words and words[0] in {*_APPS, "make"} and len(words) > 1:
            yield words


def _fault(words: list[str]) -> str | None:
    program, *arguments = words
    if program == "make":
        unknown = [word for word in arguments if "=" not in word and word not in _TARGETS]
        return f"no target {unknown}" if unknown else None
    given = ["1" if word == "ID" else word for word in arguments]
    return _parse(program, given)


def _parse(program: str, arguments: list[str]) -> str | None:
    command: Any = _APPS[program]
    try:
        while isinstance(command, TyperGroup) and arguments:  # a group alone prints its help
            name, *arguments = arguments
            command = command.commands.get(name)
        if command is None:
            return "no such command"
        if isinstance(command, TyperGroup):
            return None
        command.make_context(program, arguments).close()
    except TyperException as error:
        return error.format_message()
    return None


@pytest.mark.parametrize("page", [Page(path) for path in PAGES if Page(path) != _REFERENCE], ids=str)
def test_commands_can_be_given_as_they_are_written(page: Page) -> None:
    faults = {" ".join(words): fault for words in _commands(page) if (fault := _fault(words))}

    assert faults == {}


def test_the_page_of_commands_names_every_command_with_its_arguments_and_options() -> None:
    usages = [usage for row in _REFERENCE.table("command") for usage in spans(row[0])]
    told = {re.split(r" [\[A-Z]", usage, maxsplit=1)[0]: _parameters(usage) for usage in usages}

    assert told == {name: wanted for program in _APPS for name, wanted in _declared(program, _APPS[program])}


def _parameters(usage: str) -> list[str]:
    """Options, and arguments: the words in capitals that are not an option's value."""
    return sorted(re.findall(r"--[a-z-]+|\b[A-Z]+\b", re.sub(r"(--[a-z-]+) [A-Z]+", r"\1", usage)))


def _declared(name: str, command: Any) -> Iterator[tuple[str, list[str]]]:
    if isinstance(command, TyperGroup):
        for part, inner in command.commands.items():
            yield from _declared(f"{name} {part}", inner)
        return
    # of a pair such as --browser/--no-browser, the one that changes something
    yield (
        name,
        sorted(
            str(parameter.metavar)
            if parameter.param_type_name == "argument"
            else (parameter.secondary_opts or parameter.opts)[0]
            for parameter in command.params
        ),
    )
