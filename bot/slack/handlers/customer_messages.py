"""Customer texts: the form, the draft, a second person's approval."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from bot.domain import customer_messages
from bot.domain.customer_template import Template
from bot.domain.errors import Refused
from bot.domain.incident import Draft, Incident
from bot.domain.names import join_names
from bot.slack.outbound.web_api import api_call
from bot.slack.requests import respond
from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult, nearest_clock_time, split_first_word
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import block_kit, modals
from bot.slack.surfaces.text import escape
from bot.slack.workspace.services import PreparedText

#: a customer text's name, or its beginning
_DRAFT_NAME = re.compile(r"[0-9a-f]{4,12}")

#: the first audience is the one that a form begins with
AUDIENCES = ("customers", "status-page", "internal")


def read_comms(text: str, call: Request) -> ParseResult:
    """A template's name, perhaps an audience and a stage."""
    words = text.split()
    texts = call.services.texts
    # Words that neither are nor resemble a template begin a title: "comms tower is down".
    if len(words) > 3 or (len(words) > 1 and words[0] not in texts.names() and not texts.close_matches(words[0])):
        return None
    return Arguments({"name": words[0] if words else "", "rest": tuple(words[1:])})


async def comms(call: Request, name: str = "", rest: tuple[str, ...] = ()) -> Reply | None:
    """Open the form of a template, or say which there are."""
    _, texts = call.required_incident, call.services.texts
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
    audience, stage = _choice(call, name, rest)
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


async def change_stage(call: Request, stage: str) -> None:
    """Another stage in the form of a customer text: the same form, for that text."""
    meta = block_kit.decode_value(str(call.view.get("private_metadata", "")))
    template = call.services.texts.template(str(meta.get("n")), str(meta.get("g")), stage or str(meta.get("t")))
    shown = comms_view(call, template, {}, str(meta.get("p", "")))
    await api_call(call.services.client, "views.update", view_id=call.view["id"], view=dict(shown))


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


def read_draft(text: str, call: Request) -> ParseResult:
    """The name of a customer text, or nothing where only one is meant."""
    return Arguments({"name": text.lower()}) if not text or _DRAFT_NAME.fullmatch(text.lower()) else None


def read_published(text: str, call: Request) -> ParseResult:
    """yes or no, and perhaps the name of a customer text."""
    if not text:
        return MissingArguments()
    answer, name = split_first_word(text.lower())
    if answer not in ("yes", "no") or (name and not _DRAFT_NAME.fullmatch(name)):
        return None
    return Arguments({"public": answer, "name": name})


async def approve(call: Request, name: str = "", text_hash: str = "") -> Reply | None:
    """A second person approves exactly the text of this hash, which is sent at once; without a hash they read it."""
    if not text_hash:
        found = _meant(call, "approve", name, "drafted")
        setup, now = call.services.render_environment, call.services.now()
        form = modals.approve_form(call.required_incident, found, now=now, setup=setup, response_url=call.response_url)
        await call.open_view(form)
        return None
    await call.act(
        "approve", partial(customer_messages.approve, draft=name, text_hash=text_hash, policy=call.services.policy)
    )
    return Reply("Approved; it is being sent. The thread under Comms in the incident's channel shows where it stands.")


async def edit(call: Request, name: str = "") -> None:
    """The form of a text that was not sent, to change it."""
    old = _meant(call, "draft", name, "drafted", "failed").drafted
    template = call.services.texts.template(old.template, old.audience, old.stage)
    await call.open_view(comms_view(call, template, dict(old.slots), old.draft))


async def discard(call: Request, name: str = "", reason: str = "") -> Reply:
    """The draft will not be sent."""
    draft = _meant(call, "discard", name, "drafted").name
    await call.act("discard", partial(customer_messages.discard, draft=draft, reason=reason))
    return Reply("Discarded. Nothing was sent.")


async def published(call: Request, public: str, name: str = "") -> Reply:
    """A person says whether a text stands in public, where the bot cannot know. `public`: yes or no."""
    found = _meant(call, "comms", name, "uncertain")
    if public != "yes":
        rule = partial(customer_messages.record_failed, draft=found.name, error="seen to be missing by a person")
        await call.act("comms", rule)
        return Reply("Noted: the text is not public. Edit the draft to send it anew.")
    channel = call.services.directory.channel(call.services.policy.customer_comms)
    # Where a person posted it by hand, only they know the address.
    by_hand = found.reason == customer_messages.POST_BY_HAND_REASON
    where = channel if found.drafted.audience == "customers" and not by_hand else ""
    rule = partial(customer_messages.record_published, draft=found.name, publisher="seen by a person", where=where)
    await call.act("comms", rule)
    return Reply("Noted: the text is public.")


def _meant(call: Request, verb: str, name: str, *states: str) -> Draft:
    """The text that is meant: the one of this name or of a name that begins so; without a name the only one.

    Refused first for whoever may not do `verb`.
    """
    drafts = call.required_incident.drafts
    call.services.policy.require_right(verb, call.actor)
    if name in drafts:
        return drafts[name]
    fit = [one for one in drafts.values() if one.state in states and one.name.startswith(name)]
    if len(fit) == 1:
        return fit[0]
    waiting = [one for one in drafts.values() if one.state in states]
    if not waiting:
        raise Refused("No customer text waits for that.", field="name")
    listed = "; ".join(f"`{one.name[:6]}` for {one.drafted.audience} ({one.drafted.stage})" for one in waiting[:10])
    raise Refused(f"Say which text by its name: {listed}.", field="name")
