"""Every sentence that stands in a channel's messages, in one place, so that wording can be reviewed here.

Arguments are mrkdwn already: names from `RenderContext.person_name`, times from `RenderContext.when`, people's words
escaped and on one line. Rules: short, calm, exact; what to do next; nobody blamed; a mention only where the person
should be notified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from bot.domain.desired_message import Surface
from bot.domain.effect import EffectKind
from bot.domain.incident import ChannelLoss
from bot.domain.roles import ROLES
from bot.slack.surfaces.text import capitalized, with_full_stop

ROLE = ROLES
AUDIENCE = {"customers": "Customers", "status-page": "Status page", "internal": "Internal"}
MET = {"yes": "met", "no": "not met", "unknown": "unknown"}

#: why a channel cannot be used -> what to do; said privately, because nothing can be said there
CHANNEL_LOST: Mapping[str, str] = {
    ChannelLoss.ARCHIVED: "The channel is archived, so nothing is shown there. Everything is recorded; a person can "
    "unarchive it.",
    ChannelLoss.DELETED: "The channel was deleted, so nothing is shown there. Everything is recorded and goes into the "
    "postmortem: `bot export`.",
    ChannelLoss.REMOVED: "I was removed from the channel, so nothing is shown there. Everything is recorded; invite me "
    "again and I catch up.",
}


#: what a call is, to go on with after "do this: "
_EFFECT_PHRASES = {
    EffectKind.BOOKMARK: "bookmark the card", EffectKind.CHANNEL: "open the channel",
    EffectKind.FILE: "share the postmortem", EffectKind.FILE_DELETED: "delete a file",
    EffectKind.INVITES: "bring people in", EffectKind.PIN: "pin the card", EffectKind.PUBLISH: "publish a text",
    EffectKind.RENAME: "rename the channel", EffectKind.TOPIC: "set the topic",
}  # fmt: skip
_MESSAGE_PHRASES = {
    Surface.ANNOUNCEMENT: "announce it", Surface.CARD: "show the card", Surface.REMINDER: "remind people",
    Surface.RUNBOOK: "show a runbook", Surface.SECTION: "show a section",
}  # fmt: skip


def effect_phrase(kind: EffectKind, surface: Surface) -> str:
    """What a call of the bot's is, in a few words."""
    return _EFFECT_PHRASES.get(kind) or _MESSAGE_PHRASES.get(surface, "send a message")


def given_up(duties: Sequence[str], code: str, what_to_do: str) -> str:
    """In the channel: what Slack refuses, its word for why, and what somebody has to do."""
    return f"Slack does not let me do this: {', '.join(duties)} (`{code or 'no answer'}`). {what_to_do}"


def still_open(name: str, reason: str) -> str:
    """Directly to those who have to know that the channel of an open incident cannot be used."""
    return f"{name} is still open. {CHANNEL_LOST[reason]}"


# -- labels of buttons: each stands alone ---------------------------------------------------------

POST_UPDATE = "Post update"
NOTHING_NEW = "Nothing new"
TAKE_COMMS = "Take comms lead"
TAKE_LEAD = "Take the lead"
MORE = "More"
I_HAVE_IT = "I have it"
CATCH_UP = "Catch me up"
REOPEN = "Reopen"
POSTMORTEM = "Draft postmortem"
DONE = "Done"
DONE_FORM = "Done…"
NOT_DONE = "Not done"
SKIP = "Skip"
ASK = "Ask"
STOPPED = "Stopped"
OPEN_LIST = "Open list"
SHOW = "Show"
CORRECT = "Correct…"
GO = "Go"
REFUSE = "Refuse"
REVIEWED = "Reviewed"
UNDO = "Undo"
FINE = "Fine"
NOT_YET = "Not yet"
STILL_HERE = "Still here"
HAND_OVER = "Hand over"
NONE = "None"
LOOK_AGAIN = "Look again now"
APPROVE = "Approve"
EDIT = "Edit"
DISCARD = "Discard"
NEW_TEXT = "Write to customers"
IT_IS_THERE = "It is there"
IT_IS_NOT = "It is not there"
AGREE_RESOLVE = "Agree: resolve"
STAND_DOWN = "Stand down"
HOLD = "Hold…"
FOLLOW = "Follow"
JOIN = "Join"
SHOW_SECTION = "Show a section"
RESOLVE = "Resolve"


def snooze(minutes: int) -> str:
    return f"Snooze {minutes} min"


def keep_severity(severity: str) -> str:
    return f"{severity} is right"


# -- the card and the announcement ----------------------------------------------------------------

IMPACT_UNKNOWN = "Impact: not stated yet"
ONLY_AT_END = "an update when it is resolved"
NOBODY = "nobody"
RECORDED_AFTERWARDS = "recorded afterwards"


def headline(severity: str, assumed: bool, title: str) -> str:
    return f"{severity}{' (assumed)' if assumed else ''} · {title}"


def card_sentence(name: str, severity: str, title: str, standing: str) -> str:
    return f"{name}, {severity}: {title}; {standing}."


def leads(who: str) -> str:
    return f"{who} leads" if who else "nobody leads yet"


def next_update(when: str) -> str:
    return f"next update {when}"


def impact(words: str, since: str) -> str:
    return f"Impact: {words}" + (f", since {since}" if since else "")


def began(since: str) -> str:
    return f"{IMPACT_UNKNOWN}; it began {since}"


def customers_told(told: str, promised: str) -> str:
    return f"customers told {told}" + (f", promised {promised}" if promised else "")


def roles(lead: str, comms: str, scribe: str, status: str) -> str:
    parts = [f"Lead {lead or NOBODY}", f"comms {comms or NOBODY}"]
    parts += [f"scribe {scribe}"] if scribe else []
    return " · ".join([*parts, f"status {status}"])


def declared(when: str, who: str) -> str:
    return f"declared {when} by {who}"


def recorded_afterwards(when: str, who: str) -> str:
    return f"recorded afterwards, {when}, by {who}"


def progress(title: str, done: int, of: int) -> str:
    return f"runbook {title} {done} of {of}"


def unanswered_since(since: str, count: int) -> str:
    return f"Nobody has answered since {since}; {count} tried." if count else f"Nobody has answered since {since}."


def alerts_line(firing: int, resolved: int, last: str) -> str:
    """On the card. `last`: when the last one ended."""
    if not firing:
        over = f"all {resolved} have ended, the last" if resolved > 1 else "the one has ended"
        return f"Alerts: {over} {last}. Resolving the incident is for a person."
    return f"Alerts: {firing} firing" + (f", {resolved} ended" if resolved else "")


def not_here(whos: str) -> str:
    return f"could not be invited: {whos}"


def waiting_line(what: str, since: str, again: str) -> str:
    return f"Waiting: {what}, since {since}; look again {again}"


def held(until: str, watcher: str) -> str:
    return f"Held until {until}; {watcher} watches"


def ended(status: str, when: str, who: str, why: str) -> str:
    return f"{status} {when}" + (f" by {who}" if who else "") + (f": {why}" if why else "")


def announced(status: str, lead: str, next: str, where: str) -> str:
    return " · ".join(part for part in (status, lead, next, where) if part)


def now_worst(name: str, severity: str, title: str, who: str, reason: str) -> str:
    return with_full_stop(f"{name} is {severity} now, by {who}: {title}" + (f". {reason}" if reason else ""))


def followed(name: str, title: str, what: str, where: str) -> str:
    return f"{name}, {title}: {what} {where}".rstrip()


def lead_is(who: str) -> str:
    return f"{who} leads now."


def reopened_since(when: str, status: str) -> str:
    return f"Reopened {when}, {status[:1].lower()}{status[1:]}"


def announced_resolved(name: str, title: str, took: str) -> str:
    return f"Resolved: {name}, {title}" + (f"; {took}." if took else ".")


def announced_reopened(name: str, title: str, when: str, ended: str) -> str:
    return f"Reopened {when}: {name}, {title}. It had been resolved {ended}."


# -- the first minute -----------------------------------------------------------------------------


def responders_called(who: str, severity: str, title: str, lead: str) -> str:
    return f"{who}: {severity}, {title}. {lead}. The pinned card says what is known; say here what you take on."


def guess(lead: str, titles: str) -> str:
    return f"{lead}The title fits {titles}. Attach a runbook?"


def severity_ask(lead: str, severity: str) -> str:
    return f"{lead}: nobody has chosen the severity; {severity} is assumed. Is it right?"


def nobody_answered(name: str, severity: str, title: str, since: str, to: str) -> str:
    return f"{to}: {name}, {severity}, {title}. Nobody has answered since {since}. Please take it."


NO_PAGER = "No pager is set up: nobody asleep will hear this."


def answered(who: str, when: str) -> str:
    return f"{who} answered {when}."


def escalated(who: str, to: str, reason: str) -> str:
    return with_full_stop(f"{to}: {who} asks for your help" + (f": {reason}" if reason else ""))


# -- roles ----------------------------------------------------------------------------------------


def offer(holder: str, taker: str, role: str, until: str) -> str:
    return f"{holder}: {taker} is taking over as {role.removeprefix('the ')} {until}, or as soon as you say fine."


def offer_taken(who: str, role: str, when: str) -> str:
    return f"{who} is {role} since {when}."


def offer_kept(who: str, role: str) -> str:
    return f"{who} stays {role} for now."


OFFER_OVER = "That hand-over is settled."


def vacant(who: str, role: str) -> str:
    gone = f"{who} cannot act here any more" if who else "The holder cannot act here any more"
    return f"{gone}, so nobody is {role} now. Somebody take it."


def take_role(role: str) -> str:
    return f"Be {role}"


_ROLE_BRIEFINGS = {
    "lead": (
        "You decide and hand out the work. Others fix it.",
        "Next: read the card, say in the channel that you lead, then give the next step a name.",
        "Say where it stands by the time on the card{before}.",
    ),
    "comms-lead": (
        "You write what customers read; somebody else approves each text before it is public.",
        "Next: `{command} comms` opens the form; it shows what was said last.",
        "Keep a time that was promised to customers, or promise another one in public{before}.",
    ),
    "scribe": (
        "You keep the timeline: what was seen, what was decided, and why.",
        "Next: `{command} note` adds a line; a pushpin on any message adds that message.",
        "Times count: `{command} note at 13:40 UTC …` for what happened earlier.",
    ),
}


def role_briefing(name: str, role: str, command: str, before: str) -> tuple[str, str, str]:
    """`before`: how long before its time somebody is reminded; empty where nobody is."""
    first, second, third = _ROLE_BRIEFINGS.get(role, _ROLE_BRIEFINGS["scribe"])
    return (
        f"You are {ROLE.get(role, role)} of {name}. {first}",
        second.format(command=command),
        third.format(command=command, before=f"; I remind you {before} before" if before else ""),
    )


def silent(lead: str, name: str, since: str) -> str:
    return f"{lead}: nothing from you in {name} since {since}. Do you still lead?"


def secret_refused(kind: str, where: str, who: str) -> str:
    return (
        f"{kind} stood in a text by {who} ({where}). Nothing of it was stored or sent. "
        "Treat it as known to others: have it replaced."
    )


# -- severity, waiting ----------------------------------------------------------------------------


def severity_changed(old: str, new: str, who: str, reason: str, rhythm: str) -> str:
    return f"{old} → {new} by {who}" + (f": {with_full_stop(reason)}" if reason else ".") + f" {rhythm}"


def update_interval(every: str) -> str:
    return f"Updates every {every}." if every else "One update is enough, when it is resolved."


PROMISES_STAND = "Times that were promised stay."


def waiting(who: str, what: str, again: str) -> str:
    return f"{who} waits for somebody else: {what}. Reminders pause; look again {again}."


def waited(what: str, since: str, until: str) -> str:
    return f"Waited for {what}, {since} to {until}."


def look_again(lead: str, what: str) -> str:
    return f"{lead}Time to look again: {what}."


# -- checklists -----------------------------------------------------------------------------------


def runbook(title: str, done: int, of: int, phase: str) -> str:
    return f"*Runbook {title}* · {done} of {of}" + (f" · {phase}" if phase else "")


def revision(name: str, reviewed: str, owner: str) -> str:
    parts = [f"revision {name}", f"last review {reviewed or 'never'}", *([f"owner {owner}"] if owner else [])]
    return " · ".join(parts)


NO_STEPS = "This runbook has no steps: read it in the thread."
ALL_DONE = "All steps are done or skipped."


def next_step(id: str, text: str) -> str:
    return f"*Next, {id}:* {text}"


def steps_in_thread(lead: str) -> str:
    return f"{lead}: the steps are in this thread."


def section_title(number: int, title: str, done: int, of: int) -> str:
    return f"*{number}. {title}*" + (f" · {done} of {of}" if of else "")


def section_folded(number: int, title: str, of: int, when: str) -> str:
    return f"Complete: {number}. {title}, {of} of {of}, {when}."


def more_steps(count: int) -> str:
    return f"{count} more steps do not fit here: [{OPEN_LIST}] shows them."


NEEDS_SECOND = "Needs a second person before it is done."
REVIEW_AFTER = "Do it now; a second person looks at it afterwards."


def by_at(who: str, when: str) -> str:
    return f"{who}, {when}"


def skipped(who: str, when: str, reason: str) -> str:
    return f"Skipped by {who}, {when}: {reason}"


def asks_since(who: str, when: str, to: str) -> str:
    return f"{who} asked {when}; {to or 'somebody else'} can agree."


def go_line(second: str, when: str, asker: str, until: str) -> str:
    return f"Go-ahead from {second} {when}; {asker} does it before {until}."


def done_with(times: int, when: str, who: str, second: str, result: str) -> str:
    count = "once" if times == 1 else f"{times} times, last"
    what = f": {with_full_stop(result)}" if result else "."
    return f"Done {count}, {when} by {who} with {second}{what} Asking again may pay twice."


def stopped(who: str, when: str, reviewed: str, alone: bool) -> str:
    how = " alone" if alone else ""
    return f"Done {when} by {who}{how}; {f'reviewed by {reviewed}' if reviewed else 'not yet reviewed'}."


DO_IT = "Do it"
CHOOSE = "Choose"
CHOOSE_PERSON = "Choose a person"
TIME_HINT = "Such as 13:40 UTC, or 20 min ago"
NOTHING_TO_CHOOSE = "There is nothing to choose from here. Nothing was done."
YES = "Yes"
NO = "No"
#: what can be done to a step, as its form names it
STEP_ACTS = {
    "done": "It is done", "undo": "It is not done after all", "skip": "Leave it out", "note": "Add a note",
    "ask": "Ask a second person", "go": "Give the go", "refuse": "Refuse", "not-done": "Take the request back",
    "review": "I reviewed it", "correct": "Correct the record", "alone": "It was done alone",
}  # fmt: skip
DONE_DESPITE = "It is done all the same"


def step_reading(probe: str, state: str, sentence: str, when: str) -> str:
    return f"{probe} reads *{state}*, {when}: {sentence}"


def noted(text: str) -> str:
    return f"Note: {text}"


# -- two people -----------------------------------------------------------------------------------


def ask(to: str, asker: str, action: str) -> str:
    return f"{to}: *{asker} asks: {action}*"


def ask_direct(name: str, asker: str, action: str) -> str:
    return f"{name}: *{asker} asks you to agree: {action}*"


def ask_wait(whos: str, pause: str) -> str:
    return f"Money that is held is safe. Wait. Nobody here may agree; I ask {whos} directly, one by one, {pause} apart."


def ask_facts(count: str, amount: str, step: str, runbook: str, lapses: str) -> str:
    parts = [*([f"Count: {count}"] if count else []), *([f"Sum: {amount}"] if amount else [])]
    return " · ".join([*parts, f"Step {step} of {runbook}", f"Expires {lapses}"])


def ask_over(asker: str, action: str, became: str) -> str:
    return f"{asker} asked: {action} {became}"


def ask_outcome(state: str, second: str, when: str) -> str:
    known = {
        "go": f"Go-ahead from {second}, {when}.",
        "done": f"Go-ahead from {second}; done {when}.",
        "not_done": f"Not done, {when}.",
        "refused": f"Refused by {second}, {when}.",
        "lapsed": f"Expired {when}.",
    }
    return known[state]


def go_given(asker: str, second: str, when: str, until: str, action: str) -> str:
    return f"{asker}: go-ahead from {second}, {when}. Do it before {until}: {action}"


def ask_refused(asker: str, second: str, action: str, reason: str) -> str:
    return f"{asker}: {second} refused: {with_full_stop(reason)} Not to be done: {action}"


def ask_expired(asker: str, when: str, action: str) -> str:
    return f"{asker}: nobody agreed before {when}, so it is not to be done: {action} Ask again if it is still needed."


def go_expired(asker: str, when: str, action: str, command: str, step: str) -> str:
    return (
        f"{asker}: the go-ahead expired {when} and nothing is recorded as done: {action} "
        f"Not done: ask again. Done already: `{command} step {step} alone` and why."
    )


SOMEBODY = "Somebody else"


def review(to: str, who: str, action: str, when: str, by: str, alone: bool) -> str:
    what = "did alone what needs two people" if alone else "did this alone, as one person may"
    return f"{to}: {who} {what}, {when}: {action} Look at it before {by}."


def reviewed(who: str, action: str, done_by: str) -> str:
    return f"Reviewed by {who}: {action} Done by {done_by}."


def review_late(to: str, who: str, action: str, due: str) -> str:
    return f"{to}: nobody has looked yet at what {who} did. It was due {due}: {action}"


def override(to: str, who: str, name: str, reason: str) -> str:
    return f"{to}: {who} asks to resolve {name} although conditions are open: {with_full_stop(reason)}"


def override_wait(who: str) -> str:
    return f"It takes one of you, not {who}. Until then it stays as it is."


def override_ended(to: str, name: str, because: str, command: str) -> str:
    return f"{to}: your request to resolve {name} was not agreed to, because {because}. Ask again: `{command} resolve`."


def ask_ended(to: str, action: str, because: str) -> str:
    what = f" {action}" if action else ""
    return f"{to}: your request for a second person has ended, because {because}. This is not to be done now:{what}"


def draft_ended(to: str, because: str, command: str) -> str:
    return f"{to}: your text for customers was not sent, because {because}. Write the next one: `{command} comms`."


def offer_ended(to: str, role: str, because: str, command: str, word: str) -> str:
    return f"{to}: the hand-over of {role} was not answered, because {because}. Ask again: `{command} {word} @who`."


# -- updates and reminders ------------------------------------------------------------------------


def update_head(who: str, when: str) -> str:
    return f"*Update* by {who}, {when}"


def update_foot(impact: str, next: str) -> str:
    return " · ".join([*([f"Impact: {impact}"] if impact else []), *([f"next update by {next}"] if next else [])])


def nothing_new(who: str, when: str, text: str, next: str) -> str:
    return f"{who}, {when}: {text}" + (f" Next update by {next}." if next else "")


def update_due(when: str, late: str) -> str:
    return f"The update was due {when}; it is {late}." if late else f"The update is due {when}."


def promise_due(audience: str, when: str, late: str) -> str:
    return f"{audience or 'Customers'} were promised a text by {when}" + (f"; it is {late}." if late else ".")


def remind(to: str, name: str, dues: str) -> str:
    return f"{to}: {dues}" if to else f"{dues} Nobody holds the lead of {name}."


def remind_direct(name: str, dues: str) -> str:
    return f"{name}: {dues}"


def sent_late(what: str, when: str, late: str) -> str:
    return f"{what} sent {when}, {late}."


# -- customer comms -------------------------------------------------------------------------------

COMMS = "*Comms* · each text is in the thread"
NOTHING_SAID = "Nothing has been said to customers from here."


def draft_head(audience: str, template: str, stage: str, who: str) -> str:
    return f"*{audience}* · {template} · {stage} · by {who}"


DRAFT_STATE = {
    "drafted": "waits for approval",
    "approved": "approved, on its way",
    "sending": "being sent",
    "published": "sent",
    "uncertain": "nobody knows whether it was sent",
    "failed": "not sent",
    "discarded": "discarded",
    "lapsed": "expired",
    "replaced": "replaced by a newer draft",
}
BY_HAND = "approved; a person posts it"
LAST_SAID = "This is what was said last."


def draft_line(audience: str, stage: str, state: str, when: str) -> str:
    return f"{audience}, {stage}: {state}" + (f", {when}" if when else "")


def removed_by_scrubber(what: str) -> str:
    return with_full_stop(capitalized(what))


def scrubber_findings(what: str) -> str:
    return f"Look at: {what}"


def tone_findings(what: str) -> str:
    return f"Tone: {what}"


def promised(when: str) -> str:
    return f"Promises the next text by {when}"


def expires(when: str, whos: str) -> str:
    return f"Expires {when}" + (f" · {whos} may approve" if whos else "")


def expires_for_one(when: str, others: str) -> str:
    return f"Expires {when}" + (f" · {others} may approve too" if others else "")


def approve_direct(name: str, who: str, audience: str) -> str:
    return f"{name}: {who} asks you to approve a text to {audience}. It becomes public as it stands here."


def draft_difference(added: list[str], dropped: list[str]) -> str:
    parts = [f"New since you last approved: {'; '.join(added)}"] if added else []
    parts += [f"No longer in it: {'; '.join(dropped)}"] if dropped else []
    return "\n".join(parts) or "Word for word what you approved last."


def approved(who: str, when: str) -> str:
    return f"Approved by {who}, {when}."


def approved_direct(name: str, audience: str, when: str) -> str:
    return f"{name}: you approved the text to {audience}, {when}."


def published(where: str, when: str, drafter: str, approver: str) -> str:
    return f"Sent to {where} {when}; written by {drafter}, approved by {approver}."


def draft_over(audience: str, stage: str, state: str, reason: str) -> str:
    return with_full_stop(f"{audience}, {stage}: {state}" + (f": {reason}" if reason else ""))


def uncertain(to: str, audience: str) -> str:
    return (
        f"{to}the text to {audience} was being sent when the connection was lost: it may be public and may not. "
        "I do not repeat it. Please look there and say."
    )


def by_hand(to: str, audience: str, private: bool) -> str:
    why = "the incident is private, so I announce nothing" if private else "I cannot post there"
    return f"{to}the text ({audience}) is approved, and {why}. Please post exactly this by hand, and say so."


def failed(to: str, audience: str, why: str) -> str:
    return (
        f"{to}the text to {audience} was certainly not sent: {with_full_stop(why)} Write it again, or post it by hand."
    )


# -- endings --------------------------------------------------------------------------------------


def mitigated(who: str, when: str, note: str) -> str:
    return with_full_stop(f"Mitigated {when} by {who}" + (f": {note}" if note else ""))


MITIGATED_NEXT = "Updates come half as often from now on. When it is over: `{command} resolve`."


def resolved(title: str, took: str, mitigated: str) -> str:
    """`took`, `mitigated`: how long it took, in the words of reports/statistics.py."""
    lines = [f"*Resolved: {title}*{f': {took}.' if took else ''}", *([f"Mitigated: {mitigated}."] if mitigated else [])]
    return "\n".join(lines)


def resolution_note(who: str, note: str) -> str:
    return with_full_stop(f"Resolved by {who}" + (f": {note}" if note else ""))


def overridden(conditions: list[str], reason: str, second: str) -> str:
    agreed = f" {second} agreed." if second else ""
    return f"Open conditions: {'; '.join(conditions)}. Resolved anyway: {with_full_stop(reason)}{agreed}"


def postmortem(owner: str, due: str) -> str:
    return f"Postmortem: {owner or 'nobody yet'}, due {due}."


def reopened(who: str, when: str, reason: str) -> str:
    return with_full_stop(f"Reopened {when} by {who}" + (f": {reason}" if reason else ""))


def false_alarm(who: str, when: str, reason: str) -> str:
    return with_full_stop(f"False alarm {when}, by {who}" + (f": {reason}" if reason else ""))


def duplicate(who: str, when: str, of: str) -> str:
    return f"Duplicate of {of}, {when}, by {who}. Go on there."


def stood_down(name: str, title: str, status: str, who: str) -> str:
    return f"{name}{f', {title}' if title else ''}: {status}. You can rest; {who} has it."


def stood_down_groups(to: str, who: str) -> str:
    return f"{to}: you can rest; {who} has it."


# -- the timeline in the card's thread --------------------------------------------------------------


def alerts_shown(shown: int, of: int) -> str:
    return f"The latest {shown} of {of}; all are in the timeline."


def alert(name: str, said: str, facts: Sequence[str]) -> str:
    """One of the list."""
    return " · ".join((f"*{name}*" + (f": {said}" if said else ""), *facts))


def firing_since(when: str) -> str:
    return f"firing since {when}"


def alert_ended(when: str) -> str:
    return f"ended {when}"


def note(when: str, who: str, text: str) -> str:
    return f"{when}, {who}: {text}"


def day(on: date) -> str:
    """A day without an hour: Slack's date markup would show the day before to whoever is west of UTC."""
    return f"{on:%a} {on:%Y-%m-%d}"


def task(text: str, who: str, due: str, done: bool) -> str:
    parts = [f"{'Done' if done else 'To do'}: {text}", *([who] if who else []), *([f"by {due}"] if due else [])]
    return " · ".join(parts)
