"""Text from outside, marked as data, and stripped of what a reader cannot see and what nobody should repeat."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from secrets import token_hex

from athenaeum.domain.passage import Origin
from athenaeum.domain.secret import mask

# Characters that carry text to a model and nothing to a person's eye: NUL, zero-width and joining marks,
# bidirectional overrides, the tag block (OWASP LLM01:2026 names it), supplementary variation selectors.
# ZWJ and the emoji selector stay: people write emoji.
_INVISIBLE = re.compile(
    "[\x00\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)


def visible(text: str) -> str:
    """The text without invisible characters, and without what looks like a credential."""
    return mask(_INVISIBLE.sub("", text))


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Wraps outside text in a delimiter that is drawn per turn, so no text written before can close it."""

    delimiter: str = field(default_factory=lambda: token_hex(8))

    def wrap(self, text: str, *, origin: Origin, label: str = "") -> str:
        """The text between an opening line, which names its origin, and a closing line."""
        cited = f" [{label}]" if label else ""
        return f"<<data {self.delimiter} from a {origin}{cited}>>\n{visible(text)}\n<<end {self.delimiter}>>"
