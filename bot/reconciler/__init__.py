"""Pays what is owed to the world: due rules, the channel, people, messages, pins, files, public posts.

`scheduler` knows when an incident is attended, `reconcile` attends it once, `plan` lists what it lacks (pure),
`executor` has each call made by the effector of its kind, `delivery_state` says how a call stands after its answer
(pure), `rate_limits` keeps Slack's limits.
"""

from __future__ import annotations

from bot.reconciler.delivery_state import TOKEN_REVOKED_CODES
from bot.reconciler.scheduler import Scheduler
from bot.reconciler.workspace_context import WorkspaceContext, WorkspaceContextLookup

__all__ = ["TOKEN_REVOKED_CODES", "Scheduler", "WorkspaceContext", "WorkspaceContextLookup"]
