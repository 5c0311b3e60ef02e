"""Makes Slack show what the timeline says: due rules, the channel, people, messages, pins, files, public posts.

`scheduler` knows when an incident is reconciled, and `reconcile` does it once. `plan` lists the calls that are missing
(pure), and `executor` has each made by the effector of its kind. `delivery_state` says how a call stands after its
answer (pure). `rate_limits` keeps Slack's limits.
"""

from __future__ import annotations

from bot.reconciler.delivery_state import TOKEN_REVOKED_CODES
from bot.reconciler.scheduler import Scheduler
from bot.reconciler.workspace_context import WorkspaceContext, WorkspaceContextLookup

__all__ = ["TOKEN_REVOKED_CODES", "Scheduler", "WorkspaceContext", "WorkspaceContextLookup"]
