"""The front door: what Slack sends is verified, understood, archived and enqueued before it is acknowledged."""
