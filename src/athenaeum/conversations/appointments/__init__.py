"""Digests of a channel, and reminders: what somebody asked to have said at a time to come.

wording   what people write to have one
rhythm    the moments that they mean, by their own clock
book      those that were asked for
keeping   what happens when the time has come
telling   times in words
"""

from __future__ import annotations
