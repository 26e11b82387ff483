from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic_ai.exceptions import (
    AgentRunError,
    ContentFilterError,
    FallbackExceptionGroup,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelNotFoundError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
    UnexpectedModelBehavior,
)

from athenaeum.errors import APOLOGY, Refused, RetryLater
from athenaeum.llm.faults import translate


@pytest.mark.parametrize(
    "error",
    [
        ModelOverloadedError("m", "overloaded"),
        ModelServerError("m", "broken"),
        ModelConnectionError("m", "reset"),
        UnexpectedModelBehavior("garbled"),
    ],
)
def test_trouble_that_may_pass_is_tried_again(error: AgentRunError) -> None:
    fault = translate(error)

    assert isinstance(fault, RetryLater)
    assert fault.after is None


def test_a_stated_wait_is_kept() -> None:
    fault = translate(ModelRateLimitError("m", "slow down", retry_after=2.5))

    assert isinstance(fault, RetryLater)
    assert fault.after == timedelta(seconds=2.5)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModelAuthenticationError("m", "no"), "operator"),
        (ModelQuotaExceededError("m", "no"), "credit"),
        (ModelNotFoundError("m", "no"), "does not exist"),
        (ModelContextWindowExceededError("m", "no"), "new thread"),
        (ModelRequestRejectedError("m", "no"), "other words"),
        (ContentFilterError("no"), "declined"),
    ],
)
def test_what_would_fail_again_is_refused_with_advice(error: AgentRunError, words: str) -> None:
    fault = translate(error)

    assert isinstance(fault, Refused)
    assert words in fault.user_text
    assert fault.user_text != APOLOGY


def test_of_a_chain_the_most_hopeful_error_counts() -> None:
    refused, busy = ModelAuthenticationError("a", "no"), ModelRateLimitError("b", "wait", retry_after=3)

    fault = translate(FallbackExceptionGroup("all failed", [refused, busy]))

    assert isinstance(fault, RetryLater)
    assert fault.after == timedelta(seconds=3)
