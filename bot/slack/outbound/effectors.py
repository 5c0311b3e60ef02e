"""Slack's effectors: the channel, who is in it, messages, pins, files. One table, by the kind of the call."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import structlog

from bot.domain import channel
from bot.domain.effect import Effect, EffectKind, EffectState
from bot.domain.incident import Incident
from bot.ports import CallRefused, Room
from bot.reconciler import TOKEN_REVOKED_CODES, after_restore, delivery_state
from bot.reconciler.effector import Effector, Execution
from bot.reconciler.plan import UNEDITABLE_CODES, Call, postmortem_key

log = structlog.get_logger(__name__)

RenderPostmortem = Callable[[Incident], Awaitable[tuple[str, str]]]  # the postmortem: (file name, Markdown)

#: names tried for a channel before Slack's "name_taken" counts as a refusal
MAX_CHANNEL_NAMES = 20
BOOKMARK_TITLE = "Incident card"


def slack_effectors(room: Room, render_postmortem: RenderPostmortem) -> dict[EffectKind, Effector]:
    """What makes Slack's calls in one workspace. They stay inside it, so a drill makes them as well."""
    there, messages, files = ChannelCalls(room), MessageCalls(room), FileCalls(room, render_postmortem)
    return {
        EffectKind.CHANNEL: Effector({Call.OPEN: there.open, Call.LOOK: there.look}),
        EffectKind.TOPIC: Effector({Call.TOPIC: there.set_topic}),
        EffectKind.RENAME: Effector({Call.RENAME: there.rename}),
        EffectKind.INVITES: Effector({Call.INVITE: there.invite}),
        EffectKind.MESSAGE: Effector(
            {
                Call.DIRECT: messages.direct, Call.POST: messages.post, Call.EDIT: messages.edit,
                Call.DELETE: messages.delete, Call.MOVE: messages.move, Call.LOOK: messages.look,
                Call.TWIN: messages.check_duplicate,
            }
        ),
        EffectKind.PIN: Effector({Call.PIN: messages.pin}),
        EffectKind.BOOKMARK: Effector({Call.BOOKMARK: messages.bookmark}),
        EffectKind.FILE: Effector({Call.UPLOAD: files.upload, Call.SHARE: files.share, Call.LOOK: files.look}),
        EffectKind.HOME: Effector({Call.HOME: messages.publish_home}),
        EffectKind.FILE_DELETED: Effector({Call.DISCARD: files.discard}),
    }  # fmt: skip


class ChannelCalls:
    """An incident's channel, its topic and name, and who is in it."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def open(self, run: Execution) -> Effect:
        """One name at a time: it is written down before it is asked for."""
        incident, effect, name = run.incident, run.effect, run.hash
        try:
            id, given = await self._room.open_channel(name, incident.private)
        except CallRefused as refusal:
            if refusal.code in TOKEN_REVOKED_CODES:
                raise
            if refusal.code != "name_taken":
                return await _no_channel(run, refusal.code)
            # Somebody else's channel is never adopted; our own of an attempt whose answer was lost is.
            own = await self._room.find_channel(name, effect.started_at) if effect.attempts else None
            if own is not None:
                return await _opened(run, own, name)
            names = [channel.name(incident, number) for number in range(MAX_CHANNEL_NAMES)]
            following = names.index(name) + 1 if name in names else 0
            if following >= MAX_CHANNEL_NAMES:
                return await _no_channel(run, refusal.code)
            return delivery_state.waiting(replace(effect, hash=names[following]))
        return await _opened(run, id, given)

    async def look(self, run: Execution) -> Effect:
        """Look for the channel that an attempt without an answer may have opened."""
        incident, effect = run.incident, run.effect
        if incident.channel:
            return replace(delivery_state.sent(effect, effect.hash), channel=incident.channel)
        id = await self._room.find_channel(effect.hash, effect.started_at)
        return await _opened(run, id, effect.hash) if id is not None else delivery_state.not_found(effect, run.now())

    async def set_topic(self, run: Execution) -> Effect:
        """Severity, status and lead in the channel's header."""
        await self._room.set_topic(run.incident.channel, run.planned.text)
        return delivery_state.sent(run.effect, run.hash)

    async def rename(self, run: Execution) -> Effect:
        """The name may be somebody's already; or our own, where an attempt's answer was lost."""
        wanted = run.planned.text
        for suffix in ("", *(f"-{number}" for number in range(2, MAX_CHANNEL_NAMES))):
            try:
                await self._room.rename(run.incident.channel, wanted[: channel.MAX_NAME_CHARS - len(suffix)] + suffix)
                break
            except CallRefused as refusal:
                if refusal.code != "name_taken":
                    raise
                if run.effect.attempts:
                    break
        return delivery_state.sent(run.effect, run.hash)

    async def invite(self, run: Execution) -> Effect:
        """Bring people in; who could not be is recorded."""
        people = run.planned.people
        if not people:
            return delivery_state.sent(run.effect, run.hash)
        refused = await self._room.invite(run.incident.channel, people)
        await run.record(
            "invited", lambda i, *, by, at: channel.record_invited(i, users=people, refused=refused, by=by, at=at)
        )
        return delivery_state.sent(run.effect, run.hash)


async def _opened(run: Execution, id: str, name: str) -> Effect:
    await run.record(
        "channel opened", lambda i, *, by, at: channel.record_opened(i, channel=id, name=name, by=by, at=at)
    )
    return replace(delivery_state.sent(run.effect, name), channel=id)


async def _no_channel(run: Execution, code: str) -> Effect:
    await run.record("channel refused", partial(channel.record_refused, error=code))
    return delivery_state.parked(run.effect, run.effect.hash, code, run.now())


class MessageCalls:
    """Messages, and what is done with them."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def direct(self, run: Execution) -> Effect:
        """Where one talks with a person: known before the message is begun, so that it can be looked for there."""
        assert run.planned.message is not None
        where = await self._room.direct(run.planned.message.target.user)
        known = replace(run.effect, channel=where)
        return known if known.state in delivery_state.UNCERTAIN_STATES else delivery_state.waiting(known)

    async def post(self, run: Execution) -> Effect:
        """Send it. After a failed attempt its twin is looked for once more."""
        effect, message = run.effect, run.planned.message
        assert message is not None
        ts = await self._room.post(effect.channel, effect.thread_ts, message.text, message.blocks, effect.id)
        sent = delivery_state.sent(effect, run.hash, ts=ts)
        return replace(sent, next_try_at=run.now() + delivery_state.DUPLICATE_CHECK_DELAY) if effect.attempts else sent

    async def edit(self, run: Execution) -> Effect:
        """Change it in place. One that somebody deleted is sent anew where it stands for the whole incident."""
        effect, message = run.effect, run.planned.message
        assert message is not None
        try:
            await self._room.edit(effect.channel, effect.ts, message.text, message.blocks)
        except CallRefused as refusal:
            if refusal.code not in UNEDITABLE_CODES:
                raise
            if effect.lasting:
                return delivery_state.with_new_id(effect)
            return delivery_state.refused(effect, run.hash, refusal.code)
        # A twin is still looked for at its time, however often the message changes before.
        return replace(delivery_state.sent(effect, run.hash), next_try_at=delivery_state.duplicate_check_at(effect))

    async def delete(self, run: Execution) -> Effect:
        """Take it away."""
        effect = run.effect
        await self._room.delete(effect.channel, effect.ts)
        if delivery_state.duplicate_check_at(effect) is not None:  # its twin has to go as well
            return replace(effect, ts="", hash=run.hash)
        return delivery_state.with_new_id(effect, EffectState.SENT, run.hash)

    async def move(self, run: Execution) -> Effect:
        """Take it away where it stands; it is sent anew beneath its new parent."""
        try:
            await self._room.delete(run.effect.channel, run.effect.ts)
        except CallRefused as refusal:
            if refusal.code in TOKEN_REVOKED_CODES:
                raise
            log.warning(
                "slack.refused", call="move", key=run.effect.key, code=refusal.code, incident=run.effect.incident_id
            )
        return delivery_state.with_new_id(run.effect)

    async def look(self, run: Execution) -> Effect:
        """Look for the message that an attempt without an answer may have sent."""
        effect = run.effect
        if not (ts := await self._find(effect)):
            return delivery_state.not_found(effect, run.now())
        found = delivery_state.sent(effect, after_restore.known_hash(effect), ts=ts)
        # Of several attempts the others may come through after this look.
        if effect.attempts > 1:
            return replace(found, next_try_at=run.now() + delivery_state.DUPLICATE_CHECK_DELAY)
        return found

    async def check_duplicate(self, run: Execution) -> Effect:
        """A message that was sent anew: its first attempt may have come through since."""
        ts, known = await self._find(run.effect), run.effect
        # The one that stays may never have been changed since it was sent.
        return replace(known, ts=ts or known.ts, hash=known.hash if ts in ("", known.ts) else "", next_try_at=None)

    async def _find(self, effect: Effect) -> str:
        """The ts of our message, empty where there is none; copies that came after it are deleted."""
        found = await self._room.find(effect.channel, effect.thread_ts, effect.id, effect.started_at)
        for copy in found[1:]:
            log.warning("message.twice", key=effect.key, incident=effect.incident_id)
            await self._room.delete(effect.channel, copy)
        return found[0] if found else ""

    async def publish_home(self, run: Execution) -> Effect:
        """Show a person's Home. A refusal is an outcome: it is tried again when they open it, or it looks different."""
        home = run.planned.message
        assert home is not None
        try:
            await self._room.publish_home(home.target.user, home.blocks)
        except CallRefused as refusal:
            if refusal.code in TOKEN_REVOKED_CODES:
                raise
            log.warning("slack.refused", call="home", key=run.effect.key, code=refusal.code)
            return delivery_state.refused(run.effect, run.hash, refusal.code)
        return delivery_state.sent(run.effect, run.hash)

    async def pin(self, run: Execution) -> Effect:
        """Pin it in its channel."""
        await self._room.pin(run.effect.channel, run.planned.text)
        return delivery_state.sent(run.effect, run.hash)

    async def bookmark(self, run: Execution) -> Effect:
        """A link to it in the channel's bookmarks. It looks by itself whether one of an earlier attempt is there."""
        effect = run.effect
        first = not effect.ts and not effect.attempts
        await self._room.bookmark(effect.channel, BOOKMARK_TITLE, run.planned.text, look=not first)
        return delivery_state.sent(effect, run.hash, ts=run.planned.text)


class FileCalls:
    """The postmortem's file."""

    def __init__(self, room: Room, render_postmortem: RenderPostmortem) -> None:
        self._room, self._render_postmortem = room, render_postmortem

    async def upload(self, run: Execution) -> Effect:
        """Hand over bytes that nobody sees yet."""
        name, content = await self._render_postmortem(run.incident)
        file = await self._room.upload(name, content)
        digest = hashlib.sha256(content.encode()).hexdigest()
        return delivery_state.waiting(replace(run.effect, ts=file, hash=digest))

    async def share(self, run: Execution) -> Effect:
        """Put the file into the channel."""
        effect = run.effect
        try:
            link = await self._room.share(effect.channel, "", effect.ts, f"{run.incident.name} postmortem draft")
        except CallRefused as refusal:
            if refusal.code != "file_not_found":
                raise
            # Shared by an earlier attempt after all, or thrown away by Slack because nobody shared it in time.
            found = await self._room.find_file(effect.channel, effect.ts, effect.started_at)
            if found is None:
                return delivery_state.retry(replace(effect, ts=""), run.hash, refusal.code, run.now())
            link = found
        return await _shared(run, link)

    async def look(self, run: Execution) -> Effect:
        """Look whether an attempt without an answer has shared it."""
        effect = run.effect
        link = await self._room.find_file(effect.channel, effect.ts, effect.started_at)
        return delivery_state.not_found(effect, run.now()) if link is None else await _shared(run, link)

    async def discard(self, run: Execution) -> Effect:
        """Delete a file that told what was redacted since."""
        await self._room.discard(run.planned.text)
        return delivery_state.sent(run.effect, run.hash)


async def _shared(run: Execution, link: str) -> Effect:
    file, seq = run.effect.ts, run.incident.postmortem_seq
    # One that an earlier version uploaded has the number of its event there.
    digest = run.hash if len(run.hash) == hashlib.sha256().digest_size * 2 else ""
    if run.effect.key == postmortem_key(run.incident):
        await run.record(
            "postmortem shared",
            lambda i, *, by, at: channel.record_postmortem_shared(
                i, file=file, written=seq, text_hash=digest, link=link, by=by, at=at
            ),
        )
    return delivery_state.sent(run.effect, run.hash)
