"""Prompts from templates: packaged ones, an operator's own in their place, and a persona's in theirs."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from athenaeum.agent.versions import fingerprint
from athenaeum.domain.tenant import Persona
from athenaeum.errors import Misconfigured

log = structlog.get_logger(__name__)

SYSTEM, CONTEXT, HELP, QUESTIONS = "system.md.j2", "context.md.j2", "help.md.j2", "questions.md.j2"
_RULES, _FILES, _LINKED = "rules.md.j2", "files.md.j2", "linked.md.j2"
_LOADER = PackageLoader(__package__ or "athenaeum.agent")


@dataclass(frozen=True, slots=True)
class Setting:
    """Who talks to whom about what, when and where: what every template may name."""

    company_name: str
    domain_areas: tuple[str, ...]
    current_date: str
    user_name: str
    channel_name: str
    persona: Persona


_SAMPLE = Setting(
    company_name="Example",
    domain_areas=("events", "search"),
    current_date="Monday, 1 January 2024",
    user_name="Ana",
    channel_name="#general",
    persona=Persona(instructions="Prefer examples."),
)
_BARE = Setting("", (), "today", "Ana", "a direct message", Persona())


class Prompts:
    """Renders the prompts of a turn.

    A file in `directory` replaces the packaged template of the same name (system, context, help, questions). The rules
    about being an AI, about sources and about data from outside are always the packaged ones.
    """

    def __init__(self, directory: Path | None = None) -> None:
        """Load and try every template.

        Raises:
            Misconfigured: a template is broken; the message names the file, the line and the fault.
        """
        if directory is not None and not directory.is_dir():
            raise Misconfigured(f"{directory}: there is no such folder of templates")
        self._rules = self._templates = _packaged()
        if directory is not None:
            self._templates = _environment(ChoiceLoader([FileSystemLoader(directory), _LOADER]))
        self._try()
        told = [(self._templates, SYSTEM), (self._templates, CONTEXT)]
        told += [(self._rules, name) for name in (_RULES, _FILES, _LINKED)]
        self.version = fingerprint([_source(environment, name)[0] for environment, name in told])
        """Of the templates that a turn's prompt is made from."""

    def system(self, setting: Setting, *, delimiter: str) -> str:
        """The system prompt; `delimiter` marks data from outside."""
        own = self._own(SYSTEM, setting.persona.system_template, **_values(setting))
        return f"{own}\n\n{_render(self._rules, _RULES, delimiter=delimiter)}"

    def context(self, setting: Setting, *, thread: str, recent: str) -> str:
        """What comes before the question; `thread` and `recent` are already marked as data, or empty."""
        values = _values(setting) | {"thread": thread, "recent": recent}
        return self._own(CONTEXT, setting.persona.context_template, **values)

    def files(self, passages: Sequence[str], unread: str, *, pictures: int) -> str:
        """What was shared with the question, already marked as data, and how many pictures are shown after it."""
        return _render(self._rules, _FILES, passages=passages, unread=unread, pictures=pictures)

    def linked(self, messages: Sequence[str], withheld: int) -> str:
        """Messages that the question links to, already marked as data, and how many are not shown; may be empty."""
        return _render(self._rules, _LINKED, messages=messages, withheld=withheld)

    def help(self, setting: Setting) -> str:
        """The answer to a mention without a question."""
        return _render(self._templates, HELP, **_values(setting))

    def questions(self, setting: Setting) -> list[str]:
        """Questions to begin with: the items of the list that help shows too."""
        lines = _render(self._templates, QUESTIONS, **_values(setting)).splitlines()
        return [line.removeprefix("- ").strip() for line in lines if line.startswith("- ")]

    def _own(self, name: str, template: str | None, **values: Any) -> str:
        """A persona's template was tried when it was set; one that fails all the same costs its words alone."""
        if template is not None:
            try:
                return _render_text(name, template, **values)
            except Misconfigured as error:
                log.error("template.broken", template=name, reason=str(error))  # noqa: TRY400 - the reason says all
        return _render(self._templates, name, **values)

    def _try(self) -> None:
        for setting in (_SAMPLE, _BARE):
            self.system(setting, delimiter="0")
            self.context(setting, thread="", recent="")
            self.context(setting, thread="A thread.", recent="A message.")
            self.help(setting)
            self.questions(setting)


def check(persona: Persona) -> None:
    """Try the templates of a persona.

    Raises:
        Misconfigured: one is broken; the message names the line and the fault.
    """
    for setting in (_SAMPLE, _BARE):
        values = _values(setting)
        if persona.system_template is not None:
            _render_text(SYSTEM, persona.system_template, **values)
        if persona.context_template is not None:
            _render_text(CONTEXT, persona.context_template, thread="", recent="", **values)
            _render_text(CONTEXT, persona.context_template, thread="A thread.", recent="A message.", **values)


@cache
def _packaged() -> Environment:
    """Compiled once in a process: that takes 50 ms, and several of its parts have prompts."""
    return _environment(_LOADER)


def _environment(loader: Any = None) -> Environment:
    # what a workspace's people wrote reaches no method that changes anything, and none of Python's insides
    return ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=False,  # Markdown for a model, not HTML for a browser
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _values(setting: Setting) -> dict[str, Any]:
    return asdict(setting)


_FAULTS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError)


def _render(environment: Environment, name: str, **values: Any) -> str:
    try:
        return environment.get_template(name).render(**values).strip()
    except _FAULTS as error:
        file, line = _location(environment, name, error)
        raise Misconfigured(f"{file}, line {line}: {error}") from error


def _render_text(name: str, template: str, **values: Any) -> str:
    try:
        return _TEXTS.from_string(template).render(**values).strip()
    except _FAULTS as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
        line = getattr(error, "lineno", None) or (frames[-1].lineno if frames else 1)
        raise Misconfigured(f"the persona's {name}, line {line}: {error}") from error


def _location(environment: Environment, name: str, error: Exception) -> tuple[str, int]:
    """Where a template failed: named by a syntax error, else the last frame that ran in the template."""
    if (line := getattr(error, "lineno", None)) is not None:
        return getattr(error, "filename", None) or name, line
    _, file = _source(environment, name)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return file or name, (frames[-1].lineno or 1) if frames else 1


def _source(environment: Environment, name: str) -> tuple[str, str | None]:
    """A template's text and, where it has one, its file."""
    assert environment.loader is not None
    text, file, _ = environment.loader.get_source(environment, name)
    return text, file


_TEXTS = _environment()
