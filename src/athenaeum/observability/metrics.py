"""Every metric, declared once."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 40, 80, 160)

EVENTS_RECEIVED = Counter("athenaeum_events_received_total", "Slack events that arrived", ["transport", "type"])
EVENTS_REFUSED = Counter("athenaeum_events_refused_total", "Requests turned away at the door", ["reason"])
UNKNOWN_WORKSPACES = Counter("athenaeum_unknown_workspace_total", "Events of workspaces that are not installed")
QUESTIONS_REFUSED = Counter("athenaeum_questions_refused_total", "Questions over their channel's limit")
LIMIT_FALLBACKS = Counter("athenaeum_limit_fallbacks_total", "Questions counted in PostgreSQL because Redis was away")
INTAKE_SECONDS = Histogram("athenaeum_intake_seconds", "From arrival to commit", buckets=_FAST)

QUEUE_DEPTH = Gauge("athenaeum_queue_depth", "Unfinished and failed events by state", ["state", "kind", "tenant"])
QUEUE_OLDEST_SECONDS = Gauge(
    "athenaeum_queue_oldest_seconds", "For how long the first in line has been due", ["kind", "tenant"]
)
EVENTS_CLAIMED = Counter("athenaeum_events_claimed_total", "Claims", ["kind", "tenant"])
EVENTS_FINISHED = Counter("athenaeum_events_finished_total", "Events by outcome", ["kind", "tenant", "outcome"])
EVENTS_RESCUED = Counter("athenaeum_events_rescued_total", "Events whose lease ran out", ["kind", "tenant"])
EVENTS_SCHEDULED = Counter("athenaeum_events_scheduled_total", "Events enqueued by schedules")
EVENTS_SENT = Counter("athenaeum_events_sent_total", "Messages to Celery's broker")
BROKER_FAILURES = Counter("athenaeum_broker_failures_total", "Messages that Celery's broker did not take")
LEASES_LOST = Counter(
    "athenaeum_leases_lost_total", "Handlers stopped because their lease was lost", ["kind", "tenant"]
)
CLAIM_SECONDS = Histogram("athenaeum_claim_seconds", "One claim statement", buckets=_FAST)
HANDLER_SECONDS = Histogram("athenaeum_handler_seconds", "One run of a handler", ["kind"], buckets=_SLOW)
WORKERS = Gauge("athenaeum_workers", "Workers of this process", ["state"])

TURN_SECONDS = Histogram("athenaeum_turn_seconds", "From the message's commit to the delivered answer", buckets=_SLOW)
FEEDBACK = Counter("athenaeum_feedback_total", "What people said of answers", ["verdict"])
TURNS = Counter("athenaeum_turns_total", "Finished turns by outcome", ["outcome"])
MODEL_SECONDS = Histogram("athenaeum_model_seconds", "One model request", ["model"], buckets=_SLOW)
MODEL_TOKENS = Counter("athenaeum_model_tokens_total", "Tokens by direction", ["model", "direction"])
MODEL_DOLLARS = Counter("athenaeum_model_dollars_total", "What model requests cost", ["tenant", "model"])
UNPRICED_REQUESTS = Counter(
    "athenaeum_unpriced_requests_total", "Model requests whose price is not known", ["tenant", "model"]
)
BUDGET_STOPS = Counter("athenaeum_budget_stops_total", "Turns that a spent budget stopped", ["tenant", "scope"])
TOOL_SECONDS = Histogram("athenaeum_tool_seconds", "One tool call", ["tool"], buckets=_SLOW)
TOOL_ERRORS = Counter("athenaeum_tool_errors_total", "Tool calls that failed", ["tool"])
MCP_CONNECTED = Gauge("athenaeum_mcp_connected", "Whether an MCP server can be asked", ["server"])
SEARCH_SECONDS = Histogram("athenaeum_search_seconds", "One search of the index", buckets=_FAST)
TOKEN_RENEWALS = Counter("athenaeum_token_renewals_total", "Bot tokens renewed, and renewals refused", ["outcome"])
SLACK_SECONDS = Histogram("athenaeum_slack_seconds", "One Web API call", ["method"], buckets=_SLOW)
SLACK_ERRORS = Counter("athenaeum_slack_errors_total", "Web API calls that failed", ["method", "error"])
MCP_SERVED_SECONDS = Histogram(
    "athenaeum_mcp_served_seconds", "One call of a tool of our MCP servers", ["tool", "outcome"], buckets=_FAST
)
MCP_REFUSED = Counter("athenaeum_mcp_refused_total", "Calls of our MCP servers that nobody may make", ["reason"])
