"""What looks like a credential: somebody pasted it where it does not belong, and nobody should read it from us.

The forms are those that providers publish for secret scanning. What is only long and random (a password, a bare AWS
secret key) cannot be told from other words, and an address with a password in it is mostly an example: neither is
looked for.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "[hidden]"

_CREDENTIAL = re.compile(
    r"""
    (?<![A-Za-z0-9])(?:
        (?:xox[a-z](?:\.xox[a-z])?|xapp|xwfp)-(?=[\w-]*\d)[\w-]{10,}                # Slack
      | gh[pousr]_\w{20,} | github_pat_\w{20,} | glpat-[\w-]{16,}                    # GitHub, GitLab
      | sk-[\w-]{12,} | [sr]k_(?:live|test)_\w{12,} | AIza[\w-]{30,}                 # Anthropic, OpenAI, Stripe, Google
      | (?:AKIA|ASIA)[A-Z0-9]{16}                                                    # Amazon
      | eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}                                        # a JSON Web Token, RFC 7519
    )
  | -----BEGIN[ ](?:[A-Z]+[ ]){0,3}PRIVATE[ ]KEY-----(?:.*?-----END[ ][A-Z ]*KEY-----|.*)  # RFC 7468
  | (?<=hooks\.slack\.com/services/)[\w/]+                                          # an incoming webhook
    """,
    re.VERBOSE | re.DOTALL,
)


def mask(text: str) -> str:
    """The text with `HIDDEN` in place of everything that looks like a credential."""
    return _CREDENTIAL.sub(HIDDEN, text)
