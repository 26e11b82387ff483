"""The composition root: the only package that picks concrete classes.

database    which PostgreSQL, and that it stays there
library     the index and the documents
agent       the agent and its models
mcp         other servers' tools for it
workspace   the Slack workspace of the configured token
http        the port for health, metrics and Slack's events
process     gateway, workers and janitor, together or apart
side_doors  MCP servers, over HTTP or on standard input
"""

from __future__ import annotations
