"""Help, drawn from the table of acts."""

from __future__ import annotations

from bot.slack.requests.arguments import Arguments, ParseResult
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.acts import ACT_OF_WORD, ACTS, Act, Group

MAX_HELP_CHARS = 3800


def read_help(text: str, call: Request) -> ParseResult:
    """A verb, or nothing for the whole list."""
    word = text.lower()
    return Arguments({"verb": word}) if not word or word in ACT_OF_WORD else None


async def help(call: Request, verb: str = "") -> Reply:
    """The list of verbs, or one of them."""
    command = call.services.command
    if verb:
        act = ACT_OF_WORD[verb]
        also = f" Also: {', '.join(ACTS[act].aliases)}." if ACTS[act].aliases else ""
        return Reply(f"{usage(call, act)}{also}")
    head = f"`{command}` alone opens what fits here. In threads, mention me instead: `@incident note …`."
    parts = [head, *(f"*{group}*\n" + "\n".join(_lines(call, group)) for group in Group)]
    return Reply(
        "\n\n".join(parts)[:MAX_HELP_CHARS], block_kit.fit_message([block_kit.section(part) for part in parts])
    )


def _lines(call: Request, group: Group) -> list[str]:
    lines = []
    for act, declared in ACTS.items():
        if declared.group is group:
            also = f" ({', '.join(declared.aliases)})" if declared.aliases else ""
            lines.append(f"`{_typed(call, act)}`{also} {declared.description}")
    return lines


def usage(call: Request, act: Act) -> str:
    """One line on how to type an act."""
    return f"Type `{_typed(call, act)}`. {ACTS[act].description}"


def _typed(call: Request, act: Act) -> str:
    services = call.services
    return f"{services.command} {act} {ACTS[act].usage_with(services.policy, services.probes)}".rstrip()
