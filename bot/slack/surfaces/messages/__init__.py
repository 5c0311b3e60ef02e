"""From an incident to the messages that should stand in Slack: pure functions, one file per surface.

What can be pressed, and what its `value` (JSON) or, for a box or a menu, its option's value carries. `i` is the
incident's id and always there. `r`: a runbook (`block_kit.slug_ref` of its slug), `s`: a step's id, `v`: the step's
version as shown, `n`: a section's number, `a`: the seq of an Asked, `d`: a draft's name, `h`: the hash of the text as
shown, `o`: a role (lead, comms-lead, scribe), `u`: the seq of an UpdatePosted, `t`: the seq of a TaskAdded, `sev`: a
severity.

| action id            | carries   | where                         | what is wanted |
|---|---|---|---|
| inc:ack            | i         | card, nobody:*                | acknowledge |
| inc:update         | i         | card, reminders, look-again   | modals.update_form |
| inc:take           | i o       | card, next actions            | roles.take, by and for the one who presses |
| inc:more           | i         | card                          | modals.next_actions, privately |
| inc:catch-up       | i         | card, next actions            | modals.catch_up, privately |
| inc:postmortem     | i         | card, status:*                | draft the postmortem |
| inc:reopen         | i         | card, status:*                | reopen |
| inc:follow           | i         | announce                      | notes.follow: on, and off again |
| inc:join           | i         | announce                      | invite the one who presses |
| inc:attach:0,1,2   | i r       | guess                         | attach that runbook, how="guess" |
| inc:decline        | i         | guess                         | none of the guessed runbooks |
| inc:sev:<key>      | i sev     | severity-ask                  | change_severity; the same one confirms |
| inc:fine           | i o       | offer:*                       | roles.accept |
| inc:not-yet        | i o       | offer:*                       | roles.keep |
| inc:here           | i         | silent:*                      | anything by the lead counts as seen |
| inc:handover       | i         | silent:*, next actions        | modals.handover_form |
| inc:look-again     | i         | waiting:*                     | stop_waiting |
| inc:section        | i r n     | menu on runbook:*, button     | open_section |
| inc:list           | i r       | runbook:*, section:*          | modals.list_modal; paged by inc:page |
| inc:tick           | i r s v   | box in section:* and the list | tick where an option is selected, else untick: |
|                      |           |                               | then only the block id says which |
| inc:step-done      | i r s v   | runbook:*                     | tick |
| inc:skip           | i r s v   | runbook:*                     | modals.skip_form |
| inc:ask            | i r s v   | runbook:*, section:*, list    | modals.ask_form |
| inc:stopped        | i r s v   | runbook:*, section:*, list    | checklist.stopped |
| inc:review         | i r s v   | review:*, section:*, list     | checklist.review |
| inc:correct        | i r s v   | section:*, list               | modals.note_form(correction=True) |
| inc:go             | i a       | ask:*                         | modals.go_form |
| inc:refuse         | i a       | ask:*                         | modals.refuse_form |
| inc:done           | i a       | answer:*, runbook:*, section:* | modals.done_form |
| inc:not-done       | i a       | answer:*, runbook:*           | checklist.not_done |
| inc:agree-resolve  | i         | override:*                    | lifecycle.agree_override |
| inc:undo           | i u       | update:*                      | cadence.undo_update |
| inc:nothing-new    | i         | reminder:*, next actions      | cadence.nothing_new; else modals.tried_form |
| inc:snooze         | i         | reminder:*                    | cadence.snooze |
| inc:comms          | i         | comms, reminder:*, next actions | modals.comms_form |
| inc:approve        | i d h     | draft:*, approve:*            | approve exactly the text with hash h |
| inc:comms-edit     | i d h     | draft:*, approve:*, trouble:* | modals.comms_form filled from the draft |
| inc:discard        | i d h     | draft:*                       | discard |
| inc:comms-there    | i d       | trouble:*                     | a person saw it public |
| inc:comms-missing  | i d       | trouble:*                     | a person saw that it is not public |
| inc:stand-down     | i         | status:*                      | lifecycle.stand_down |
| inc:hold           | i         | status:* (mitigated)          | modals.hold_form |
| inc:resolve        | i         | status:* (mitigated), next actions | modals.resolve_form |
| inc:mitigate       | i         | next actions                  | lifecycle.mitigate |
| inc:note           | i         | next actions                  | modals.note_form |
| inc:task-done      | i t       | task:*                        | finish_task |

Views have tables of their own in `bot.slack.surfaces.modals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from bot.domain.desired_message import DesiredMessage
from bot.domain.incident import Checklist, Incident
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.message_cache import IncidentMessageCache
from bot.slack.surfaces.messages.alerts import alerts
from bot.slack.surfaces.messages.announcements import announcements
from bot.slack.surfaces.messages.asks import asks, overrides, reviews
from bot.slack.surfaces.messages.card import card
from bot.slack.surfaces.messages.channel_loss import channel_losses
from bot.slack.surfaces.messages.checklists import checklists
from bot.slack.surfaces.messages.customer_messages import comms
from bot.slack.surfaces.messages.endings import stand_downs, status_changes
from bot.slack.surfaces.messages.escalations import escalations
from bot.slack.surfaces.messages.followers import follower_notices
from bot.slack.surfaces.messages.lead_silence import lead_silences
from bot.slack.surfaces.messages.pending import ended_requests
from bot.slack.surfaces.messages.questions import questions
from bot.slack.surfaces.messages.reminders import reminders
from bot.slack.surfaces.messages.responders import responder_mentions
from bot.slack.surfaces.messages.roles import offers, role_briefings
from bot.slack.surfaces.messages.secrets import secret_refusals
from bot.slack.surfaces.messages.thread import notes_and_tasks
from bot.slack.surfaces.messages.updates import severities, updates, waits
from bot.slack.surfaces.messages.vacancies import vacancies
from bot.slack.surfaces.render_context import RenderContext, RenderEnvironment

#: every surface, in the order in which its messages are sent
SURFACES: tuple[Callable[[RenderContext], Iterator[DesiredMessage]], ...] = (
    card, announcements, checklists, questions, responder_mentions, escalations, offers, role_briefings, asks, reviews,
    severities, updates, waits, reminders, lead_silences, vacancies, comms, overrides, ended_requests,
    status_changes, follower_notices, stand_downs, alerts,
    notes_and_tasks, channel_losses, secret_refusals,
)  # fmt: skip


def messages(
    incident: Incident, now: datetime, setup: RenderEnvironment, cache: IncidentMessageCache | None = None
) -> list[DesiredMessage]:
    """Every message that should stand, and every one that should no longer, for this incident.

    `now` matters only for what folds by itself: [Undo] and complete sections. Nothing of an incident without a
    declaration, and nothing new of one that only a newer program understands. `cache`: its messages, as they were made
    before.
    """
    if not incident.number or incident.unknown_event_type:
        return []
    cache = IncidentMessageCache() if cache is None else cache
    scene = RenderContext(incident, now, setup, cache)
    all = [message for surface in SURFACES for message in surface(scene) if _may_read(incident, message)]
    cache.evict_unused()
    return all


def _may_read(incident: Incident, message: DesiredMessage) -> bool:
    """Whoever has left a private incident is written nothing more about it; what is withdrawn goes all the same."""
    place = message.target
    return not incident.private or place.kind != "person" or message.delete or incident.is_participant(place.user)


def find_checklist(incident: Incident, ref: str) -> Checklist | None:
    """The attached runbook that a value's `r` means."""
    return next((one for one in incident.checklists if block_kit.slug_ref(one.runbook.slug) == ref), None)


__all__ = ["SURFACES", "DesiredMessage", "RenderContext", "RenderEnvironment", "find_checklist", "messages"]
