"""Bodies of the control API."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slacksim.deliveries import Via
from slacksim.errors import SlackError
from slacksim.faults import Mode

B = TypeVar("B", bound="Body")


class Body(BaseModel):
    """A JSON body; unknown fields are refused, so that a slip of the pen is seen."""

    model_config = ConfigDict(extra="forbid")


class Say(Body):
    user: str
    channel: str
    text: str
    thread_ts: str | None = None
    files: list[str] = []


class Edit(Body):
    user: str
    channel: str
    ts: str
    text: str


class Delete(Body):
    user: str
    channel: str
    ts: str


class React(Body):
    user: str
    channel: str
    ts: str
    name: str
    remove: bool = False


class Click(Body):
    user: str
    channel: str
    ts: str
    action_id: str
    value: str | None = None
    block_id: str | None = None


class Command(Body):
    """``text`` is the whole line, such as ``/athenaeum help``."""

    user: str
    channel: str
    text: str


class HomeVisit(Body):
    """Somebody looks at a tab of the app, or presses the element ``action_id`` of their home."""

    user: str
    tab: Literal["home", "messages"] = "home"
    action_id: str | None = None


class Stop(Body):
    user: str
    channel: str
    thread_ts: str


class Press(Body):
    user: str
    view_id: str
    action_id: str
    value: str | None = None


class Leave(Body):
    """``all``: also those below it."""

    user: str
    view_id: str
    all: bool = False


class Submit(Body):
    """``values`` by action_id: a text, the value of the chosen option, or several of them."""

    user: str
    view_id: str
    values: dict[str, str | list[str]] = {}


class Open(Body):
    user: str
    users: list[str]


class NewChannel(Body):
    user: str
    name: str = Field(pattern=r"^[a-z0-9_-]{1,80}$")
    private: bool = False
    members: list[str] = []


class Membership(Body):
    channel: str
    user: str
    remove: bool = False


class Archive(Body):
    channel: str
    user: str
    archived: bool = True


class FaultPlan(Body):
    """``client_msg_id_off`` makes chat.postMessage ignore client_msg_id until the faults are cleared."""

    method: str = "*"
    mode: Mode | Literal["client_msg_id_off"]
    times: int = Field(default=1, ge=1)
    retry_after: int = Field(default=1, ge=0)
    seconds: float = Field(default=1.0, ge=0, le=600)
    error: str = "internal_error"


class Disconnect(Body):
    reason: Literal["warning", "refresh_requested", "link_disabled"]


class SocketModeSwitch(Body):
    enabled: bool


class Deliver(Body):
    """Exactly one of the three.

    Attributes:
        payload: Sent as it is.
        event: An inner event, e.g. agent_session_stopped; the outer payload is put around it.
        event_id: An event that was sent before.
    """

    payload: dict[str, Any] | None = None
    event: dict[str, Any] | None = None
    event_id: str | None = None
    via: Via | None = None
    times: int = Field(default=1, ge=1, le=1000)


class EventsUrl(Body):
    """``verify`` sends Slack's challenge first, and keeps the old URL unless it is answered."""

    url: str = Field(pattern=r"^(https?://.+)?$")
    verify: bool = False


class OAuthSettings(Body):
    """``rotates``: tokens given from now on end after twelve hours and come with a refresh token."""

    redirect_url: str | None = Field(default=None, pattern=r"^https?://.+$")
    rotates: bool | None = None


class TeamNamed(Body):
    """A workspace by its id or name."""

    team: str


class LimitSettings(Body):
    """``per_minute`` gives calls a minute for single methods, e.g. conversations.history: 1."""

    enabled: bool
    per_minute: dict[str, int] = {}
    history_page: int = Field(default=1000, ge=1, le=1000)


class TimingSettings(Body):
    ack_seconds: float | None = Field(default=None, gt=0)
    retry_delays: list[float] | None = None
    warning_seconds: float | None = Field(default=None, ge=0)
    stream_seconds: float | None = Field(default=None, ge=0)


async def parsed(request: web.Request, body: type[B]) -> B:
    """The request's JSON as a body; a mistake is answered with the field and what it should be."""
    try:
        return body.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise SlackError("invalid_arguments", status=400, detail=f"{place}: {first['msg']}") from None
