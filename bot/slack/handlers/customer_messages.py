"""Customer texts: the form, the draft, a second person's approval."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.domain import customer_messages
from bot.domain.customer_template import Template
from bot.domain.errors import Refused
from bot.domain.incident import Draft, Incident
from bot.domain.names import join_names
from bot.slack.requests import respond
from bot.slack.requests.arguments import Arguments, ParseResult, nearest_clock_time
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import escape
from bot.slack.workspace.services import PreparedText

Values = dict[str, Any]

#: the first audience is the one that a form begins with
AUDIENCES = ("customers", "status-page", "internal")


def read_comms(text: str, call: Request) -> ParseResult:
    """A template's name, perhaps an audience and a stage."""
    words = text.split()
    if len(words) > 3:
        return None
    return Arguments({"name": words[0] if words else "", "rest": tuple(words[1:])})


async def comms(call: Request, values: Values) -> Reply | None:
    """Open the form of a template, or say which there are."""
    _, texts = call.required_incident, call.services.texts
    name = values["name"]
    if not name:
        names = list(texts.names())
        if len(names) == 1:
            name = names[0]
        else:
            known = ", ".join(f"`{one}`" for one in names) or "none: the folder of templates is empty"
            return Reply(f"Templates: {known}. Begin a text: `{call.services.command} comms NAME`.")
    if name not in texts.names():
        close = " or ".join(f"`{one}`" for one in texts.close_matches(name))
        hint = f" Did you mean {close}?" if close else f" `{call.services.command} comms` lists them."
        raise Refused(f"There is no template “{escape(name[:60])}”.{hint}")
    audience, stage = _choice(call, name, values["rest"])
    if not call.trigger_id:
        said = f"comms {name} {audience} {stage}"
        return respond.open_form_reply("Open the form", f"The text for {audience} takes a form.", said)
    await call.open_view(comms_view(call, texts.template(name, audience, stage), {}, ""))
    return None


def _choice(call: Request, name: str, rest: tuple[str, ...]) -> tuple[str, str]:
    incident, texts = call.required_incident, call.services.texts
    audiences = list(texts.audiences(name))
    audience = next((word for word in rest if word in audiences), "")
    if not audience:
        audience = next((one for one in AUDIENCES if one in audiences), audiences[0])
    stages = list(texts.stages(name, audience))
    stage = next((word for word in rest if word in stages), "")
    unknown = [word for word in rest if word not in audiences and word not in stages]
    if unknown:
        raise Refused(
            f"“{escape(unknown[0][:40])}” is neither an audience ({', '.join(audiences)}) nor a stage "
            f"({', '.join(stages)}) of {name}."
        )
    return audience, stage or _likely_stage(incident, stages)


def _likely_stage(incident: Incident, stages: list[str]) -> str:
    """The stage that fits where the incident stands."""
    wanted = "resolved" if not incident.open else "monitoring" if incident.mitigated_at else "investigating"
    if wanted == "investigating" and incident.last_published_draft is not None:
        wanted = "identified"
    return wanted if wanted in stages else stages[0]


def comms_view(call: Request, template: Template, values: Mapping[str, str], replaces: str) -> modals.ModalView:
    """The form: typed slots, what was last said, the promised next update."""
    incident = call.required_incident
    said = incident.last_published_draft
    filled = dict(said.drafted.slots) if said and not values else dict(values)
    promised = call.services.now() + (call.services.policy.severity(incident.severity).cadence or timedelta(hours=1))
    return modals.comms_form(
        incident,
        template,
        values=filled,
        last_said=said.drafted.text if said else "",
        stages=call.services.texts.stages(template.name, template.audience),
        promised=promised,
        replaces=replaces,
        response_url=call.response_url,
    )


async def draft(call: Request, template: Template, values: Mapping[str, str], replaces: str = "") -> Reply:
    """Scrub, keep the draft, and ask those who may approve it. A secret in it: nothing is stored."""
    incident, services = call.required_incident, call.services
    for slot in template.slots:
        await call.refuse_secrets(values.get(slot.name, ""), slot.name)
    prepared = services.texts.prepare(template, values, template_variables(call, template.audience))
    approvers = _approvers(call)
    name = uuid.uuid5(uuid.UUID(incident.id), f"draft {call.idempotency_key or incident.seq}").hex[:12]
    await call.act(
        "draft",
        partial(
            customer_messages.draft,
            draft=name,
            template=template,
            text=prepared.text,
            removed=prepared.removed,
            findings=prepared.findings,
            tone=prepared.tone,
            promised=promised_time(template, values, services.now()),
            slots=tuple((slot.name, prepared.values.get(slot.name, "")) for slot in template.slots),
            replaces=replaces,
            approvers=approvers,
            policy=services.policy,
        ),
    )
    return _drafted(call, prepared, approvers)


def _drafted(call: Request, prepared: PreparedText, approvers: tuple[str, ...]) -> Reply:
    removed = f" {prepared.removed[0].upper()}{prepared.removed[1:]}." if prepared.removed else ""
    if not approvers:
        return Reply(
            f"The draft is in the thread.{removed} Nobody here may approve it yet: invite somebody who may with "
            f"`{call.services.command} add @name`."
        )
    people = join_names((f"<@{user}>" for user in approvers[:5]), "or")
    return Reply(f"The draft is in the thread.{removed} {people} can approve it: they have a message of their own.")


def _approvers(call: Request) -> tuple[str, ...]:
    """Whom policy names, else the members here; never the drafter."""
    directory, policy, incident = call.services.directory, call.services.policy, call.required_incident
    if policy.may_approve:
        people = directory.expand(policy.may_approve)
        if incident.private:
            people = tuple(user for user in people if user in incident.invited)
        return tuple(user for user in people if user != call.actor.user)
    return call.confirmers()


def template_variables(call: Request, audience: str) -> dict[str, str]:
    """What a template may ask of an incident; texts for customers may only ask for its reference.

    Colleagues read what customers read: there a private incident has no number.
    """
    incident = call.required_incident
    return {
        "ref": "this incident" if incident.private and audience != "internal" else incident.name,
        "title": incident.title,
        "severity": call.services.policy.severity(incident.severity).name,
        "lead": call.services.directory.name(incident.lead) if incident.lead else "nobody yet",
    }


def promised_time(template: Template, values: Mapping[str, str], now: datetime) -> datetime | None:
    """The next update that the text promises: its slot `next_update`, a time HH:MM UTC that lies ahead."""
    text = values.get("next_update", "")
    if not any(slot.name == "next_update" for slot in template.slots) or ":" not in text:
        return None
    hour, _, minute = text.replace("UTC", "").strip().partition(":")
    if not hour.isdigit() or not minute.strip().isdigit():
        return None
    at = nearest_clock_time(int(hour), int(minute), now)
    return at if at > now else at + timedelta(days=1)


async def approve(call: Request, name: str, text_hash: str) -> Reply:
    """A second person approves exactly this text; it is sent at once."""
    await call.act(
        "approve", partial(customer_messages.approve, draft=name, text_hash=text_hash, policy=call.services.policy)
    )
    return Reply("Approved; it is being sent. The thread under Comms in the incident's channel shows where it stands.")


async def discard(call: Request, name: str, reason: str = "") -> Reply:
    """The draft will not be sent."""
    await call.act("discard", partial(customer_messages.discard, draft=name, reason=reason))
    return Reply("Discarded. Nothing was sent.")


def draft_of(incident: Incident, name: str) -> Draft:
    """The draft of that name; Refused where there is none."""
    found = incident.drafts.get(name)
    if found is None:
        raise Refused("That draft is not on this incident any more.")
    return found
