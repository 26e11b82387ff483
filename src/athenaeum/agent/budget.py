"""How much one answer may cost, and what is said when that is not enough."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic_ai.usage import UsageLimits

EXHAUSTED = (
    "I stopped before I was done: this question needed more searching than one answer is allowed. "
    "Ask me something narrower, and I will get further."
)
FOUND = "Until then I had found this:"


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one turn, over all of its attempts: replayed steps count as they did the first time."""

    requests: int = 8
    tool_calls: int = 12
    tokens: int = 300_000

    @property
    def limits(self) -> UsageLimits:
        """The same limits in the library's words."""
        return UsageLimits(
            request_limit=self.requests, tool_calls_limit=self.tool_calls, total_tokens_limit=self.tokens
        )
