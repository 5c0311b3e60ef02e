"""Two people: the ask, its answer, what expired, reviews, and resolving over open conditions."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import INVITES, DesiredMessage, MessageTarget, TargetKind
from bot.domain.incident import Ask, AskState, Checklist, Incident, Mark
from bot.domain.pending import change, waiting_override
from bot.domain.runbook import Step
from bot.domain.time_text import lasted
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import AskValue, StepValue
from bot.slack.surfaces.messages.build import (
    build_message,
    collapsed_message,
    mention_users,
    withdrawn_message,
)
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import (
    asks as words,
)
from bot.slack.surfaces.words import (
    checklists,
    endings,
    labels,
    people,
)


def asks(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Every ask with what became of it."""
    for ask in scene.incident.asks.values():
        yield _ask(scene, ask)
        yield from _elsewhere(scene, ask)
        yield from _answer(scene, ask)


def _action(ask: Ask) -> str:
    return text.with_full_stop(text.clip(text.escape_line(ask.asked.action), 600))


def _ask(scene: RenderContext, ask: Ask) -> DesiredMessage:
    asked, key = ask.asked, f"ask:{ask.seq}"
    if ask.state is not AskState.ASKED or not scene.incident.open:
        at = ask.answered_at if ask.state in (AskState.GO, AskState.REFUSED) else ask.ended_at
        state = words.ask_outcome(
            AskState.LAPSED if ask.state is AskState.ASKED else ask.state,
            scene.person_name(ask.second) if ask.second else "",
            scene.when(at or scene.reference_time),
        )
        over = words.ask_over(scene.person_name(asked.by), _action(ask), state)
        return collapsed_message(key, over, numbered=ask.seq)
    inside = [user for user in asked.to if user not in _outside(scene, ask)]
    sentence = words.ask(mention_users(scene, inside) or people.SOMEBODY, scene.person_name(asked.by), _action(ask))
    blocks = _asked_blocks(scene, ask, sentence)
    if not inside:
        wait = words.ask_wait(scene.person_names(asked.to), lasted(scene.policy.answer_within))
        blocks.insert(1, block_kit.context(f"{wait} {people.NO_PAGER}"))
    return build_message(key, sentence.replace("*", ""), blocks, after=(INVITES,), numbered=ask.seq)


def _asked_blocks(scene: RenderContext, ask: Ask, sentence: str) -> list[block_kit.Block]:
    """What is asked for, its evidence and facts, and what a second person can say."""
    asked = ask.asked
    one = scene.incident.checklist(asked.runbook)
    title = text.escape_line(one.runbook.title if one else asked.runbook)
    facts = words.ask_facts(
        text.escape_line(asked.count),
        text.escape_line(asked.amount),
        text.escape_line(asked.step),
        title,
        scene.when(asked.lapses),
    )
    blocks = [block_kit.section(sentence), block_kit.context(facts)]
    if asked.evidence:
        blocks.insert(1, block_kit.section(text.quoted(asked.evidence)))
    blocks.append(
        block_kit.actions(
            scene.button(labels.GO, "go", AskValue(ask=ask.seq), style="primary"),
            scene.button(labels.REFUSE, "refuse", AskValue(ask=ask.seq)),
        )
    )
    return blocks


def _outside(scene: RenderContext, ask: Ask) -> list[str]:
    """Those who may agree and are not in the channel: a mention there would not reach them."""
    return [user for user in ask.asked.to if user[:1] in ("U", "W") and user not in scene.incident.invited]


def _elsewhere(scene: RenderContext, ask: Ask) -> Iterator[DesiredMessage]:
    """One after the other of those who are not here, directly; whoever is here has the first few minutes."""
    asked, outside = ask.asked, _outside(scene, ask)
    first = 0 if len(outside) == len(asked.to) else 1
    for user in asked.to:
        key, place = f"ask:{ask.seq}:{user}", MessageTarget(TargetKind.PERSON, user)
        if ask.state is not AskState.ASKED or not scene.incident.open:
            yield withdrawn_message(key, place)
            continue
        turn = user in outside and scene.now >= asked.at + scene.policy.answer_within * (first + outside.index(user))
        sentence = words.ask_direct(scene.incident.name, scene.person_name(asked.by), _action(ask))
        yield build_message(
            key, sentence.replace("*", ""), _asked_blocks(scene, ask, sentence), place=place, standing=turn,
            numbered=ask.seq,
        )  # fmt: skip


def _answer(scene: RenderContext, ask: Ask) -> Iterator[DesiredMessage]:
    """What the asker has to know and do: a new message, as an edit would notify nobody."""
    incident, key = scene.incident, f"answer:{ask.seq}"
    asker, action = mention_users(scene, (ask.asked.by,)), _action(ask)
    if ask.state is AskState.GO and ask.until and ask.answered_at and incident.open:
        second = scene.person_name(ask.second)
        until = scene.when(ask.until, ask.answered_at)
        sentence = words.go_given(asker, second, scene.when(ask.answered_at, ask.answered_at), until, action)
        done = scene.button(labels.DONE_FORM, "done", AskValue(ask=ask.seq), style="primary")
        not_done = scene.button(labels.NOT_DONE, "not-done", AskValue(ask=ask.seq))
        yield build_message(
            key, sentence, (block_kit.section(sentence), block_kit.actions(done, not_done)), numbered=ask.seq
        )
        return
    if ask.state is AskState.DONE and ask.ended_at:
        by, second = scene.person_name(ask.asked.by), scene.person_name(ask.second)
        said = checklists.done_with(1, scene.when(ask.ended_at, ask.ended_at), by, second, text.escape_line(ask.result))
        yield build_message(key, f"{action} {said}", numbered=ask.seq)
        return
    if ask.state is not AskState.ASKED:
        yield withdrawn_message(key)
    if ask.state is AskState.REFUSED:
        sentence = words.ask_refused(asker, scene.person_name(ask.second), action, text.escape_line(ask.result))
        yield build_message(f"refused:{ask.seq}", sentence, standing=incident.open, numbered=ask.seq)
    elif ask.state is AskState.LAPSED and ask.ended_at and ask.ended_at != incident.ended_at:
        when = scene.when(ask.ended_at, ask.ended_at)
        told = words.ask_expired(asker, when, action)
        if ask.second:
            command, step = text.escape_line(scene.environment.command), text.escape_line(ask.asked.step)
            told = words.go_expired(asker, when, action, command, step)
        yield build_message(f"lapse:{ask.seq}", told, standing=incident.open, numbered=ask.seq)


# -- reviews --------------------------------------------------------------------------------------


def reviews(scene: RenderContext) -> Iterator[DesiredMessage]:
    """What one person did and a second one has to look at."""
    for one in scene.incident.checklists:
        for step in one.runbook.steps:
            if one.state(step.id).review_seq:
                yield from _review(scene, one, step)


def _review(scene: RenderContext, one: Checklist, step: Step) -> Iterator[DesiredMessage]:
    state = one.state(step.id)
    key = f"review:{one.runbook.slug}:{step.id}:{state.review_seq}"
    late_key = f"review-late:{one.runbook.slug}:{step.id}:{state.late_seq}"
    action, by = text.with_full_stop(text.clip(text.escape_line(step.text), 600)), scene.person_name(state.by)
    if state.mark is not Mark.REVIEW:
        if state.reviewed_by:
            seen_by = scene.person_name(state.reviewed_by)
            yield collapsed_message(key, words.reviewed(seen_by, action, by), numbered=state.review_seq)
        else:
            yield withdrawn_message(key)
        if state.late_seq:
            yield withdrawn_message(late_key)
        return
    at = state.at or scene.reference_time
    due = scene.when(state.review_by, at) if state.review_by else ""
    sentence = words.review(
        mention_users(scene, state.review_to) or people.SOMEBODY, by, action, scene.when(at, at), due, state.alone
    )
    seen = block_kit.actions(scene.button(labels.REVIEWED, "review", StepValue.of(one, step), style="primary"))
    why = [block_kit.section(text.quoted(state.reason))] if state.reason else []
    blocks = (block_kit.section(sentence), *why, seen)
    yield build_message(key, sentence, blocks, after=(INVITES,), numbered=state.review_seq)
    if state.late_seq > state.review_seq:
        late = words.review_late(mention_users(scene, state.late_to) or people.SOMEBODY, by, action, due)
        yield build_message(late_key, late, (block_kit.section(late), seen), numbered=state.late_seq)


# -- resolving over open conditions -----------------------------------------------------------------


def overrides(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Who asks to resolve although conditions are open; only the latest stands, and only until it is answered."""
    for entry in scene.incident.announced_entries:
        if isinstance(entry.event, e.OverrideAsked):
            key = f"override:{entry.seq}"
            if _waits(scene.incident, entry.seq):
                yield _override(scene, entry.seq, entry.event)
            else:
                yield withdrawn_message(key)


def _waits(incident: Incident, seq: int) -> bool:
    waiting = waiting_override(incident)
    return incident.open and waiting is not None and waiting.seq == seq and not change(incident, waiting)


def _override(scene: RenderContext, seq: int, asked: e.OverrideAsked) -> DesiredMessage:
    by, name = scene.person_name(asked.by), scene.incident.name
    sentence = words.override(
        mention_users(scene, asked.to) or people.SOMEBODY,
        by,
        name,
        text.clip(text.escape_line(asked.reason), 1000),
    )
    sentences = dict(scene.policy.resolve_checks)
    conditions = [
        f"• {text.escape_line(sentences.get(check.name, check.name))}: "
        f"{endings.MET.get(check.met, text.escape_line(check.met))}"
        + (f" ({text.clip(text.escape_line(check.note), 200)})" if check.note else "")
        for check in asked.checks
    ]
    blocks = [block_kit.section(sentence)]
    if conditions:
        blocks.append(block_kit.section("\n".join(conditions)))
    blocks.append(block_kit.context(words.override_wait(by)))
    blocks.append(block_kit.actions(scene.button(labels.AGREE_RESOLVE, "agree-resolve", style="danger")))
    return build_message(f"override:{seq}", sentence, blocks, after=(INVITES,), numbered=seq)
