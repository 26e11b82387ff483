"""A local Slack workspace: Web API, Socket Mode, signed Events, a page for people, fault injection."""
