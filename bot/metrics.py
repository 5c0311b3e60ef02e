"""The figures that `/metrics` tells: what they are called and count. docs/reliability.md says how to read them.

They count since the process began, each replica for itself.
"""

from __future__ import annotations

import prometheus_client

REGISTRY = prometheus_client.CollectorRegistry()

DELIVERIES = prometheus_client.Counter(
    "incident_commander_deliveries", "Deliveries from Slack that were taken up", registry=REGISTRY
)
#: why a delivery was not taken up as it should have been; a refusal in words is none of these
REASONS = ("database", "late", "failed")
DELIVERIES_MISSED = prometheus_client.Counter(
    "incident_commander_deliveries_missed",
    "Deliveries from Slack of which nothing was recorded through no fault of who sent them",
    ["reason"],
    registry=REGISTRY,
)
for _reason in REASONS:
    DELIVERIES_MISSED.labels(_reason)  # so that a rate begins at nothing, and is not unknown

ALERT_DELIVERIES = prometheus_client.Counter(
    "incident_commander_alert_deliveries",
    "Deliveries of known senders of alerts, by what they came to",
    ["source", "outcome"],
    registry=REGISTRY,
)

REMINDER_LATENESS_SECONDS = prometheus_client.Histogram(
    "incident_commander_reminder_lateness_seconds",
    "From the moment at which a reminder was owed until Slack had it",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600),
    registry=REGISTRY,
)

READY = prometheus_client.Gauge("incident_commander_ready", "1 when the bot can work", registry=REGISTRY)
OPEN_INCIDENTS = prometheus_client.Gauge(
    "incident_commander_open_incidents", "Incidents that are open", registry=REGISTRY
)
OVERDUE_SECONDS = prometheus_client.Gauge(
    "incident_commander_overdue_seconds", "Age of the oldest duty that is due and not paid", registry=REGISTRY
)
PARKED_EFFECTS = prometheus_client.Gauge(
    "incident_commander_parked_duties", "Duties that Slack refuses and that wait for a person", registry=REGISTRY
)
REQUESTS_REJECTED = prometheus_client.Counter(
    "incident_commander_turned_away",
    "Requests in Slack's or an alert sender's name that were not taken",
    ["reason"],
    registry=REGISTRY,
)
SLACK_CONNECTIONS = prometheus_client.Gauge(
    "incident_commander_slack_connections", "Socket Mode connections that stand (none by HTTP)", registry=REGISTRY
)
