"""A summary for who joins: how bad, who leads, what to do and what not, what was said last."""

from __future__ import annotations

from datetime import datetime

from bot.domain.incident import Incident
from bot.domain.runbook import TwoPeople
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.card import facts
from bot.slack.surfaces.render_context import RenderContext, RenderEnvironment
from bot.slack.surfaces.words import card as words


def catch_up(incident: Incident, *, now: datetime, setup: RenderEnvironment) -> list[block_kit.Block]:
    """For who joins: how bad, who leads, what to do, what not to do, what was said last, what is promised next."""
    scene = RenderContext(incident, now, setup)
    blocks = [
        block_kit.section(
            f"*{words.headline(scene.severity.name, incident.severity_assumed, text.escape_line(incident.title))}*"
        ),
        block_kit.section("\n".join(facts(scene))),
    ]
    doing = [
        f"Do: step {text.escape_line(step.id)}, {text.clip(text.escape_line(step.text), 500)}"
        for one in incident.checklists
        if (step := one.next_step)
    ]
    alone = [
        f"{text.escape_line(step.id)} {text.clip(text.escape_line(step.text), 200)}"
        for one in incident.checklists
        for step in one.runbook.steps
        if step.two_people is TwoPeople.BEFORE
    ]
    if alone:
        doing.append(f"Do not do alone: {'; '.join(alone[:8])}")
    if doing:
        blocks.append(block_kit.section("\n".join(doing)))
    if last := incident.last_update:
        said = text.clip(text.escape_line(last.text), 1500)
        blocks.append(block_kit.section(f"Last update, {scene.when(last.at)} by {scene.person_name(last.by)}: {said}"))
    if said_last := incident.last_published_draft:
        blocks += [block_kit.context("Customers were told:"), block_kit.rich_text_quote(said_last.drafted.text[:2000])]
    return blocks
