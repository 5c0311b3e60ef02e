"""Pays what is owed to the world: due rules, the channel, people, messages, pins, files, public posts.

`caretaker` knows when an incident is attended, `visit` attends it once, `owed` lists what it lacks (pure), `paying`
makes the calls, `outcome` says how a call stands after its answer (pure), `gates` keeps Slack's limits.
"""

from __future__ import annotations

from bot.reconciler.scheduler import Scheduler
from bot.reconciler.workspace_context import TOKEN_REVOKED_CODES, WorkspaceContext, WorkspaceContextLookup

__all__ = ["TOKEN_REVOKED_CODES", "Scheduler", "WorkspaceContext", "WorkspaceContextLookup"]
