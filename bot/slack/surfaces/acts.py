"""What people can do, one row an act: how it is typed, what [More] calls it, and what its form asks.

These are the declarations; `slack/inbound/dispatch.py` binds each act to the reader of its typed words and to its
handler. Help, [More], the README's list and the tests are drawn from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.incident import DraftState, Incident, Status
from bot.domain.policy import Policy


class Act(StrEnum):
    """An act by the word that somebody types for it."""

    DECLARE = "declare"
    BACKFILL = "backfill"
    ACK = "ack"
    JOIN = "join"
    MORE = "more"
    STATUS = "status"
    CATCH_UP = "catch-up"
    LIST = "list"
    TIMELINE = "timeline"
    WHO = "who"
    CHECK = "check"
    NETWORK = "network"
    FOLLOW = "follow"
    HELP = "help"
    SEVERITY = "sev"
    TITLE = "title"
    IMPACT = "impact"
    STARTED = "started"
    LEAD = "lead"
    COMMS_LEAD = "comms-lead"
    SCRIBE = "scribe"
    ACCEPT = "accept"
    KEEP = "keep"
    HERE = "here"
    ADD = "add"
    PAGE = "page"
    HANDOVER = "handover"
    ESCALATE = "escalate"
    UPDATE = "update"
    NOTHING_NEW = "nothing-new"
    UNDO = "undo"
    SNOOZE = "snooze"
    HOLD = "hold"
    WAITING = "waiting"
    NOTE = "note"
    TASK = "task"
    TASK_DONE = "task-done"
    COMMS = "comms"
    COMMS_EDIT = "comms-edit"
    APPROVE = "approve"
    DISCARD = "discard"
    PUBLISHED = "published"
    RUNBOOK = "runbook"
    STEPS = "steps"
    STEP = "step"
    MITIGATE = "mitigate"
    RESOLVE = "resolve"
    AGREE = "agree"
    REOPEN = "reopen"
    FALSE_ALARM = "false-alarm"
    DUPLICATE = "duplicate"
    CLOSE = "close"
    STAND_DOWN = "stand-down"
    POSTMORTEM = "postmortem"


class StepAct(StrEnum):
    """What can be done to one step of a runbook, by the word that somebody types after its number."""

    DONE = "done"
    UNDO = "undo"
    SKIP = "skip"
    NOTE = "note"
    ASK = "ask"
    GO = "go"
    REFUSE = "refuse"
    NOT_DONE = "not-done"
    REVIEW = "review"
    CORRECT = "correct"
    ALONE = "alone"


class Group(StrEnum):
    """The headings of help and of [More], in their order."""

    BEGIN = "Begin"
    LOOK = "Look"
    FACTS = "Facts"
    PEOPLE = "People"
    TELL = "Tell"
    WORK = "Work"
    END = "End"


class Phase(StrEnum):
    """When [More] offers an act."""

    ALWAYS = "always"
    OPEN = "open"
    ENDED = "ended"

    def includes(self, incident: Incident) -> bool:
        """Whether the incident is in this phase."""
        return self is Phase.ALWAYS or (self is Phase.OPEN) == incident.open


#: texts that somebody may still change, approve or discard
UNSENT_DRAFTS = (DraftState.DRAFTED, DraftState.UNCERTAIN, DraftState.FAILED)


def _has_steps(incident: Incident) -> bool:
    return any(one.runbook.steps for one in incident.checklists)


def _has_offer(incident: Incident) -> bool:
    return bool(incident.offers)


def _has_unsent_draft(incident: Incident) -> bool:
    return any(one.state in UNSENT_DRAFTS for one in incident.drafts.values())


class FieldKind(StrEnum):
    """How a question of a form is answered."""

    TEXT = "text"
    LINES = "lines"
    PAST_TIME = "past_time"
    FUTURE_TIME = "future_time"
    PERSON = "person"
    SEVERITY = "severity"
    ROLE = "role"
    RUNBOOK = "runbook"
    PROBE = "probe"
    STEP = "step"
    STEP_ACT = "step_act"
    TASK = "task"
    DRAFT = "draft"
    ANSWER = "answer"


@dataclass(frozen=True)
class FormField:
    """A question. `name` is what the handler calls the answer, and what a rule names when it refuses it."""

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    optional: bool = False
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class ActDeclaration:
    """One row. `fields`: what [More] asks first; without any, pressing it is like typing its word alone."""

    group: Group
    label: str  # its button in [More]
    description: str
    aliases: tuple[str, ...] = ()
    usage: str = ""  # what follows the word; {severities} and {probes} stand for those that there are
    works_outside_incident: bool = False
    #: the whole text is the person's own words: outside an incident it may just as well be a title
    takes_free_text: bool = False
    phase: Phase = Phase.OPEN
    possible: Callable[[Incident], bool] = lambda incident: True  # whether it holds what the act is done to
    fields: tuple[FormField, ...] = ()
    #: why nothing can be pressed for it; empty where something can
    not_clicked: str = ""

    def offered(self, incident: Incident) -> bool:
        """Whether [More] shows its button for this incident: not where pressing it could only be refused."""
        return not self.not_clicked and self.phase.includes(incident) and self.possible(incident)

    def usage_with(self, policy: Policy, probes: Iterable[str]) -> str:
        """What follows the word, with policy's severities and the names of the probes that there are."""
        severities = "|".join(one.key for one in policy.severities)
        return self.usage.replace("{severities}", severities).replace("{probes}", "|".join(sorted(probes)))


_REASON = FormField("reason", "Why?", optional=True)
_PERSON = (FormField("who", "Who?", FieldKind.PERSON),)
_DRAFT = (FormField("name", "Which text?", FieldKind.DRAFT),)
_ROLE = (FormField("role", "Which role?", FieldKind.ROLE),)


ACTS: Mapping[Act, ActDeclaration] = {
    # -- begin
    Act.DECLARE: ActDeclaration(
        group=Group.BEGIN, label="Declare another incident", aliases=("new",), usage="[{severities}] title",
        description="Declare an incident: a channel opens, you lead it.", works_outside_incident=True,
        phase=Phase.ALWAYS,
    ),
    Act.BACKFILL: ActDeclaration(
        group=Group.BEGIN, label="Record a channel", works_outside_incident=True,
        description="Record this channel, made by hand, as an incident, with what is pinned in it.",
        not_clicked="It is for a channel in which no message of the bot stands.",
    ),
    Act.ACK: ActDeclaration(group=Group.BEGIN, label="I have it", description="Say that you answer for it."),
    Act.JOIN: ActDeclaration(
        group=Group.BEGIN, label="Bring me in", usage="INC-40", works_outside_incident=True, phase=Phase.ALWAYS,
        description="Be invited to an incident's channel.",
    ),
    # -- look
    Act.MORE: ActDeclaration(
        group=Group.LOOK, label="More", aliases=("menu",), description="Everything that can be done here.",
        phase=Phase.ALWAYS,
    ),
    Act.STATUS: ActDeclaration(
        group=Group.LOOK, label="Status", aliases=("st",), works_outside_incident=True, phase=Phase.ALWAYS,
        description="Where it stands; elsewhere: what is open.",
    ),
    Act.CATCH_UP: ActDeclaration(
        group=Group.LOOK, label="Catch me up", aliases=("catchup",), phase=Phase.ALWAYS,
        description="What happened so far: what to do, what not to do, what was said last, what is promised next.",
    ),
    Act.LIST: ActDeclaration(
        group=Group.LOOK, label="Open incidents", aliases=("ls",), works_outside_incident=True, phase=Phase.ALWAYS,
        description="What is open, worst first.",
    ),
    Act.TIMELINE: ActDeclaration(
        group=Group.LOOK, label="Timeline", aliases=("tl",), phase=Phase.ALWAYS,
        description="The last lines of what happened.",
    ),
    Act.WHO: ActDeclaration(
        group=Group.LOOK, label="Who is here", description="Who leads, who is here.", phase=Phase.ALWAYS
    ),
    Act.CHECK: ActDeclaration(
        group=Group.LOOK, label="Take a reading", usage="{probes} [endpoint]", works_outside_incident=True,
        description="A reading; nothing is changed anywhere.", phase=Phase.ALWAYS,
        fields=(
            FormField("probe", "Look at what?", FieldKind.PROBE),
            FormField("target", "Which endpoint?", optional=True, hint="Empty: the usual ones"),
        ),
    ),
    Act.NETWORK: ActDeclaration(
        group=Group.LOOK, label="Stellar network", works_outside_incident=True, phase=Phase.ALWAYS,
        description="A reading of the Stellar network.",
    ),
    Act.FOLLOW: ActDeclaration(
        group=Group.LOOK, label="Follow or stop following",
        description="Hear directly of its severity, status and lead; again: stop.",
    ),
    Act.HELP: ActDeclaration(
        group=Group.LOOK, label="Help", usage="[verb]", description="This list, or one verb.",
        works_outside_incident=True, phase=Phase.ALWAYS,
    ),
    # -- facts
    Act.SEVERITY: ActDeclaration(
        group=Group.FACTS, label="Severity", aliases=("severity",), usage="{severities} [reason]",
        description="Raise, lower or confirm the severity.",
        fields=(FormField("severity", "How bad is it?", FieldKind.SEVERITY), _REASON),
    ),
    Act.TITLE: ActDeclaration(
        group=Group.FACTS, label="Title", usage="what is broken", description="Correct the title.",
        takes_free_text=True, fields=(FormField("title", "What is broken?"),),
    ),
    Act.IMPACT: ActDeclaration(
        group=Group.FACTS, label="Impact", usage="who is affected", description="State the impact on the card.",
        takes_free_text=True, fields=(FormField("impact", "Who is affected, and how?", FieldKind.LINES),),
    ),
    Act.STARTED: ActDeclaration(
        group=Group.FACTS, label="When it began", usage="13:40 UTC", description="Correct when it began.",
        fields=(FormField("at", "When did it begin?", FieldKind.PAST_TIME),),
    ),
    # -- people
    Act.LEAD: ActDeclaration(
        group=Group.PEOPLE, label="Lead", aliases=("ic",), usage="@who | me", description="Hand the lead over.",
        fields=_PERSON,
    ),
    Act.COMMS_LEAD: ActDeclaration(
        group=Group.PEOPLE, label="Comms lead", usage="@who | me", description="Hand customer comms over.",
        fields=_PERSON,
    ),
    Act.SCRIBE: ActDeclaration(
        group=Group.PEOPLE, label="Scribe", usage="@who | me", description="Hand the writing over.", fields=_PERSON
    ),
    Act.ACCEPT: ActDeclaration(
        group=Group.PEOPLE, label="Accept a role", usage="[lead|comms-lead|scribe]",
        description="Agree that the role passes to whoever asked for it.", fields=_ROLE, possible=_has_offer,
    ),
    Act.KEEP: ActDeclaration(
        group=Group.PEOPLE, label="Keep a role", aliases=("not-yet",), usage="[lead|comms-lead|scribe]",
        description="Keep the role that somebody else asked for.", fields=_ROLE, possible=_has_offer,
    ),
    Act.HERE: ActDeclaration(
        group=Group.PEOPLE, label="I still lead", description="Say that you still lead, when the bot asks."
    ),
    Act.ADD: ActDeclaration(
        group=Group.PEOPLE, label="Add somebody", usage="@who", description="Bring somebody into the channel.",
        fields=_PERSON,
    ),
    Act.PAGE: ActDeclaration(
        group=Group.PEOPLE, label="Page somebody", usage="@who",
        description="Bring somebody in; says whom that reaches.", fields=_PERSON,
    ),
    Act.HANDOVER: ActDeclaration(
        group=Group.PEOPLE, label="Hand the lead over", usage="[@who]",
        description="Hand the lead over with what the next one has to know.",
    ),
    Act.ESCALATE: ActDeclaration(
        group=Group.PEOPLE, label="Escalate", usage="[reason]", description="Mention the next level.",
        takes_free_text=True, fields=(_REASON,),
    ),
    # -- tell
    Act.UPDATE: ActDeclaration(
        group=Group.TELL, label="Post an update", usage="[text]", description="Say where it stands; a preview first.",
        takes_free_text=True,
    ),
    Act.NOTHING_NEW: ActDeclaration(
        group=Group.TELL, label="Nothing new", usage="[what was tried]",
        description="Say that nothing has changed since the last update.", takes_free_text=True,
    ),
    Act.UNDO: ActDeclaration(
        group=Group.TELL, label="Undo my update", description="Withdraw the update that you posted a moment ago.",
        possible=lambda incident: incident.last_update is not None,
    ),
    Act.SNOOZE: ActDeclaration(
        group=Group.TELL, label="Remind me later", description="Move the reminder of an update by some minutes."
    ),
    Act.HOLD: ActDeclaration(
        group=Group.TELL, label="Quiet until", usage="[until 05:00 UTC @who]",
        description="Once mitigated: no reminders until then; somebody watches.",
        possible=lambda incident: incident.status is Status.MITIGATED,
    ),
    Act.WAITING: ActDeclaration(
        group=Group.TELL, label="Waiting for", usage="for what [until 05:00 UTC] | over",
        description="Wait for somebody else; reminders pause.",
        fields=(
            FormField("what", "Waiting for what?"),
            FormField("until", "Look again when?", FieldKind.FUTURE_TIME, optional=True),
        ),
    ),
    Act.NOTE: ActDeclaration(
        group=Group.TELL, label="Note", aliases=("n",), usage="[at 13:40 UTC] text", takes_free_text=True,
        description="A line for the timeline.", phase=Phase.ALWAYS,
    ),
    Act.TASK: ActDeclaration(
        group=Group.TELL, label="Action item", usage="[@who] text [by day]", description="An action item.",
        takes_free_text=True, phase=Phase.ALWAYS,
        fields=(
            FormField("text", "What is to be done?", FieldKind.LINES),
            FormField("assignee", "By whom?", FieldKind.PERSON, optional=True),
            FormField("due", "By when?", optional=True, hint="Friday, 2026-12-04"),
        ),
    ),
    Act.TASK_DONE: ActDeclaration(
        group=Group.TELL, label="Action item is done", usage="number", description="Say that an action item is done.",
        phase=Phase.ALWAYS, fields=(FormField("task", "Which one?", FieldKind.TASK),),
        possible=lambda incident: any(not one.done for one in incident.tasks),
    ),
    Act.COMMS: ActDeclaration(
        group=Group.TELL, label="Customer text", usage="[template] [audience] [stage]",
        description="A customer text; a second person approves it.",
    ),
    Act.COMMS_EDIT: ActDeclaration(
        group=Group.TELL, label="Edit a customer text", usage="[draft]",
        description="Change a customer text that was not sent.", fields=_DRAFT, possible=_has_unsent_draft,
    ),
    Act.APPROVE: ActDeclaration(
        group=Group.TELL, label="Approve a customer text", usage="[draft]",
        description="Read a customer text that somebody else wrote, and approve exactly that.", fields=_DRAFT,
        possible=_has_unsent_draft,
    ),
    Act.DISCARD: ActDeclaration(
        group=Group.TELL, label="Discard a customer text", usage="[draft]",
        description="A customer text will not be sent.", fields=_DRAFT, possible=_has_unsent_draft,
    ),
    Act.PUBLISHED: ActDeclaration(
        group=Group.TELL, label="Say whether a text is public", usage="yes|no [draft]",
        description="Say whether a text stands in public, where the bot cannot know.",
        fields=(*_DRAFT, FormField("public", "Does it stand there?", FieldKind.ANSWER)),
        possible=lambda incident: any(one.state is DraftState.UNCERTAIN for one in incident.drafts.values()),
    ),
    # -- work
    Act.RUNBOOK: ActDeclaration(
        group=Group.WORK, label="Attach a runbook", aliases=("rb",), usage="[name | none]",
        description="Attach a runbook, or list them; none: those that the bot offers do not fit.",
        fields=(FormField("name", "Which runbook?", FieldKind.RUNBOOK),),
    ),
    Act.STEPS: ActDeclaration(
        group=Group.WORK, label="All steps", usage="[runbook]", description="The steps of a runbook as a list.",
        phase=Phase.ALWAYS, possible=_has_steps,
    ),
    Act.STEP: ActDeclaration(
        group=Group.WORK, label="A step", usage=f"2.3 {'|'.join(StepAct)} [text]", description="Act on a step.",
        possible=_has_steps,
        fields=(
            FormField("which", "Which step?", FieldKind.STEP),
            FormField("what", "What about it?", FieldKind.STEP_ACT),
            FormField("text", "In your words", FieldKind.LINES, optional=True),
        ),
    ),
    # -- end
    Act.MITIGATE: ActDeclaration(
        group=Group.END, label="Mitigated", aliases=("mit", "mitigated"), usage="[how]", takes_free_text=True,
        description="The harm to customers has stopped.", fields=(FormField("note", "How?", optional=True),),
        possible=lambda incident: incident.status is Status.INVESTIGATING,
    ),
    Act.RESOLVE: ActDeclaration(
        group=Group.END, label="Resolved", aliases=("fixed", "resolved"), usage="[how]", takes_free_text=True,
        description="It is over; a form asks what policy asks.",
    ),
    Act.AGREE: ActDeclaration(
        group=Group.END, label="Agree to resolve",
        description="Agree, as a second person, that it is resolved with conditions open.",
        possible=lambda incident: incident.override is not None,
    ),
    Act.REOPEN: ActDeclaration(
        group=Group.END, label="Reopen", usage="[why]", description="It is not over after all.",
        takes_free_text=True, phase=Phase.ENDED, fields=(_REASON,),
    ),
    Act.FALSE_ALARM: ActDeclaration(
        group=Group.END, label="False alarm", usage="[why]", description="There was nothing.", takes_free_text=True,
        fields=(_REASON,),
    ),
    Act.DUPLICATE: ActDeclaration(
        group=Group.END, label="Duplicate", usage="INC-40", description="The same as another incident.",
        fields=(FormField("number", "Of which incident?", hint="INC-40"),),
    ),
    Act.CLOSE: ActDeclaration(
        group=Group.END, label="Close the record", usage="[note]", takes_free_text=True, phase=Phase.ENDED,
        description="Resolve it, or close the record of a resolved one.",
        fields=(FormField("note", "A last note", optional=True),),
        possible=lambda incident: incident.status is not Status.CLOSED,
    ),
    Act.STAND_DOWN: ActDeclaration(
        group=Group.END, label="Stand down", phase=Phase.ENDED,
        description="Tell the people who were called that they can rest.",
        possible=lambda incident: not incident.stood_down,
    ),
    Act.POSTMORTEM: ActDeclaration(
        group=Group.END, label="Postmortem", aliases=("pm",), phase=Phase.ALWAYS,
        description="A draft from the timeline, as a file in the channel.",
    ),
}  # fmt: skip

#: every word that somebody can type for an act
ACT_OF_WORD: Mapping[str, Act] = {
    word: act for act, declared in ACTS.items() for word in (act.value, *declared.aliases)
}
