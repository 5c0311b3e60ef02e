"""What people, files and profiles say is data: in nothing that reaches Slack or an export does it call, link or run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from bot import export
from localslack import Message
from tests.story.acts import plain, press, submit
from tests.world import World, test_policy, world_at

#: calls, a link that says another address than it leads to, the same escaped already, Markdown, HTML, a formula
H = (
    "<!channel> <!here|here> <@U01DIPOADEY> <!subteam^S01PAYONCAL> <https://evil.example|good.example> "
    "&lt;!everyone&gt; [good](https://evil.example) <script>alert(1)</script> =cmd() ../../etc"
)
SHORT = "<!channel> <https://evil.example|good> <b>x</b>"
#: what would do something in mrkdwn: https://docs.slack.dev/messaging/formatting-message-text
ACTIVE = re.compile(r"<[^<>]*(?:evil\.example|!channel|!here|!everyone|subteam\^S01PAYONCAL|U01DIPOADEY)[^<>]*>", re.I)
ANSWERED = re.compile(r"^Traceback", re.M)

#: what has to have been recorded, or the test has not tried it
KEPT = (
    "Declared", "TitleChanged", "ImpactStated", "Noted", "TaskAdded", "WaitingBegan", "SeverityChanged", "StepSkipped",
    "StepNoted", "UpdatePosted", "Mitigated", "RunbookAttached", "Reopened", "Asked", "CommsDrafted",
)  # fmt: skip

RUNBOOK = """---
title: Hostile {short}
summary: Summary {short}.
owner: Owner {short}
words: [hostile]
---
## 1. Overview {short}

Intro {long}

- [ ] First {long}
  ```sh
  echo "{long}"
  ```
- [ ] Pay {long} {{two-people: before}}
- [ ] Third {long}
"""

TEMPLATE = """---
title: Title {short}
slots:
  - {{name: what, label: "What {short}", kind: text, max_length: 280, hint: "Hint {short}"}}
---
Body {long} and {{{{ what }}}} in {{{{ incident.title }}}}
"""


def marked_up(thing: Any, name: str = "") -> Iterator[str]:
    """Every text in which Slack looks for mentions and links: all but plain text, rich text and what carries data."""
    if name in ("value", "private_metadata", "block_id", "content", "initial_value", "metadata", "action_id"):
        return
    if isinstance(thing, str):
        if thing[:1] in "[{" and thing[-1:] in "]}":
            try:
                yield from marked_up(json.loads(thing), name)
                return
            except ValueError:
                pass
        yield thing
    elif isinstance(thing, dict):
        assert thing.get("type") != "markdown" and "markdown_text" not in thing, "there `[words](address)` would link"
        if thing.get("type") in ("plain_text", "rich_text"):
            kinds = re.findall(r'"type": "(\w+)"', json.dumps(thing))
            assert not {"link", "user", "usergroup", "broadcast", "channel"} & set(kinds), thing
            return
        for key, value in thing.items():
            yield from marked_up(value, key)
    elif isinstance(thing, list | tuple):
        for one in thing:
            yield from marked_up(one, name)


def active(world: World) -> list[str]:
    """Everything that was sent to Slack, or answered, and would call or link there as somebody typed it."""
    found = []
    for call in world.slack.journal:
        ours = not call.method.startswith("delivery:")
        sent = call.args if ours else (call.answer or {}).get("body")
        if call.method == "files.completeUploadExternal":
            sent = {name: value for name, value in call.args.items() if name != "files"}
        for text in marked_up(sent):
            if ACTIVE.search(text):
                found.append(f"{call.method}: {text[:300]}")
        if ours:
            assert call.args.get("parse", "none") == "none" and not call.args.get("link_names"), call.args
    return found


async def everything_typed(world: World) -> str:
    """Hostile words in every input that people have; the channel."""
    ana, ben = world.person("ana"), world.person("ben")
    await world.say("ana", f"/incident {SHORT}")
    await ana.submit({"title": f"Stuck {SHORT}", "summary": H})
    await world.settle()
    room = world.channel().id
    for who in ("ben", "carla"):
        await world.say("ana", f"/incident add @{who}", room)
    await world.say("ana", "/incident runbook hostile", room)
    for text in (
        f"title Again {SHORT}", f"impact {H}", f"note {H}", f"note at 13:40 UTC {H}", f"task {H}", f"task @ben {H}",
        f"waiting for {H}", "status", "waiting over", f"sev 2 {H}", f"step 1.3 note {H}", f"escalate {H}", f"check {H}",
        f"runbook {H}", f"comms {H}", f"lead {H}", f"add {H}", f"scribe {H}", f"step {H}", f"duplicate {H}", H,
        f"list {H}", f"help {H}", f"hold {H}", f"postmortem {H}", f"sev {H}", f"private {H}", f"quiet {H}",
    ):  # fmt: skip
        await world.say("ana", f"/incident {text}", room)
        while ana.view is not None:
            await ana.close_view()
    # An update by form, and one typed with its preview
    await world.say("ana", "/incident update", room)
    if ana.view is not None:
        await submit(world, "ana", {"text": H, "impact": H})
        await submit(world, "ana")
    await world.say("ana", f"/incident update typed {H}", room)
    preview = [one for one in world.messages("ana", room) if "Post" in one.labels]
    await ana.click(preview[-1], label="Post")
    await world.settle()
    # A message that somebody pastes, pinned and taken up; a mention; a correction
    ts = await ana.post(room, f"pasted {H}")
    await ana.react(room, ts, "pushpin")
    await ana.shortcut("Add to timeline", ts, room)
    await ana.post(room, f"@incident-commander note {H}")
    await world.settle()
    # Steps: skip with a reason, two people with evidence and result
    await steps(world, room)
    # A customer text
    await world.say("ana", "/incident comms hostile internal", room)
    if ana.view is not None:
        await ana.submit({"what": H})
        await world.settle()
    for asked in [one for one in ben.dm_messages() if "Approve" in one.labels]:
        await ben.click(asked, label="Approve")
        await world.settle()
    # Handing over, ending, reopening
    await world.say("ana", "/incident handover @ben", room)
    if ana.view is not None:
        await ana.fill({block["block_id"]: H for block in ana.view["blocks"]
                        if block.get("element", {}).get("type") == "plain_text_input"})  # fmt: skip
        await ana.submit()
        await world.settle()
    for text in (f"mitigate {H}", f"false-alarm {H}", f"reopen {H}", "status", "timeline", "list", "postmortem"):
        await world.say("ana", f"/incident {text}", room)
    await world.say("ana", f"/incident resolve {H}", room)
    if ana.view is not None:
        await ana.submit({"note": H, "override": H})
        await world.settle()
    await world.say("ana", "/incident postmortem", room)
    await world.say("ana", f"/incident close {H}", room)
    await world.advance(hours=2)
    return room


async def steps(world: World, room: str) -> None:
    ana, ben = world.person("ana"), world.person("ben")
    await world.say("ana", f"/incident step 1.3 skip {H}", room)
    message = [one for one in world.slack.channel(room).by_ts.values() if ":1.2:" in str(one.blocks)][-1]
    block = next(one["block_id"] for one in message.blocks if ":1.2:" in one.get("block_id", ""))
    await ana.click(message, label="Ask", block_id=block)
    await world.settle()
    await submit(world, "ana", {"count": SHORT, "amount": SHORT, "evidence": H})
    asked = world.find("ben", room, "asks: ")
    await ben.click(asked, label="Go")
    await world.settle()
    await submit(world, "ben")
    await press(world, "ana", room, "go-ahead from ", "Done…")
    await submit(world, "ana", {"result": H})


def world_of(folder: Path, **more: Any) -> Any:
    """A world whose runbook and template are hostile too."""
    runbooks, texts = folder / "runbooks", folder / "texts" / "internal" / "hostile"
    runbooks.mkdir()
    texts.mkdir(parents=True)
    harmless = {"short": SHORT.replace("<b>x</b>", "x"), "long": H.replace('"', "")}
    (runbooks / "hostile.md").write_text(RUNBOOK.format(**harmless))
    (texts / "investigating.j2").write_text(TEMPLATE.format(**harmless))
    return world_at(folder, runbooks_dir=runbooks, templates_dir=folder / "texts", **more)


async def test_nothing_that_anybody_says_calls_links_or_runs(tmp_path: Path) -> None:
    async with world_of(tmp_path, policy=test_policy()) as world:
        assert world.bot.workspace_factory.shelf.problems == () and world.bot.workspace_factory.library.problems == ()
        # Profiles are what people say as well.
        for handle in ("ana", "ben"):
            world.person(handle).user.real_name = f"{handle.title()} {SHORT}"
        await world.bot.token_workspace.directory.refresh()
        room = await everything_typed(world)
        types = await world.types()
        assert set(KEPT) <= set(types), set(KEPT) - set(types)
        assert active(world) == []
        assert world.person("dipo").notifications == []
        channel = world.slack.channel(room)
        assert re.fullmatch(r"[a-z0-9_-]{1,80}", channel.name)
        assert not ACTIVE.search(channel.topic) and not ACTIVE.search(channel.purpose)
        said = [one for place in world.slack.channels for one in place.by_ts.values()]
        assert not [one for one in said if isinstance(one, Message) and ANSWERED.search(plain(one))]
        await exports(world, tmp_path, room)


async def exports(world: World, folder: Path, room: str) -> None:
    """The files: named by the number alone, and nothing in them acts in whatever renders Markdown."""
    shared = [world.slack.world.files[file["id"]] for one in world.slack.channel(room).messages for file in one.files]
    assert shared
    out = folder / "out"
    written = await export.write(
        world.bot.store, world.slack.team_id, 1, out, world.bot.token_workspace.directory.names, world.policy
    )  # fmt: skip
    assert sorted(one.name for one in written) == ["inc-1-postmortem.md", "inc-1-timeline.json"]
    assert sorted(one.name for one in folder.iterdir() if "etc" in one.name or "evil" in one.name) == []
    assert all(one.resolve().parent == out.resolve() for one in written)
    pages = [one.content.decode() if isinstance(one.content, bytes) else str(one.content) for one in shared]
    pages.append(written[0].read_text())
    for page in pages:
        for render in (
            MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]),
            MarkdownIt("gfm-like", {"html": True, "linkify": False}),
        ):
            html = render.render(page)
            assert "<script" not in html and "<b>" not in html and "<img" not in html
            links = re.findall(r'href="([^"]*)"', html)
            assert [one for one in links if "evil" in one] == []
        assert "@channel" not in page and "@here" not in page  # GitHub's mentions: a space without width is between
        assert not [line for line in page.splitlines() if line.startswith(("=", "+", "@", "\t"))]
    said = json.loads(written[1].read_text())
    assert any(H in str(one) or "evil.example" in str(one) for one in said), "the timeline keeps what was said"
