"""The operator's file of MCP servers, in the field's shape, with what is ours beside it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self, cast
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from athenaeum.domain.address import is_public
from athenaeum.errors import Misconfigured

VARIABLE: Final = "ATHENAEUM_MCP_CONFIG"
_REFERENCE = re.compile(r"\$\{(\w+)\}")
_SEPARATOR = "__"  # between a server's name and its tool's
_SERVER = re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*")  # without the separator
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME = 64  # of a tool, for OpenAI's and Anthropic's models

_Frozen = ConfigDict(extra="forbid", frozen=True)


class ToolSettings(BaseModel):
    """A tool that was looked at and approved, as it was then."""

    model_config: ClassVar[ConfigDict] = _Frozen

    fingerprint: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    changes: bool = True
    """Whether it changes something, so that each call needs a person's word."""
    label: str | None = Field(None, min_length=1, max_length=60)
    """What people see while it runs."""


class OAuthSettings(BaseModel):
    """An account at an authorization server, for the grant `client_credentials` (RFC 6749, 4.4)."""

    model_config: ClassVar[ConfigDict] = _Frozen

    issuer: str
    """Who gave out these credentials, and the only one that they are sent to."""
    client_id: str
    client_secret: SecretStr
    scope: str | None = None


class ServerSettings(BaseModel):
    """A server: at an address, or a command that is run."""

    model_config: ClassVar[ConfigDict] = _Frozen

    type: Literal["http", "streamable-http", "stdio"] | None = None
    url: str | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict[str, SecretStr])
    oauth: OAuthSettings | None = None
    private: bool = False
    """Whether its name may lead into a private network."""
    command: str | None = None
    args: list[str] = Field(default_factory=list[str])
    env: dict[str, SecretStr] = Field(default_factory=dict[str, SecretStr])
    cwd: Path | None = None
    disabled: bool = False
    timeout: float = Field(30, gt=0, le=600)
    """Seconds for connecting, and for each call."""
    audience: Literal["members", "everyone"] = "members"
    tenants: Literal["all"] | frozenset[str] | None = None
    """Ids of tenants, or of their Slack teams or organisations; None is the only workspace while there is one."""
    tools: dict[str, ToolSettings] = Field(default_factory=dict[str, ToolSettings])

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.url is None) == (self.command is None):
            raise ValueError("give either url or command")
        if (self.type == "stdio") != (self.command is not None) and self.type is not None:
            raise ValueError(f"type {self.type} does not go with {'command' if self.command else 'url'}")
        foreign = {"headers", "oauth", "private"} if self.command else {"args", "env", "cwd"}
        if unfit := sorted(foreign & self.model_fields_set):
            raise ValueError(f"{unfit[0]} does not go with {'command' if self.command else 'url'}")
        for name, address in (("url", self.url), ("issuer", self.oauth.issuer if self.oauth else None)):
            if address is not None and (fault := _fault_of(address, is_private=self.private)):
                raise ValueError(f"{name}: {fault}")
        return self

    @property
    def patience(self) -> timedelta:
        """`timeout` as a duration."""
        return timedelta(seconds=self.timeout)


def read_servers(path: Path, variable: Callable[[str], str | None]) -> dict[str, ServerSettings]:
    """The servers of the file by their names, with `${NAME}` in its texts filled in by `variable`.

    Raises:
        Misconfigured: it cannot be read; the message names every fault, one a line.
    """
    where = f"{VARIABLE}: {path}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise Misconfigured(f"{where}: {error.strerror}: mend the path, or unset {VARIABLE}") from error
    except ValueError as error:  # not UTF-8, not JSON, or a key that is there twice
        raise Misconfigured(f"{where}: {error}: mend the file") from error
    if not isinstance(content, dict) or set(cast("dict[str, Any]", content)) != {"mcpServers"}:
        raise Misconfigured(f'{where}: it should hold {{"mcpServers": {{…}}}} and nothing beside it')
    missing: list[str] = []
    filled = _filled(content["mcpServers"], variable, missing)
    faults = [f"${{{name}}} is not set: set it in the environment or in .env" for name in dict.fromkeys(missing)]
    servers: dict[str, ServerSettings] = {}
    for name, value in filled.items() if isinstance(filled, dict) else ():
        try:
            servers[name] = ServerSettings.model_validate(value)
        except ValidationError as error:
            faults += [f"{'.'.join([name, *map(str, fault['loc'])])}: {_told(fault)}" for fault in error.errors()]
    faults += [fault for name, server in servers.items() for fault in _faults_of_names(name, server)]
    if not isinstance(filled, dict):
        faults.append("mcpServers: give an object of servers by their names")
    if faults:
        raise Misconfigured("\n".join(f"{where}: {fault}" for fault in faults))
    return servers


def offered_name(server: str, tool: str) -> str:
    """What the agent calls a server's tool: no server's tools are ever called as ours or as another server's."""
    return f"{server}{_SEPARATOR}{_NOT_IN_NAMES.sub('_', tool)}"


def tool_in(name: str) -> str:
    """The tool's part of such a name."""
    return name.partition(_SEPARATOR)[2]


def is_foreign(name: str) -> bool:
    """Whether the agent's tool of this name is another server's."""
    return _SEPARATOR in name


def is_literally_inside(url: str) -> bool:
    """Whether the address names this machine or a private network itself, without asking anybody where it is."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or not is_public(host)
    except ValueError:
        return False


def _fault_of(url: str, *, is_private: bool) -> str | None:
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return "give an https:// address"
    if parts.username is not None or parts.password is not None:
        return "it holds a password: give it in headers"
    if parts.scheme == "http" and not (is_private or is_literally_inside(url)):
        return 'http is for servers on this machine or in a private network ("private": true): give https://'
    return None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is none
        if parts.hostname and ":" in parts.hostname:
            ip_address(parts.hostname)
    except ValueError:
        return None
    return parts


def _faults_of_names(name: str, server: ServerSettings) -> list[str]:
    faults: list[str] = []
    if not _SERVER.fullmatch(name):
        faults.append(f"{name}: a server's name is of letters, digits, and single - and _ between them")
    names = Counter(offered_name(name, tool) for tool in server.tools)
    for tool in server.tools:
        offered = offered_name(name, tool)
        if names[offered] > 1:
            faults.append(f"{name}.tools.{tool}: another tool would be called {offered} too: take one of them out")
        if len(offered) > _LONGEST_NAME:
            faults.append(
                f"{name}.tools.{tool}: {offered} is longer than {_LONGEST_NAME}: give the server a short name"
            )
    return faults


def _filled(value: Any, variable: Callable[[str], str | None], missing: list[str]) -> Any:
    """The value with references filled in, in its texts, not in its keys: what is filled in stays a text."""
    if isinstance(value, str):

        def fill(found: re.Match[str]) -> str:
            if (content := variable(found[1])) is None:
                missing.append(found[1])
                return found[0]
            return content

        return _REFERENCE.sub(fill, value)
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        # what a disabled server lacks is no fault
        lacking = [] if fields.get("disabled") is True else missing
        return {key: _filled(inner, variable, lacking) for key, inner in fields.items()}
    if isinstance(value, list):
        return [_filled(inner, variable, missing) for inner in cast("list[Any]", value)]
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        raise ValueError(f"{twice[0]!r} is there twice")
    return dict(pairs)


def _told(fault: Any) -> str:
    """A fault of pydantic's in one line, without the value: it may be a secret."""
    if fault["type"] == "extra_forbidden":
        return "there is no such setting: see docs/guides/mcp.md"
    return str(fault["msg"]).removeprefix("Value error, ")
