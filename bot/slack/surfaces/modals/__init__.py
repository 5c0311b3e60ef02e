"""Forms: what is asked of one person at once. Each is called `inc:<what>` and remembers in private_metadata (JSON).

A question's block id is the name of the field that a rule refuses (`Refused.field`), so that an error lands beside it;
every element's action id is `value`. Metadata: `i` incident, `u` response_url of the command that opened the form.

| callback_id      | fields                                        | further metadata                                |
|------------------|-----------------------------------------------|-------------------------------------------------|
| inc:declare      | title, severity, summary, private             | c: the channel it was asked in; no i            |
| inc:backfill     | title, severity, summary, began, over         | c: the channel to be recorded; no i             |
| inc:update       | text, impact, next_by (epoch seconds or none) |                                                 |
| inc:update-post  | (shows; text and impact where they are long)  | t text, m impact, n next_by as epoch, or absent |
| inc:tried        | tried                                         |                                                 |
| inc:note         | text; happened where nothing is corrected     | r s v and k=correct where a step is corrected   |
| inc:handover     | to, state, tried, paused, next                |                                                 |
| inc:hold         | until (epoch seconds), watcher                |                                                 |
| inc:list         | (shows steps; acts by buttons and boxes)      | r, p page                                       |
| inc:skip         | reason                                        | r s v                                           |
| inc:ask          | count, amount, evidence, again (only if done) | r s v                                           |
| inc:go           | (repeats what is asked)                       | a                                               |
| inc:refuse       | reason                                        | a                                               |
| inc:done         | result                                        | a                                               |
| inc:comms        | one per slot, by its name                     | n template, g audience, t stage, p replaces     |
| inc:approve      | (shows the exact text)                        | d h                                             |
| inc:act          | as the act's row in surfaces/acts declares    | a the act, c                                    |
| inc:more         | (buttons of acts)                             | c                                               |
| inc:resolve      | checks (names of the ticked), note, override  |                                                 |

In the list and the comms form: `inc:page:back` and `inc:page:on` carry i r p; `inc:stage` (a menu) the stage's name.
"""

from __future__ import annotations

from bot.slack.surfaces.modals.backfill import backfill_form
from bot.slack.surfaces.modals.catch_up import catch_up
from bot.slack.surfaces.modals.customer_messages import approve_form, comms_form
from bot.slack.surfaces.modals.declare import declare_form
from bot.slack.surfaces.modals.ending import resolve_form
from bot.slack.surfaces.modals.form import ModalView
from bot.slack.surfaces.modals.handover import handover_form
from bot.slack.surfaces.modals.hold import hold_form
from bot.slack.surfaces.modals.more import MORE_CALLBACK_ID, act_form, more_modal
from bot.slack.surfaces.modals.next_actions import next_actions
from bot.slack.surfaces.modals.notes import note_form
from bot.slack.surfaces.modals.steps import ask_form, done_form, go_form, list_modal, refuse_form, skip_form
from bot.slack.surfaces.modals.updates import tried_form, update_form, update_preview

__all__ = [
    "MORE_CALLBACK_ID", "ModalView", "act_form", "approve_form", "ask_form", "backfill_form", "catch_up", "comms_form",
    "declare_form", "done_form", "go_form", "handover_form", "hold_form", "list_modal", "more_modal", "next_actions",
    "note_form", "refuse_form", "resolve_form", "skip_form", "tried_form", "update_form", "update_preview",
]  # fmt: skip
