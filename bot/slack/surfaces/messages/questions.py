"""What the lead is asked while the facts are thin: which runbook, which severity."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.desired_message import DesiredMessage
from bot.domain.runbook import runbook_ref
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import RunbookValue, SeverityValue
from bot.slack.surfaces.messages.build import build_message, mention_prefix, mention_users, withdrawn_message
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import channel as words
from bot.slack.surfaces.words import labels, people


def questions(scene: RenderContext) -> Iterator[DesiredMessage]:
    """What the lead is asked while the facts are thin: which runbook, which severity."""
    incident = scene.incident
    if incident.guess_seq:
        yield _guess(scene) if incident.guess and incident.open else withdrawn_message("guess")
    if incident.severity_asked:
        waits = incident.open and incident.severity_assumed
        yield _severity_ask(scene) if waits else withdrawn_message("severity-ask")


def _guess(scene: RenderContext) -> DesiredMessage:
    guess = scene.incident.guess
    pairs = list(zip(guess.slugs, guess.titles, strict=False))[:3] if guess else []
    titles = [text.escape_line(title or slug) for slug, title in pairs]
    sentence = words.guess(mention_prefix(scene, scene.incident.lead), text.join_names(titles, "or"))
    buttons = [
        block_kit.button(title or slug, f"inc:attach:{position}", scene.value(RunbookValue(runbook=runbook_ref(slug))))
        for position, (slug, title) in enumerate(pairs)
    ]
    return build_message(
        "guess",
        sentence,
        (block_kit.section(sentence), block_kit.actions(*buttons, scene.button(labels.NONE, "decline"))),
    )


def _severity_ask(scene: RenderContext) -> DesiredMessage:
    incident, assumed = scene.incident, scene.severity
    to = mention_users(scene, (incident.lead,)) or people.SOMEBODY
    sentence = words.severity_ask(to, assumed.name)
    meanings = [f"*{one.name}*: {text.escape_line(one.meaning)}" for one in scene.policy.severities]
    first = scene.button(labels.keep_severity(assumed.name), f"sev:{assumed.key}", SeverityValue(severity=assumed.key))
    others = [
        scene.button(one.name, f"sev:{one.key}", SeverityValue(severity=one.key))
        for one in scene.policy.severities
        if one.key != assumed.key
    ]
    blocks = (block_kit.section(sentence), block_kit.context("\n".join(meanings)), block_kit.actions(first, *others))
    return build_message("severity-ask", sentence, blocks)
