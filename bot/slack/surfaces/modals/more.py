"""[More]: everything that can be done in an incident's channel, in groups, and the form that asks for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.incident import Incident
from bot.domain.roles import ROLES, role_title
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.acts import ACTS, UNSENT_DRAFTS, Act, FieldKind, FormField, Group, StepAct
from bot.slack.surfaces.button_values import ActValue, encode
from bot.slack.surfaces.modals.form import VALUE_ACTION_ID, ModalView, incident_modal, private_metadata
from bot.slack.surfaces.modals.next_actions import next_actions
from bot.slack.surfaces.render_context import RenderEnvironment
from bot.slack.surfaces.words import customer_messages
from bot.slack.surfaces.words import forms as words

MORE_CALLBACK_ID = "inc:more"


def more_modal(
    incident: Incident,
    user: str,
    environment: RenderEnvironment,
    now: datetime,
    *,
    channel: str,
    response_url: str = "",
    notice: str = "",
) -> ModalView:
    """Every act that fits an incident as it stands, a button each; `notice`: what came of the last one pressed."""
    blocks = [block_kit.section(notice)] if notice else []
    blocks += next_actions(incident, user, environment.policy, now, more=False)
    for group in Group:
        buttons = [
            block_kit.button(declared.label, f"inc:act:{act}", encode(ActValue(incident=incident.id, act=act.value)))
            for act, declared in ACTS.items()
            if declared.group is group and act is not Act.MORE and declared.offered(incident)
        ]  # fmt: skip
        if buttons:
            blocks += [block_kit.context(f"*{group}*"), block_kit.actions(*buttons)]
    metadata = private_metadata(i=incident.id, c=channel, u=response_url)
    return block_kit.modal("more", incident.name, blocks, metadata=metadata, close="Close")


def act_form(
    act: Act,
    incident: Incident,
    environment: RenderEnvironment,
    *,
    probes: Mapping[str, Sequence[str]],
    channel: str,
    response_url: str = "",
) -> ModalView:
    """The questions of an act, as its row declares them. `probes`: their names, with what each can look at."""
    declared = ACTS[act]
    questions = [_question(one, incident, environment, probes) for one in declared.fields]
    if all(one is not None for one in questions):
        blocks = [block_kit.context(declared.description), *(one for one in questions if one)]
        return incident_modal(
            "act", declared.label, blocks, incident, submit=words.DO_IT, response_url=response_url, c=channel,
            a=act.value,
        )  # fmt: skip
    metadata = private_metadata(i=incident.id, c=channel, u=response_url)
    return block_kit.modal(
        "nothing", declared.label, [block_kit.section(words.NOTHING_TO_CHOOSE)], metadata=metadata, close="Close"
    )


def _question(
    field: FormField, incident: Incident, environment: RenderEnvironment, probes: Mapping[str, Sequence[str]]
) -> block_kit.Block | None:
    """One question; None where there is nothing to choose from."""
    element: block_kit.Element
    match field.kind:
        case FieldKind.TEXT | FieldKind.PAST_TIME | FieldKind.FUTURE_TIME:
            element = block_kit.plain_text_input(VALUE_ACTION_ID, _initial(field, incident), max_length=500)
        case FieldKind.LINES:
            element = block_kit.plain_text_input(VALUE_ACTION_ID, _initial(field, incident), multiline=True)
        case FieldKind.PERSON:
            element = block_kit.users_select(VALUE_ACTION_ID, words.CHOOSE_PERSON)
        case _:
            options = _options(field.kind, incident, environment, probes)
            if not options:
                return None
            element = block_kit.static_select(VALUE_ACTION_ID, words.CHOOSE, options)
    hint = field.hint or (words.TIME_HINT if field.kind in (FieldKind.PAST_TIME, FieldKind.FUTURE_TIME) else "")
    return block_kit.input_block(field.name, field.label, element, hint=hint, optional=field.optional)


def _initial(field: FormField, incident: Incident) -> str:
    """What stands there now, for a correction."""
    return {"title": incident.title, "impact": incident.impact}.get(field.name, "")


def _options(
    kind: FieldKind, incident: Incident, environment: RenderEnvironment, probes: Mapping[str, Sequence[str]]
) -> list[block_kit.Element]:
    option = block_kit.option
    match kind:
        case FieldKind.SEVERITY:
            return [option(one.name, one.key) for one in environment.policy.severities]
        case FieldKind.ROLE:
            return [option(role_title(role), role) for role in ROLES if role in incident.offers]
        case FieldKind.RUNBOOK:
            attached = {one.runbook.slug for one in incident.checklists}
            return [option(title, slug) for slug, title in sorted(environment.runbooks.items()) if slug not in attached]
        case FieldKind.PROBE:
            return [option(name.capitalize(), name) for name in sorted(probes)]
        case FieldKind.STEP:
            return [
                option(f"{step.id} {step.text}", f"{one.runbook.ref} {step.id}")
                for one in incident.checklists
                for step in one.runbook.steps
            ]
        case FieldKind.STEP_ACT:
            return [option(words.STEP_ACTS[one], one.value) for one in StepAct]
        case FieldKind.TASK:
            return [option(f"{n}: {one.text}", str(n)) for n, one in enumerate(incident.tasks, 1) if not one.done]
        case FieldKind.DRAFT:
            return [
                option(
                    f"{customer_messages.audience(one.drafted.audience)}, {one.drafted.stage}",
                    one.name,
                )
                for one in incident.drafts.values()
                if one.state in UNSENT_DRAFTS
            ]
        case FieldKind.ANSWER:
            return [option(words.YES, "yes"), option(words.NO, "no")]
    return []


__all__ = ["MORE_CALLBACK_ID", "act_form", "more_modal"]
