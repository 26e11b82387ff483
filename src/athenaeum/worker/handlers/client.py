"""The client of a workspace, for what is only worth while where Slack can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.errors import Discard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.client import SlackClient


def client_of(slack: Mapping[TenantId, SlackClient], tenant: TenantId) -> SlackClient:
    """The tenant's client.

    Raises:
        Discard: Its workspace is not connected.
    """
    client = slack.get(tenant)
    if client is None:
        raise Discard(f"no Slack token for the workspace of tenant {tenant}")
    return client
