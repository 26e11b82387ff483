"""Slack's error codes as errors that say what to do.

SlackFailure
├── Ambiguous        RetryLater     the call may have had its effect; look before trying again
├── RateLimited      RetryLater     it had none; `after` is Slack's Retry-After
├── Duplicate        RetryLater     Slack knows the `client_msg_id`; the message has to be looked for
├── Unreachable      Refused        nothing can be shown there (not a member, archived, parent gone …)
├── MessageGone      Refused        the message to be changed is gone or can no longer be changed
├── StreamEnded      Refused        the message does not grow any more: it can be changed by an update now
├── StreamRunning    Refused        the message still grows: its stream has to be stopped before it can be changed
├── ContentRefused   Refused        too long, or blocks Slack doesn't take: say it more plainly
├── CallRefused      Refused        any other definite no
├── MissingScope     Misconfigured  the app lacks a scope
└── TokenRefused     Misconfigured  the token is wrong, revoked or of a deactivated account
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from athenaeum.errors import AthenaeumError, Misconfigured, Refused, RetryLater

if TYPE_CHECKING:
    from datetime import timedelta


class SlackFailure(AthenaeumError):  # noqa: N818 - a word of its own, like its siblings in athenaeum.errors
    """A Web API call that did not succeed; `code` is Slack's, or ours for what never reached an answer."""

    method: str = ""
    code: str = ""


class Ambiguous(SlackFailure, RetryLater):
    """Timeout, lost connection, 5xx or an internal error: the effect may or may not be there."""


class RateLimited(SlackFailure, RetryLater):
    """HTTP 429: the call had no effect."""


class Duplicate(SlackFailure, RetryLater):
    """A message with this `client_msg_id` was accepted before."""


class Unreachable(SlackFailure, Refused):
    """The conversation or thread takes no messages from us."""


class MessageGone(SlackFailure, Refused):
    """The message can't be changed: it was deleted, isn't ours, or is too old to edit."""


class StreamEnded(SlackFailure, Refused):
    """Nothing can be appended any more: the stream was stopped by us, by somebody, or by Slack for its age."""


class StreamRunning(SlackFailure, Refused):
    """The message can't be changed while it is streamed."""


class ContentRefused(SlackFailure, Refused):
    """Slack doesn't take this content in this form."""


class CallRefused(SlackFailure, Refused):
    """A definite no without a class of its own."""


class MissingScope(SlackFailure, Misconfigured):
    """The token was not granted what the method needs."""


class TokenRefused(SlackFailure, Misconfigured):
    """No call with this token will succeed until an operator acts."""


_CLASSES: dict[type[SlackFailure], str] = {
    Ambiguous: "internal_error fatal_error service_unavailable request_timeout team_added_to_org",
    Duplicate: "duplicate_message duplicate_message_not_found duplicate_channel_not_found",
    Unreachable: "not_in_channel channel_not_found is_archived thread_not_found restricted_action"
    " restricted_action_read_only_channel restricted_action_thread_only_channel restricted_action_thread_locked"
    " restricted_action_non_threadable_channel cannot_reply_to_message ekm_access_denied team_access_not_granted"
    " messages_tab_disabled user_not_found cannot_dm_bot",
    MessageGone: "message_not_found cant_update_message cant_delete_message edit_window_closed",
    StreamEnded: "message_not_in_streaming_state stopped_by_user",
    StreamRunning: "streaming_state_conflict",
    ContentRefused: "msg_too_long msg_blocks_too_long invalid_blocks invalid_blocks_format no_text"
    " markdown_text_conflict",
}
_BY_CODE = {code: kind for kind, codes in _CLASSES.items() for code in codes.split()}
_TOKEN_CODES = frozenset(
    {
        "access_denied",
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)


_Failure = TypeVar("_Failure", bound=SlackFailure)


def failure(method: str, code: str, *, detail: str = "") -> SlackFailure:
    """The error for a Slack error code; `detail` is a scope, an HTTP status or a reason."""
    told = f"Slack answered {code} to {method}" + (f" ({detail})" if detail else "")
    if code in _TOKEN_CODES:
        error: SlackFailure = TokenRefused(f"{told}: put the app's current bot token into SLACK_BOT_TOKEN")
    elif code == "missing_scope":
        error = MissingScope(f"{told}: update the app with `athenaeum slack manifest` and install it again")
    else:
        error = _BY_CODE.get(code, CallRefused)(told)
    return _named(error, method, code)


def rate_limited(method: str, after: timedelta) -> RateLimited:
    """The error for HTTP 429."""
    message = f"Slack limits {method}: again in {after.total_seconds():.0f} s"
    return _named(RateLimited(message, after=after), method, "ratelimited")


def ambiguous(method: str, code: str, *, detail: str = "") -> Ambiguous:
    """The error for a call of which nobody knows whether it took effect."""
    return _named(Ambiguous(f"{method} ended without an answer: {detail or code}"), method, code)


def _named(error: _Failure, method: str, code: str) -> _Failure:
    error.method, error.code = method, code
    return error
