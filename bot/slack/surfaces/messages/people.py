"""Messages to the people an incident needs: brought in, called, asked about a role or the severity."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage, MessageTarget
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import (
    INVITES,
    build_message,
    collapsed_message,
    mention_prefix,
    mention_users,
    withdrawn_message,
)
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import channel as words


def responder_mentions(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Responders are mentioned once, when they are in the channel; those whom a worse severity adds, then."""
    known: set[str] = set()
    for entry in scene.incident.announced_entries:
        event = entry.event
        if isinstance(event, e.Declared | e.SeverityChanged):
            new = [user for user in event.responders if user not in known]
            known.update(new)
            severity = event.severity if isinstance(event, e.Declared) else event.new
            if new:
                yield _responder_mention(
                    scene, "hail" if isinstance(event, e.Declared) else f"hail:{entry.seq}", new, severity
                )


def _responder_mention(scene: RenderContext, key: str, users: list[str], severity: str) -> DesiredMessage:
    incident = scene.incident
    title, lead = (
        text.escape_line(incident.title),
        words.leads(scene.person_name(incident.lead) if incident.lead else ""),
    )
    name = scene.policy.severity(severity).name
    return build_message(
        key, words.responders_called(mention_users(scene, users), name, title, text.capitalized(lead)), after=(INVITES,
        ), standing=incident.open,
    )  # fmt: skip


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
        block_kit.button(title or slug, f"inc:attach:{position}", scene.value(r=block_kit.slug_ref(slug)))
        for position, (slug, title) in enumerate(pairs)
    ]
    return build_message(
        "guess",
        sentence,
        (block_kit.section(sentence), block_kit.actions(*buttons, scene.button(words.NONE, "decline"))),
    )


def _severity_ask(scene: RenderContext) -> DesiredMessage:
    incident, assumed = scene.incident, scene.severity
    to = mention_users(scene, (incident.lead,)) or words.SOMEBODY
    sentence = words.severity_ask(to, assumed.name)
    meanings = [f"*{one.name}*: {text.escape_line(one.meaning)}" for one in scene.policy.severities]
    first = scene.button(words.keep_severity(assumed.name), f"sev:{assumed.key}", sev=assumed.key)
    others = [
        scene.button(one.name, f"sev:{one.key}", sev=one.key)
        for one in scene.policy.severities
        if one.key != assumed.key
    ]
    blocks = (block_kit.section(sentence), block_kit.context("\n".join(meanings)), block_kit.actions(first, *others))
    return build_message("severity-ask", sentence, blocks)


def escalations(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Who was mentioned because nobody answered, or because somebody asked for the next level."""
    incident = scene.incident
    unanswered = [entry.seq for entry in incident.announced_entries if isinstance(entry.event, e.NobodyAnswered)]
    for entry in incident.announced_entries:
        event = entry.event
        if isinstance(event, e.NobodyAnswered):
            key = f"nobody:{entry.seq}"
            if incident.open and not incident.acknowledged_by:
                yield _nobody(scene, key, event)
            elif entry.seq == unanswered[-1] and incident.acknowledged_by and incident.acknowledged_at:
                who, when = scene.person_name(incident.acknowledged_by), scene.when(incident.acknowledged_at)
                yield collapsed_message(key, words.answered(who, when))
            else:
                yield withdrawn_message(key)
        elif isinstance(event, e.Escalated):
            to = mention_users(scene, [user for user in event.to if user != event.by]) or words.SOMEBODY
            sentence = words.escalated(scene.person_name(event.by), to, text.escape_line(event.reason))
            yield build_message(f"nobody:{entry.seq}", sentence, after=(INVITES,), standing=incident.open)


def _nobody(scene: RenderContext, key: str, event: e.NobodyAnswered) -> DesiredMessage:
    incident = scene.incident
    since = scene.when(incident.declared_at or event.at, event.at)
    to, title = mention_users(scene, event.to) or words.SOMEBODY, text.escape_line(incident.title)
    sentence = words.nobody_answered(incident.name, scene.severity.name, title, since, to)
    have = block_kit.actions(scene.button(words.I_HAVE_IT, "ack", style="primary"))
    return build_message(
        key, sentence, (block_kit.section(sentence), block_kit.context(words.NO_PAGER), have), after=(INVITES,)
    )


# -- roles ----------------------------------------------------------------------------------------


def offers(scene: RenderContext) -> Iterator[DesiredMessage]:
    """The holder of a role is asked; afterwards one line says how it went."""
    incident = scene.incident
    for position, entry in enumerate(incident.announced_entries):
        if not isinstance(entry.event, e.RoleOffered):
            continue
        offered, key = entry.event, f"offer:{entry.seq}"
        current = incident.offers.get(offered.role)
        if incident.open and current and current.seq == entry.seq:
            yield _offer(scene, key, offered, incident.roles.get(offered.role, ""))
            continue
        line = words.OFFER_OVER
        for later in incident.announced_entries[position + 1 :]:
            event = later.event
            if isinstance(event, e.RoleTaken | e.RoleKept | e.RoleOffered) and event.role == offered.role:
                line = _role_offer_outcome(scene, event)
                break
        yield collapsed_message(key, line)


def _offer(scene: RenderContext, key: str, offered: e.RoleOffered, holder: str) -> DesiredMessage:
    role, until = words.ROLE.get(offered.role, text.escape_line(offered.role)), scene.when(offered.until, offered.at)
    sentence = words.offer(
        mention_users(scene, (holder,)) or words.SOMEBODY, scene.person_name(offered.to), role, until
    )
    fine, not_yet = (
        scene.button(words.FINE, "fine", o=offered.role),
        scene.button(words.NOT_YET, "not-yet", o=offered.role),
    )
    return build_message(key, sentence, (block_kit.section(sentence), block_kit.actions(fine, not_yet)))


def _role_offer_outcome(scene: RenderContext, event: e.RoleTaken | e.RoleKept | e.RoleOffered) -> str:
    role = words.ROLE.get(event.role, text.escape_line(event.role))
    if isinstance(event, e.RoleTaken) and event.user:
        return words.offer_taken(scene.person_name(event.user), role, scene.when(event.at))
    kept = isinstance(event, e.RoleKept) and event.by != "bot"  # the bot ends an offer to somebody who cannot act
    return words.offer_kept(scene.person_name(event.by), role) if kept else words.OFFER_OVER


def role_briefings(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Whoever takes a role after the declaration gets three lines on the job, privately."""
    incident = scene.incident
    latest = {
        entry.event.role: entry.seq for entry in incident.announced_entries if isinstance(entry.event, e.RoleTaken)
    }
    for entry in incident.announced_entries:
        event = entry.event
        if not isinstance(event, e.RoleTaken) or not _person(event.user):
            continue
        if (event.user, event.at) == (incident.declared_by, incident.declared_at):
            continue  # the declarer leads from the start, and knows it
        sentence = " ".join(
            lines := words.role_briefing(incident.name, event.role, text.escape_line(scene.environment.command))
        )
        place = MessageTarget("person", event.user)
        standing = incident.open and latest[event.role] == entry.seq
        yield build_message(
            f"role:{entry.seq}", sentence, (block_kit.section("\n".join(lines)),), place=place, standing=standing
        )


def _person(user: str) -> bool:
    """Whether a direct message can reach this id: a user's, not a group's, a program's or nobody's."""
    return user[:1] in ("U", "W")


def lead_silences(scene: RenderContext) -> Iterator[DesiredMessage]:
    """A lead of whom nothing was seen is asked, until something is."""
    incident = scene.incident
    for entry in incident.announced_entries:
        event = entry.event
        if not isinstance(event, e.LeadSilent):
            continue
        key, seen = f"silent:{entry.seq}", incident.lead_seen_at
        if not incident.open or incident.lead != event.to or seen is None or seen > event.at:
            yield withdrawn_message(key)
            continue
        sentence = words.silent(mention_users(scene, (event.to,)), incident.name, scene.when(seen, event.at))
        buttons = (scene.button(words.STILL_HERE, "here"), scene.button(words.HAND_OVER, "handover"))
        yield build_message(key, sentence, (block_kit.section(sentence), block_kit.actions(*buttons)))


def channel_losses(scene: RenderContext) -> Iterator[DesiredMessage]:
    """The lead is told directly when the channel of an open incident cannot be used: nothing can be said there."""
    incident, lead = scene.incident, ""
    lost = [entry.seq for entry in incident.announced_entries if isinstance(entry.event, e.ChannelLost)]
    for entry in incident.announced_entries:
        event = entry.event
        if isinstance(event, e.RoleTaken) and event.role == "lead":
            lead = event.user
        elif isinstance(event, e.ChannelLost) and _person(to := lead or incident.declared_by):
            key, place = f"lost:{entry.seq}", MessageTarget("person", to)
            if incident.open and incident.channel_lost and entry.seq == lost[-1]:
                yield build_message(key, words.still_open(incident.name, event.reason), place=place)
            else:
                yield withdrawn_message(key, place)


def secret_refusals(scene: RenderContext) -> Iterator[DesiredMessage]:
    """The lead of that moment learns that somebody's text held a secret: the fact, never the value."""
    lead = ""
    for entry in scene.incident.announced_entries:
        event = entry.event
        if isinstance(event, e.RoleTaken) and event.role == "lead":
            lead = event.user
        elif isinstance(event, e.SecretRefused) and _person(lead) and lead != event.by:
            said = words.secret_refused(
                text.escape_line(event.kind), text.escape_line(event.where), scene.person_name(event.by)
            )
            yield build_message(
                f"secret:{entry.seq}", f"{scene.incident.name}: {said}", place=MessageTarget("person", lead)
            )
