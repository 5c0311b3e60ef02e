"""Senders' payloads as alerts: one row of SOURCES a sender. docs/alerts.md says how each is set up."""

from __future__ import annotations

from bot.alerts.intake import Intake
from bot.alerts.sources import SOURCES, Source

__all__ = ["SOURCES", "Intake", "Source"]
