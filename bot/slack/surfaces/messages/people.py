"""Messages to the people an incident needs: brought in, called, asked about a role or the severity."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import Message, Place
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import INVITES, calling, message, ping, small, withdrawn
from bot.slack.surfaces.render_context import Scene
from bot.slack.surfaces.words import channel as words


def hails(scene: Scene) -> Iterator[Message]:
    """Responders are mentioned once, when they are in the channel; those whom a worse severity adds, then."""
    known: set[str] = set()
    for entry in scene.incident.moments:
        event = entry.event
        if isinstance(event, e.Declared | e.SeverityChanged):
            new = [user for user in event.responders if user not in known]
            known.update(new)
            severity = event.severity if isinstance(event, e.Declared) else event.new
            if new:
                yield _hail(scene, "hail" if isinstance(event, e.Declared) else f"hail:{entry.seq}", new, severity)


def _hail(scene: Scene, key: str, users: list[str], severity: str) -> Message:
    incident = scene.incident
    title, lead = text.line(incident.title), words.leads(scene.who(incident.lead) if incident.lead else "")
    name = scene.policy.severity(severity).name
    return message(
        key, words.hail(ping(scene, users), name, title, text.begin(lead)), after=(INVITES,),
        standing=incident.open,
    )  # fmt: skip


def questions(scene: Scene) -> Iterator[Message]:
    """What the lead is asked while the facts are thin: which runbook, which severity."""
    incident = scene.incident
    if incident.guess_seq:
        yield _guess(scene) if incident.guess and incident.open else withdrawn("guess")
    if incident.severity_asked:
        waits = incident.open and incident.severity_assumed
        yield _severity_ask(scene) if waits else withdrawn("severity-ask")


def _guess(scene: Scene) -> Message:
    guess = scene.incident.guess
    pairs = list(zip(guess.slugs, guess.titles, strict=False))[:3] if guess else []
    titles = [text.line(title or slug) for slug, title in pairs]
    sentence = words.guess(calling(scene, scene.incident.lead), text.listed(titles, "or"))
    buttons = [
        block_kit.button(title or slug, f"inc:attach:{position}", scene.value(r=block_kit.ref(slug)))
        for position, (slug, title) in enumerate(pairs)
    ]
    return message(
        "guess",
        sentence,
        (block_kit.section(sentence), block_kit.actions(*buttons, scene.button(words.NONE, "decline"))),
    )


def _severity_ask(scene: Scene) -> Message:
    incident, assumed = scene.incident, scene.severity
    to = ping(scene, (incident.lead,)) or words.SOMEBODY
    sentence = words.severity_ask(to, assumed.name)
    meanings = [f"*{one.name}*: {text.line(one.meaning)}" for one in scene.policy.severities]
    first = scene.button(words.keep(assumed.name), f"sev:{assumed.key}", sev=assumed.key)
    others = [
        scene.button(one.name, f"sev:{one.key}", sev=one.key)
        for one in scene.policy.severities
        if one.key != assumed.key
    ]
    blocks = (block_kit.section(sentence), block_kit.context("\n".join(meanings)), block_kit.actions(first, *others))
    return message("severity-ask", sentence, blocks)


def calls(scene: Scene) -> Iterator[Message]:
    """Who was mentioned because nobody answered, or because somebody asked for the next level."""
    incident = scene.incident
    unanswered = [entry.seq for entry in incident.moments if isinstance(entry.event, e.NobodyAnswered)]
    for entry in incident.moments:
        event = entry.event
        if isinstance(event, e.NobodyAnswered):
            key = f"nobody:{entry.seq}"
            if incident.open and not incident.acknowledged_by:
                yield _nobody(scene, key, event)
            elif entry.seq == unanswered[-1] and incident.acknowledged_by and incident.acknowledged_at:
                who, when = scene.who(incident.acknowledged_by), scene.when(incident.acknowledged_at)
                yield small(key, words.answered(who, when))
            else:
                yield withdrawn(key)
        elif isinstance(event, e.Escalated):
            to = ping(scene, [user for user in event.to if user != event.by]) or words.SOMEBODY
            sentence = words.escalated(scene.who(event.by), to, text.line(event.reason))
            yield message(f"nobody:{entry.seq}", sentence, after=(INVITES,), standing=incident.open)


def _nobody(scene: Scene, key: str, event: e.NobodyAnswered) -> Message:
    incident = scene.incident
    since = scene.when(incident.declared_at or event.at, event.at)
    to, title = ping(scene, event.to) or words.SOMEBODY, text.line(incident.title)
    sentence = words.nobody_answered(incident.name, scene.severity.name, title, since, to)
    have = block_kit.actions(scene.button(words.I_HAVE_IT, "ack", style="primary"))
    return message(
        key, sentence, (block_kit.section(sentence), block_kit.context(words.NO_PAGER), have), after=(INVITES,)
    )


# -- roles ----------------------------------------------------------------------------------------


def offers(scene: Scene) -> Iterator[Message]:
    """The holder of a role is asked; afterwards one line says how it went."""
    incident = scene.incident
    for position, entry in enumerate(incident.moments):
        if not isinstance(entry.event, e.RoleOffered):
            continue
        offered, key = entry.event, f"offer:{entry.seq}"
        current = incident.offers.get(offered.role)
        if incident.open and current and current.seq == entry.seq:
            yield _offer(scene, key, offered, incident.roles.get(offered.role, ""))
            continue
        line = words.OFFER_OVER
        for later in incident.moments[position + 1 :]:
            event = later.event
            if isinstance(event, e.RoleTaken | e.RoleKept | e.RoleOffered) and event.role == offered.role:
                line = _settled(scene, event)
                break
        yield small(key, line)


def _offer(scene: Scene, key: str, offered: e.RoleOffered, holder: str) -> Message:
    role, until = words.ROLE.get(offered.role, text.line(offered.role)), scene.when(offered.until, offered.at)
    sentence = words.offer(ping(scene, (holder,)) or words.SOMEBODY, scene.who(offered.to), role, until)
    fine, not_yet = (
        scene.button(words.FINE, "fine", o=offered.role),
        scene.button(words.NOT_YET, "not-yet", o=offered.role),
    )
    return message(key, sentence, (block_kit.section(sentence), block_kit.actions(fine, not_yet)))


def _settled(scene: Scene, event: e.RoleTaken | e.RoleKept | e.RoleOffered) -> str:
    role = words.ROLE.get(event.role, text.line(event.role))
    if isinstance(event, e.RoleTaken) and event.user:
        return words.offer_taken(scene.who(event.user), role, scene.when(event.at))
    kept = isinstance(event, e.RoleKept) and event.by != "bot"  # the bot ends an offer to somebody who cannot act
    return words.offer_kept(scene.who(event.by), role) if kept else words.OFFER_OVER


def jobs(scene: Scene) -> Iterator[Message]:
    """Whoever takes a role after the declaration gets three lines on the job, privately."""
    incident = scene.incident
    latest = {entry.event.role: entry.seq for entry in incident.moments if isinstance(entry.event, e.RoleTaken)}
    for entry in incident.moments:
        event = entry.event
        if not isinstance(event, e.RoleTaken) or not _person(event.user):
            continue
        if (event.user, event.at) == (incident.declared_by, incident.declared_at):
            continue  # the declarer leads from the start, and knows it
        sentence = " ".join(lines := words.job(incident.name, event.role, text.line(scene.setup.command)))
        place = Place("person", event.user)
        standing = incident.open and latest[event.role] == entry.seq
        yield message(
            f"role:{entry.seq}", sentence, (block_kit.section("\n".join(lines)),), place=place, standing=standing
        )


def _person(user: str) -> bool:
    """Whether a direct message can reach this id: a user's, not a group's, a program's or nobody's."""
    return user[:1] in ("U", "W")


def silences(scene: Scene) -> Iterator[Message]:
    """A lead of whom nothing was seen is asked, until something is."""
    incident = scene.incident
    for entry in incident.moments:
        event = entry.event
        if not isinstance(event, e.LeadSilent):
            continue
        key, seen = f"silent:{entry.seq}", incident.lead_seen_at
        if not incident.open or incident.lead != event.to or seen is None or seen > event.at:
            yield withdrawn(key)
            continue
        sentence = words.silent(ping(scene, (event.to,)), incident.name, scene.when(seen, event.at))
        buttons = (scene.button(words.STILL_HERE, "here"), scene.button(words.HAND_OVER, "handover"))
        yield message(key, sentence, (block_kit.section(sentence), block_kit.actions(*buttons)))


def losses(scene: Scene) -> Iterator[Message]:
    """The lead is told directly when the channel of an open incident cannot be used: nothing can be said there."""
    incident, lead = scene.incident, ""
    lost = [entry.seq for entry in incident.moments if isinstance(entry.event, e.ChannelLost)]
    for entry in incident.moments:
        event = entry.event
        if isinstance(event, e.RoleTaken) and event.role == "lead":
            lead = event.user
        elif isinstance(event, e.ChannelLost) and _person(to := lead or incident.declared_by):
            key, place = f"lost:{entry.seq}", Place("person", to)
            if incident.open and incident.channel_lost and entry.seq == lost[-1]:
                yield message(key, words.still_open(incident.name, event.reason), place=place)
            else:
                yield withdrawn(key, place)


def secrets(scene: Scene) -> Iterator[Message]:
    """The lead of that moment learns that somebody's text held a secret: the fact, never the value."""
    lead = ""
    for entry in scene.incident.moments:
        event = entry.event
        if isinstance(event, e.RoleTaken) and event.role == "lead":
            lead = event.user
        elif isinstance(event, e.SecretRefused) and _person(lead) and lead != event.by:
            said = words.secret_refused(text.line(event.kind), text.line(event.where), scene.who(event.by))
            yield message(f"secret:{entry.seq}", f"{scene.incident.name}: {said}", place=Place("person", lead))
