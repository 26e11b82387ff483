"""Ids in Slack's shape. The same name gives the same id in each run, so that tests and logs can be compared."""

from __future__ import annotations

import base64
import hashlib


def stable_id(prefix: str, *parts: str) -> str:
    """An id such as ``U07QK3ZT5MA``, derived from the parts."""
    digest = hashlib.sha256("\x00".join((prefix, *parts)).encode()).digest()
    return prefix + base64.b32encode(digest).decode()[:10].translate(str.maketrans("O", "0"))


def stable_secret(*parts: str) -> str:
    """A hexadecimal secret of 32 characters, derived from the parts. It guards nothing but a local workspace."""
    return hashlib.sha256("\x00".join(("secret", *parts)).encode()).hexdigest()[:32]
