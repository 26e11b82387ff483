"""Who is spoken to, where nobody mentions the bot.

speech      what a message says for itself: without code, quotes and links
words       the small lists of words that the rules know
verdict     the rules: pure, deterministic, silent on doubt
listening   what they need to know of a thread or channel, from the store
"""

from __future__ import annotations

from athenaeum.conversations.addressing.listening import Remark, listen
from athenaeum.conversations.addressing.verdict import Judgement

__all__ = ["Judgement", "Remark", "listen"]
