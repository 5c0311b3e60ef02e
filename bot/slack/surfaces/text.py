"""Words on their way into Slack: escaped, cut, dated; nothing that people wrote can notify anybody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from bot.domain.actor import is_program
from bot.domain.names import join_names as join_names
from bot.domain.roles import ROLES
from bot.domain.time_text import clock_time

#: one visible character: an entity, a piece of Slack's markup, or a character
_PIECES = re.compile(r"&(?:amp|lt|gt);|<[^<>\n]*>|.", re.DOTALL)
#: control characters but the line break, the marks that turn the direction of the text around them, lone surrogates
_HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without control characters (line breaks stay) and without marks that turn its direction."""
    return _HARMFUL.sub("", text)


def replace_markup(text: str) -> str:
    """Slack's own markup for people, channels and links, as it reaches us, as the words that people saw.

    `<@U1|ben>` becomes "@ben", `<#C1|payments>` "#payments", `<https://x.example|there>` "there (https://x.example)".
    """
    text = re.sub(r"<@([A-Z0-9]+)(?:\|([^<>|]*))?>", lambda found: f"@{found[2] or found[1]}", text)
    text = re.sub(r"<#([A-Z0-9]+)(?:\|([^<>|]*))?>", lambda found: f"#{found[2] or found[1]}", text)
    return re.sub(r"<(https?://[^<>|\s]+)(?:\|([^<>|]*))?>", _link, text)


def _link(found: re.Match[str]) -> str:
    return f"{found[2]} ({found[1]})" if found[2] and found[2] not in found[1] else found[1]


def unescape(text: str) -> str:
    """What people typed, from the form in which Slack hands over commands and messages: the reverse of `escape`.

    Slack escapes three characters there (https://docs.slack.dev/messaging/formatting-message-text) but not in forms.
    """
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """The text as mrkdwn that neither notifies nor links: https://docs.slack.dev/messaging/formatting-message-text.

    Slack knows no escape for `*`, `_`, `~` and the backtick: what people wrote may look bold, nothing worse.
    """
    return clean(replace_markup(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_line(text: str) -> str:
    """Escaped, and on one line: what people wrote cannot begin a line that looks like the bot's."""
    return escape(" ".join(text.split()))


def role_phrase(role: str) -> str:
    """A role within a sentence: "the lead"; one that is not known as it was written."""
    return ROLES.get(role) or escape_line(role)


def quoted(text: str) -> str:
    """Escaped, each line marked as a quotation."""
    return "\n".join(f"> {escape(one)}" for one in text.strip().splitlines() or [""])


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of mrkdwn, an ellipsis at the end where something was cut.

    Never cuts inside an entity or inside markup: half of `&lt;!channel&gt;` or of `<@U1>` would say something else.
    """
    if len(text) <= limit:
        return text
    kept: list[str] = []
    left = limit - 1
    for piece in _PIECES.findall(text):
        if len(piece) > left:
            break
        kept.append(piece)
        left -= len(piece)
    return "".join(kept) + "…"


def link(address: str) -> str:
    """An address (http, https) as a link that shows where it leads; empty for anything else, and for a redacted one."""
    return labelled_link(address, urlsplit(address).netloc.rpartition("@")[2]) if _is_web(address) else ""


def labelled_link(address: str, label: str) -> str:
    """An address of Slack's own as a link under our words; empty where it is none."""
    return f"<{clean(address).replace('&', '&amp;')}|{escape(label)}>" if _is_web(address) else ""


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s<>|]", address)


def when(at: datetime, now: datetime) -> str:
    """ "14:32 UTC (15:32 yours)": UTC written out, then the reader's own time by Slack's date markup.

    `now` decides only whether a weekday is needed. Not for headers and buttons, where markup does not work.
    """
    own = "{time}" if at.date() == now.date() else "{date_short_pretty} {time}"
    return f"{clock_time(at, now)} (<!date^{int(at.timestamp())}^{own} yours|{at:%H:%M} UTC>)"


def without_date_markup(mrkdwn: str) -> str:
    """Without the reader's own times, which a notification cannot work out: "14:32 UTC"."""
    return re.sub(r" \(<!date\^[^<>]*>\)", "", mrkdwn)


def mention(id: str) -> str:
    """The markup that notifies a person, or a user group (ids that begin with S); programs are only named."""
    if id.startswith("S"):
        return f"<!subteam^{escape(id)}>"
    if not id or is_program(id):
        return person_name(id, {})
    return f"<@{escape(id)}>"


def mentions(ids: Iterable[str]) -> str:
    """Everybody notified: "<@U1>, <@U2> and <@U3>"."""
    return join_names([mention(id) for id in ids])


def person_name(id: str, names: Mapping[str, str]) -> str:
    """The name, which notifies nobody; the mention where no name is known, so that a reader still sees who."""
    if not id:
        return "somebody"  # whoever it was stood in an entry that has been redacted
    if id == "bot":
        return "the bot"
    if id.startswith("cli:"):
        return f"{escape_line(id[4:])} (command line)"
    if id.startswith("alert:"):
        return f"{escape_line(id[6:])} (alert)"
    return escape_line(names[id]) if names.get(id, "").strip() else mention(id)


def with_full_stop(text: str) -> str:
    """The text with a full stop, where it does not end a sentence already."""
    stripped = text.rstrip()
    return stripped if stripped.endswith((".", "!", "?", "…", ":")) else f"{stripped}."


def capitalized(text: str) -> str:
    """The text with a capital at its beginning; the rest stays as it is."""
    return text[:1].upper() + text[1:]
