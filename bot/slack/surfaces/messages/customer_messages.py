"""Customer comms: one parent, each draft in its thread with its exact text, approvers asked directly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.domain.customer_messages import POST_BY_HAND_REASON
from bot.domain.desired_message import DesiredMessage, MessageTarget, TargetKind
from bot.domain.incident import Draft, DraftState
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import DraftValue
from bot.slack.surfaces.messages.build import (
    build_message,
    collapsed_message,
    in_thread,
    mention_prefix,
    withdrawn_message,
)
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import card, labels
from bot.slack.surfaces.words import customer_messages as words

PARENT_KEY = "comms"


def comms(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Nothing before the first draft. The public posts themselves are the publisher's."""
    drafts = scene.incident.drafts.values()
    if not drafts:
        return
    yield _parent(scene)
    for draft in drafts:
        yield _draft(scene, draft)
        yield from _approvals(scene, draft)
        yield from _trouble(scene, draft)


def _audience(draft: Draft) -> str:
    return words.audience(draft.drafted.audience)


def _state(draft: Draft) -> str:
    return words.BY_HAND if _waits_for_hand(draft) else words.DRAFT_STATE[draft.state]


def _waits_for_hand(draft: Draft) -> bool:
    return draft.state is DraftState.UNCERTAIN and draft.reason == POST_BY_HAND_REASON


def _parent(scene: RenderContext) -> DesiredMessage:
    said = scene.incident.last_published_draft
    lines = [words.COMMS]
    for draft in [
        one for one in scene.incident.drafts.values() if one.state not in (DraftState.REPLACED, DraftState.DISCARDED)
    ][-5:]:
        at = draft.published_at or draft.approved_at or draft.drafted.at
        stage = text.escape_line(draft.drafted.stage)
        lines.append(words.draft_line(_audience(draft), stage, _state(draft), scene.when(at)))
    if said and said.published_at:
        promised = scene.when(said.drafted.promised) if said.drafted.promised else ""
        told = card.customers_told(scene.when(said.published_at), promised)
        last = text.with_full_stop(text.capitalized(told))
    else:
        last = words.NOTHING_SAID
    blocks = [block_kit.section("\n".join(lines)), block_kit.context(last)]
    if scene.incident.open:
        blocks.append(block_kit.actions(scene.button(labels.NEW_TEXT, "comms")))
    return build_message(PARENT_KEY, f"{scene.incident.name}: {last}", blocks, lasting=True)


def _draft(scene: RenderContext, draft: Draft) -> DesiredMessage:
    key, place = f"draft:{draft.name}", in_thread(PARENT_KEY)
    state, stage = _state(draft), text.escape_line(draft.drafted.stage)
    if draft.state in (DraftState.DISCARDED, DraftState.LAPSED, DraftState.REPLACED):
        # without its text: what was not approved is nobody's word
        reason = text.clip(text.escape_line(draft.reason), 500)
        return collapsed_message(key, words.draft_over(_audience(draft), stage, state, reason), place=place)
    blocks = [*text_blocks(scene, draft), block_kit.context(*_notes(scene, draft))]
    if draft.state is DraftState.DRAFTED:
        blocks.append(_buttons(scene, draft, discard=True))
    sentence = f"{scene.incident.name}: {words.draft_line(_audience(draft), stage, state, '')}."
    return build_message(key, sentence, blocks, place=place)


def text_blocks(scene: RenderContext, draft: Draft) -> list[block_kit.Block]:
    """Whose text it is, and the text exactly as it would be public."""
    drafted = draft.drafted
    head = words.draft_head(
        _audience(draft),
        text.escape_line(drafted.template),
        text.escape_line(drafted.stage),
        scene.person_name(drafted.by),
    )
    return [block_kit.section(head), block_kit.rich_text_quote(drafted.text)]


def _notes(scene: RenderContext, draft: Draft) -> list[str]:
    drafted = draft.drafted
    notes = [words.removed_by_scrubber(text.escape_line(drafted.removed))] if drafted.removed else []
    if drafted.findings:
        notes.append(words.scrubber_findings(text.escape_line(", ".join(drafted.findings))))
    if drafted.tone:
        notes.append(words.tone_findings(text.escape_line("; ".join(drafted.tone))))
    if drafted.promised:
        notes.append(words.promised(scene.when(drafted.promised)))
    if draft.state is DraftState.DRAFTED:
        notes.append(words.expires(scene.when(drafted.expires), scene.person_names(drafted.to, "or")))
    elif draft.state is DraftState.PUBLISHED and draft.published_at:
        where, by = _where(draft), scene.person_name(draft.approved_by)
        notes.append(words.published(where, scene.when(draft.published_at), scene.person_name(drafted.by), by))
        if scene.incident.last_published_draft is draft:
            notes.append(words.LAST_SAID)
    elif draft.approved_at:
        notes.append(words.approved(scene.person_name(draft.approved_by), scene.when(draft.approved_at)))
        notes.append(text.with_full_stop(text.capitalized(_state(draft))))
    return notes


def _where(draft: Draft) -> str:
    """A channel as a channel, a page as a link, anything else as it is called."""
    if re.fullmatch(r"[CG][A-Z0-9]{2,}", draft.where):
        return f"<#{draft.where}>"
    if re.fullmatch(r"https?://[^\s<>|]+", draft.link):
        return f"<{text.escape(draft.link)}|{text.escape_line(draft.where).replace('|', ' ') or 'the page'}>"
    return text.escape_line(draft.where) or _audience(draft)


def _buttons(scene: RenderContext, draft: Draft, *, discard: bool) -> block_kit.Block:
    carried = DraftValue(draft=draft.name, text_hash=draft.drafted.text_hash)
    return block_kit.actions(
        scene.button(labels.APPROVE, "approve", carried, style="primary"),
        scene.button(labels.EDIT, "comms-edit", carried),
        scene.button(labels.DISCARD, "discard", carried) if discard else None,
    )


# -- approvers ------------------------------------------------------------------------------------


def _approvals(scene: RenderContext, draft: Draft) -> Iterator[DesiredMessage]:
    """A direct message to each person who may approve; groups are named in the draft's own message."""
    for user in draft.drafted.to:
        if user[:1] not in ("U", "W"):
            continue
        key, place = f"approve:{draft.name}:{user}", MessageTarget(TargetKind.PERSON, user)
        if draft.state is DraftState.DRAFTED and scene.incident.open:
            yield _approval(scene, draft, user, key, place)
        elif draft.approved_by == user and draft.approved_at:
            said = words.approved_direct(scene.incident.name, _audience(draft).lower(), scene.when(draft.approved_at))
            yield collapsed_message(key, said, place=place)
        else:
            yield withdrawn_message(key, place)


def _approval(scene: RenderContext, draft: Draft, user: str, key: str, place: MessageTarget) -> DesiredMessage:
    asked = words.approve_direct(scene.incident.name, scene.person_name(draft.drafted.by), _audience(draft).lower())
    others = tuple(one for one in draft.drafted.to if one != user)
    notes = [
        *_notes(scene, draft)[:-1],
        words.expires_for_one(scene.when(draft.drafted.expires), scene.person_names(others, "or")),
    ]
    blocks = [block_kit.section(asked), *text_blocks(scene, draft)]
    if before := last_approved(scene, draft, user):
        blocks.append(block_kit.context(difference(before.drafted.text, draft.drafted.text)))
    blocks += [block_kit.context(*notes), _buttons(scene, draft, discard=False)]
    return build_message(key, asked, blocks, place=place)


def last_approved(scene: RenderContext, draft: Draft, user: str) -> Draft | None:
    """The text that this person approved last, for the same audience, before this draft."""
    before = [
        one
        for one in scene.incident.drafts.values()
        if one.seq < draft.seq and one.approved_by == user and one.drafted.audience == draft.drafted.audience
    ]
    return max(before, key=lambda one: one.seq, default=None)


def difference(old: str, new: str) -> str:
    """Which sentences are new, and which are no longer there."""
    before, after = _sentences(old), _sentences(new)
    added = [text.escape_line(one) for one in after if one not in before]
    dropped = [text.escape_line(one) for one in before if one not in after]
    return text.clip(words.draft_difference([f"“{one}”" for one in added], [f"“{one}”" for one in dropped]), 2000)


def _sentences(words: str) -> list[str]:
    return [one.strip() for one in re.split(r"(?<=[.!?])\s+|\n+", words) if one.strip()]


# -- what went wrong ------------------------------------------------------------------------------


def _trouble(scene: RenderContext, draft: Draft) -> Iterator[DesiredMessage]:
    """Somebody has to look, or to write again: a new message that mentions who speaks to customers."""
    if not draft.approved_at:
        return
    key, to = f"trouble:{draft.name}", mention_prefix(scene, scene.incident.comms_lead or scene.incident.lead)
    if draft.state is DraftState.UNCERTAIN:
        said = words.uncertain(to, _audience(draft).lower())
        if _waits_for_hand(draft):
            said = words.by_hand(to, _audience(draft).lower(), scene.incident.private)
        there = scene.button(labels.IT_IS_THERE, "comms-there", DraftValue(draft=draft.name))
        missing = scene.button(labels.IT_IS_NOT, "comms-missing", DraftValue(draft=draft.name))
        yield build_message(
            key, said, (block_kit.section(said), *text_blocks(scene, draft)[1:], block_kit.actions(there, missing))
        )
    elif draft.state is DraftState.FAILED:
        said = words.failed(to, _audience(draft).lower(), text.clip(text.escape_line(draft.reason), 500))
        again = scene.button(labels.EDIT, "comms-edit", DraftValue(draft=draft.name, text_hash=draft.drafted.text_hash))
        yield build_message(key, said, (block_kit.section(said), block_kit.actions(again)))
    else:
        yield withdrawn_message(key)
