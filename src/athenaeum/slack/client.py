"""The Web API as Athenaeum uses it: few methods, explicit timeouts, typed errors, no hidden retries.

slack_sdk's default handlers repeat a call whose response was lost: measured, that posts a message twice. Here
a call that changes something is made once; a read waits out Slack's limits and short outages.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.errors import Misconfigured
from athenaeum.observability.metrics import SLACK_ERRORS, SLACK_SECONDS
from athenaeum.slack import storage
from athenaeum.slack.agents import AgentCalls
from athenaeum.slack.errors import Ambiguous, CallRefused, RateLimited, TokenRefused, ambiguous, failure, rate_limited
from athenaeum.slack.identity import Identity
from athenaeum.slack.limits import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from athenaeum.domain.identity import UserId
    from athenaeum.slack.post import Post

log = structlog.get_logger(__name__)
_Read = TypeVar("_Read")

SLACK_API = "https://slack.com/api/"
_READ_ATTEMPTS = 5
_FIRST_PAUSE = timedelta(seconds=0.5)
_LONGEST_PAUSE = timedelta(seconds=60)
_PAGE = 200
_CLAMPED_PAGE = 16  # 15 messages, and in a thread its parent


class TokenSource(Protocol):
    """A token that may change while it is used."""

    async def current(self) -> str:
        """The token for a call."""
        ...

    async def renew(self, refused: str, error: TokenRefused) -> str:
        """A newer token than the one that was refused with `error`, which is raised when there is none."""
        ...


class SlackClient(AgentCalls):
    """One workspace's bot; an async context manager that may be closed twice.

    Every method raises a `slack.errors.SlackFailure`. Objects are Slack's JSON as it comes. A call that is refused
    for its token had no effect: with a newer token it is made once more.
    """

    def __init__(
        self,
        token: str | TokenSource,
        *,
        base_url: str = SLACK_API,
        timeout: timedelta = timedelta(seconds=10),
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        """`timeout` is the most that one HTTP exchange may take, connecting included.

        With a `session` of somebody else's, from `open_session`, it is ready without being entered.
        """
        self._token = token
        self._base_url = base_url
        self._timeout = timeout
        self._stack = AsyncExitStack()
        self._web = None if session is None else self._client(session)
        self.limits = Limits()
        self.is_clamped = False
        """Whether Slack was seen to give this app 15 messages of history a call, which is one a minute then."""

    async def __aenter__(self) -> Self:
        """Open the session that all calls share; without one slack_sdk connects anew for every call."""
        self._web = self._client(await self._stack.enter_async_context(open_session(self._timeout)))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the session."""
        await self.close()

    async def close(self) -> None:
        """Close the session; harmless when repeated."""
        self._web = None
        await self._stack.aclose()

    # Writing: one attempt each

    async def post_message(self, post: Post) -> MessageTs:
        """Post and give the message's ts. `Ambiguous` and `Duplicate` mean: look before posting again."""
        answer = await self._call("chat.postMessage", post.arguments())
        return MessageTs(str(answer["ts"]))

    async def post_ephemeral(
        self,
        channel: ChannelId,
        user: UserId,
        text: str,
        *,
        thread_ts: MessageTs | None = None,
        blocks: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Show something to one member of a channel; Slack keeps it nowhere, and repeated it is shown again."""
        content = {"text": text, "blocks": list(blocks) or None}
        await self._call("chat.postEphemeral", {"channel": channel, "user": user, "thread_ts": thread_ts} | content)

    async def update_message(
        self, channel: ChannelId, ts: MessageTs, *, text: str, blocks: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Replace a message's text and blocks; safe to repeat."""
        shown = {"channel": channel, "ts": ts, "text": text, "blocks": list(blocks), "link_names": False}
        await self._call("chat.update", {**shown, "unfurl_links": False, "unfurl_media": False})

    async def delete_message(self, channel: ChannelId, ts: MessageTs) -> None:
        """Delete a message of our own."""
        await self._call("chat.delete", {"channel": channel, "ts": ts})

    async def open_view(self, trigger: str, view: Mapping[str, Any]) -> None:
        """Show a modal to whoever clicked; the click gives leave for one, within three seconds."""
        await self._call("views.open", {"trigger_id": trigger, "view": view})

    async def open_direct(self, user: UserId) -> ChannelId:
        """The direct message between the bot and a person, which Slack makes when there is none."""
        answer = await self._call("conversations.open", {"users": user})
        return ChannelId(str(answer["channel"]["id"]))

    async def publish_home(self, user: UserId, view: Mapping[str, Any]) -> None:
        """Show a person another home; safe to repeat."""
        await self._call("views.publish", {"user_id": user, "view": view})

    async def upload(self, name: str, content: bytes) -> str:
        """Bring a file, which nobody sees until it is shared; gives its id."""
        method = "files.getUploadURLExternal"
        place = await self._call(method, {"filename": name, "length": len(content)}, form=True)
        await storage.bring(self._http, str(place["upload_url"]), content)
        return str(place["file_id"])

    async def share(self, file: str, channel: ChannelId, *, title: str, thread_ts: MessageTs | None) -> None:
        """Post an uploaded file; Slack tells neither which message that is, nor twice from once."""
        shared = {"files": json.dumps([{"id": file, "title": title}]), "channel_id": channel, "thread_ts": thread_ts}
        await self._call("files.completeUploadExternal", shared, form=True)

    async def delete_file(self, file: str) -> None:
        """Delete a file of our own, and with it the messages that say nothing else."""
        await self._call("files.delete", {"file": file})

    # Reading: waits out limits and short outages

    async def auth_test(self) -> Identity:
        """Who the token belongs to, and the scopes it was granted."""
        response = await self._respond("auth.test", {}, read=False)
        for name in ("team_id", "user_id"):
            if not response.get(name):
                raise failure("auth.test", f"nothing for {name}", detail="is SLACK_API_URL Slack's Web API?")
        return Identity.read(response.data, response.headers)  # pyright: ignore[reportArgumentType] - JSON by now

    async def oauth_access(self, grant: Mapping[str, str]) -> dict[str, Any]:
        """What Slack gives for a code or a refresh token, which are good for one use; needs no token."""
        return _body(await self._respond("oauth.v2.access", grant, read=False, form=True))

    async def validate_blocks(self, blocks: Sequence[Mapping[str, Any]]) -> None:
        """Nothing is shown; ContentRefused when Slack would not show it."""
        await self._call("blocks.validate", {"blocks": list(blocks)})

    async def open_socket(self) -> str:
        """The address of a new Socket Mode connection, good for one use; only an app-level token may ask."""
        return str((await self._call("apps.connections.open", {}))["url"])

    async def channel_info(self, channel: ChannelId) -> dict[str, Any]:
        """One conversation."""
        return (await self._read("conversations.info", {"channel": channel}))["channel"]

    async def user_info(self, user: UserId) -> dict[str, Any]:
        """One person or bot."""
        return (await self._read("users.info", {"user": user}))["user"]

    async def file_info(self, file: str) -> dict[str, Any]:
        """One file, and where it was shared."""
        return (await self._read("files.info", {"file": file}))["file"]

    async def download(self, url: str, *, limit: int) -> bytes:
        """The content of a file of at most `limit` bytes; CallRefused where the address is not Slack's."""
        if not storage.holds_files(url, self._base_url):
            raise failure(storage.DOWNLOAD, "foreign_address")
        token = self._token if isinstance(self._token, str) else await self._token.current()
        return await self._patiently(storage.DOWNLOAD, lambda: storage.fetch(self._http, url, token, limit=limit))

    async def replies(
        self, channel: ChannelId, thread_ts: MessageTs, *, after: MessageTs | None = None, metadata: bool = False
    ) -> AsyncGenerator[dict[str, Any]]:
        """A thread's messages, the parent first; with `after` only later replies (and the parent)."""
        arguments = {"channel": channel, "ts": thread_ts, "oldest": after, "include_all_metadata": metadata}
        async for message in self._pages("conversations.replies", arguments, "messages"):
            yield message

    async def history(
        self,
        channel: ChannelId,
        *,
        after: MessageTs | None = None,
        before: MessageTs | None = None,
        metadata: bool = False,
    ) -> AsyncGenerator[dict[str, Any]]:
        """A conversation's messages without replies, the newest first."""
        arguments = {"channel": channel, "oldest": after, "latest": before, "include_all_metadata": metadata or None}
        async for message in self._pages("conversations.history", arguments, "messages"):
            yield message

    async def users(self) -> AsyncGenerator[dict[str, Any]]:
        """Everyone in the workspace, bots and deactivated people too."""
        async for user in self._everywhere("users.list", {}, "members"):
            yield user

    async def channels(self, types: str = "public_channel,private_channel,im,mpim") -> AsyncGenerator[dict[str, Any]]:
        """Every conversation the bot may know of, archived ones too."""
        async for channel in self._everywhere("conversations.list", {"types": types}, "channels"):
            yield channel

    async def members(self, channel: ChannelId) -> AsyncGenerator[str]:
        """The user ids of a conversation's members."""
        async for member in self._pages("conversations.members", {"channel": channel}, "members"):
            yield member

    async def history_pages(
        self, channel: ChannelId, *, after: MessageTs | None = None, before: MessageTs | None = None
    ) -> AsyncGenerator[list[dict[str, Any]]]:
        """`history` by its pages, each as the conversation was at one moment."""
        arguments = {"channel": channel, "oldest": after, "latest": before}
        async for page in self._page_by_page("conversations.history", arguments, "messages"):
            yield _objects(page)

    async def reply_pages(
        self, channel: ChannelId, thread_ts: MessageTs, *, after: MessageTs | None = None
    ) -> AsyncGenerator[list[dict[str, Any]]]:
        """`replies` by its pages, the oldest reply first; the parent comes with the first page."""
        arguments = {"channel": channel, "ts": thread_ts, "oldest": after}
        async for page in self._page_by_page("conversations.replies", arguments, "messages"):
            yield _objects(page)

    async def _everywhere(self, method: str, arguments: Mapping[str, Any], key: str) -> AsyncGenerator[Any]:
        """What a workspace has; for an organisation's token, which must name one, what each of its workspaces has."""
        try:
            async for item in self._pages(method, arguments, key):
                yield item
        except CallRefused as error:
            if error.code != "missing_argument":
                raise
            async for team in self._pages("auth.teams.list", {}, "teams"):
                async for item in self._pages(method, {**arguments, "team_id": str(team["id"])}, key):
                    yield item

    async def _pages(self, method: str, arguments: Mapping[str, Any], key: str) -> AsyncGenerator[Any]:
        async for page in self._page_by_page(method, arguments, key):
            for item in page:
                yield item

    async def _page_by_page(self, method: str, arguments: Mapping[str, Any], key: str) -> AsyncGenerator[list[Any]]:
        cursor = ""
        while True:
            page = await self._read(method, {**arguments, "limit": _PAGE, "cursor": cursor or None})
            items = list(page.get(key) or ())
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if cursor and key == "messages" and len(items) <= _CLAMPED_PAGE:
                self.is_clamped = True
            yield items
            if not cursor:
                return

    async def _read(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return _body(await self._patiently(method, lambda: self._respond(method, arguments, read=True)))

    async def _patiently(self, method: str, read: Callable[[], Awaitable[_Read]]) -> _Read:
        for attempt in range(1, _READ_ATTEMPTS + 1):
            try:
                return await read()
            except (RateLimited, Ambiguous) as error:
                pause = error.after or _FIRST_PAUSE * 2 ** (attempt - 1)
                if attempt == _READ_ATTEMPTS or pause > _LONGEST_PAUSE:
                    raise
                log.info("slack.waiting", method=method, error=error.code, seconds=pause.total_seconds())
                await asyncio.sleep(pause.total_seconds())
        raise AssertionError

    async def _call(self, method: str, arguments: Mapping[str, Any], *, form: bool = False) -> dict[str, Any]:
        if pause := self.limits.pause(method):
            raise rate_limited(method, pause)
        return _body(await self._respond(method, arguments, read=False, form=form))

    async def _respond(
        self, method: str, arguments: Mapping[str, Any], *, read: bool, form: bool = False
    ) -> AsyncSlackResponse:
        given = {name: value for name, value in arguments.items() if value is not None}
        if read:
            call: dict[str, Any] = {"http_verb": "GET", "params": given}
        else:
            call = {"data": given} if form else {"json": given}
        if isinstance(self._token, str):
            return await self._exchange(method, self._token, call)
        token = await self._token.current()
        try:
            return await self._exchange(method, token, call)
        except TokenRefused as refused:
            token = await self._token.renew(token, refused)
        return await self._exchange(method, token, call)

    async def _exchange(self, method: str, token: str, call: Mapping[str, Any]) -> AsyncSlackResponse:
        if self._web is None:
            raise Misconfigured("the Slack client is used outside its `async with` block")
        self._web.token = token  # read before the call first waits, so that no other call's is taken
        try:
            with SLACK_SECONDS.labels(method).time():
                return await self._web.api_call(method, **call)
        except (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError) as error:
            failed = ambiguous(method, "no_answer", detail=type(error).__name__)
        except SlackApiError as error:
            failed = self._classify(method, error.response)
        SLACK_ERRORS.labels(method, failed.code).inc()
        raise failed

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._web is None or self._web.session is None:
            raise Misconfigured("the Slack client is used outside its `async with` block")
        return self._web.session

    def _client(self, session: aiohttp.ClientSession) -> AsyncWebClient:
        return AsyncWebClient("", base_url=self._base_url, session=session, retry_handlers=[])

    def _classify(self, method: str, response: Any) -> Ambiguous | RateLimited | Any:
        status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
        data: Any = getattr(response, "data", None)
        code = str(data.get("error") or "") if isinstance(data, dict) else ""
        if status == 429 or code in {"ratelimited", "rate_limited"}:
            after = timedelta(seconds=_seconds(response.headers.get("Retry-After")))
            self.limits.close(method, after)
            return rate_limited(method, after)
        if status >= 500 or not code:
            return ambiguous(method, code or "no_answer", detail=f"HTTP {status}")
        if code == "missing_scope" and isinstance(data, dict):
            return failure(method, code, detail=f"needs {data.get('needed', '?')}")
        return failure(method, code)


def open_session(timeout: timedelta = timedelta(seconds=10)) -> aiohttp.ClientSession:
    """A session that many clients may share."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout.total_seconds(), sock_connect=5))


def _objects(page: list[Any]) -> list[dict[str, Any]]:
    """What is no object tells nothing of a message."""
    return [message for message in page if isinstance(message, dict)]


def _body(response: AsyncSlackResponse) -> dict[str, Any]:
    assert isinstance(response.data, dict)  # validate() has refused anything else
    return response.data


def _seconds(retry_after: str | None) -> float:
    try:
        return max(1.0, float(retry_after or 1))
    except ValueError:
        return 1.0
