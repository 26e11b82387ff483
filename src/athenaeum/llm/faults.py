"""What a provider's error means for the queue and for the person who asked."""

from __future__ import annotations

from datetime import timedelta

from pydantic_ai.exceptions import (
    AgentRunError,
    ContentFilterError,
    FallbackExceptionGroup,
    ModelAPIError,
    ModelAuthenticationError,
    ModelContextWindowExceededError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRequestRejectedError,
)

from athenaeum.errors import AthenaeumError, Refused, RetryLater

_BUSY = "The language model could not be reached, so I could not answer this. Please ask again in a few minutes."
_KEY = "The language model refused this workspace's key, so I cannot answer. An operator has to mend the key."
_QUOTA = "The language model's account has run out of credit, so I cannot answer. An operator has to top it up."
_NAME = "The language model I am set to use does not exist, so I cannot answer. An operator has to choose another."
_LONG = "This conversation is too long for me to read at once. Please ask again in a new thread, with the key facts."
_REJECTED = "The language model did not accept this question. Please ask it in other words."
_FILTERED = "The language model declined to answer this. Please ask it in other words."

# Of a kind and its subclasses the subclass stands first.
_REFUSALS: tuple[tuple[type[AgentRunError], str, str], ...] = (
    (ModelAuthenticationError, "the provider refused the key: set the right one and restart", _KEY),
    (ModelQuotaExceededError, "the provider's account has no credit left: top it up", _QUOTA),
    (ModelNotFoundError, "the provider does not know the model: set ATHENAEUM_MODEL to another", _NAME),
    (ModelContextWindowExceededError, "the conversation exceeds the model's context window", _LONG),
    (ModelRequestRejectedError, "the provider rejected the request", _REJECTED),
    (ContentFilterError, "the provider's content filter stopped the answer", _FILTERED),
)


def translate(error: AgentRunError | FallbackExceptionGroup) -> AthenaeumError:
    """The error in our words.

    Rate limits (after their Retry-After), overload, failing servers, broken connections and garbled responses are
    RetryLater; whatever a second attempt would meet again is Refused. Of a fallback chain the most hopeful counts.
    """
    if isinstance(error, FallbackExceptionGroup):
        faults = [translate(each) for each in error.exceptions if isinstance(each, AgentRunError)]
        return next((fault for fault in faults if isinstance(fault, RetryLater)), faults[0])
    model = f"{error.model_name}: " if isinstance(error, ModelAPIError) else ""
    for kind, reason, user_text in _REFUSALS:
        if isinstance(error, kind):
            return Refused(f"{model}{reason} ({_brief(error)})", user_text=user_text)
    seconds = error.retry_after if isinstance(error, ModelAPIError) else None
    after = timedelta(seconds=seconds) if seconds is not None else None
    return RetryLater(f"{model}{type(error).__name__}: {_brief(error)}", after=after, user_text=_BUSY)


def _brief(error: AgentRunError) -> str:
    return str(error).splitlines()[0][:300]
