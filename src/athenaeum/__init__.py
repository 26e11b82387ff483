"""An AI teammate in Slack that answers once, with sources."""
