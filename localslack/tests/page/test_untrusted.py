"""Names, texts, Markdown, links and files of strangers are shown as text; nothing of them runs in the page."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.records import Json
from localslack.sample import sample
from localslack.tests import shop
from localslack.tests.page.desk import Desk, Tab

#: each would leave a mark if it ran
RUN = "window.ran=1"
PROBES = {
    "script element": f"<script>{RUN}</script>",
    "image that fails": f"<img src=x onerror={RUN}>",
    "svg": f"<svg onload={RUN}>",
    "frame": f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    "breaking out of an attribute": f'"><img src=x onerror={RUN}>',
    "breaking out of a style": f"</style><script>{RUN}</script>",
    "escaped twice": f"&amp;lt;img src=x onerror={RUN}&amp;gt;",
    "link in mrkdwn": f"<javascript:{RUN}|open>",
    "link with a tab in it": f"<java\tscript:{RUN}|open>",
    "data link": f"<data:text/html,<script>{RUN}</script>|open>",
    "link in Markdown": f"[open](javascript:{RUN})",
    "link in Markdown, in capitals": f"[open](JaVaScRiPt:{RUN})",
    "picture in Markdown": f"![x](x\" onerror=\"{RUN})",
    "reference in Markdown": f"[open][1]\n\n[1]: javascript:{RUN}",
    "automatic link in Markdown": f"<javascript:{RUN}>",
    "code fence": f"```<img src=x onerror={RUN}>```",
    "table in Markdown": f"| a |\n|---|\n| <img src=x onerror={RUN}> |",
    "date": f"<!date^1^{{date}}^javascript:{RUN}|open>",
}  # fmt: skip
ALL = "\n".join(PROBES.values())
#: a picture's onerror comes a moment after the picture: one of our own, asked for later, fails later
A_PICTURE_LATER = """() => new Promise(done => {
    const one = new Image(); one.onload = one.onerror = () => done(); one.src = '/nothing.png'; })"""


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    """A workspace in which even the names are probes."""
    first = sample()
    people = tuple(
        dataclasses.replace(one, real_name=f"Ben {PROBES['image that fails']}") if one.handle == "ben" else one
        for one in first.people
    )
    groups = tuple(dataclasses.replace(one, name=f"{one.name} {PROBES['svg']}") for one in first.groups)
    places = tuple(dataclasses.replace(one, purpose=ALL[:250]) for one in first.places)
    cast = dataclasses.replace(first, people=people, groups=groups, places=places)
    made = LocalSlack(manifest=shop.manifest(), people=cast)
    async with made:
        yield made


async def harmless(tab: Tab) -> None:
    """Nothing ran, and nothing that could run is in the document. Links lead only where links may lead."""
    await tab.page.evaluate(A_PICTURE_LATER)
    assert await tab.page.evaluate("window.ran") is None
    found = await tab.page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(node =>
             [...node.attributes].some(one => /^on/i.test(one.name))
             || (/^(SCRIPT|IFRAME|OBJECT|EMBED|BASE|FORM|STYLE)$/.test(node.tagName) && !node.src?.endsWith('/app.js'))
             || (node.href !== undefined && node.tagName === 'A' && !/^(https?|mailto|tel|slack):/.test(node.href))
             || (node.tagName === 'IMG' && !/^(https?|blob):/.test(node.src))
           ).map(node => node.outerHTML.slice(0, 200))"""
    )
    assert found == []


def blocks() -> list[Json]:
    """The probes in every kind of text that a message may hold."""
    plain = {"type": "plain_text", "text": PROBES["image that fails"]}
    rich: Json = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": ALL, "style": {"code": True}},
                    {"type": "link", "url": f"javascript:{RUN}", "text": "open"},
                    {"type": "emoji", "name": PROBES["svg"]},
                    {"type": "user", "user_id": PROBES["svg"]},
                    {"type": "channel", "channel_id": PROBES["svg"]},
                    {"type": "color", "value": f"red;background:url(javascript:{RUN})"},
                    {
                        "type": "date",
                        "timestamp": 1,
                        "format": "{date}",
                        "url": f"javascript:{RUN}",
                        "fallback": "then",
                    },
                ],
            }
        ],
    }
    return [
        {"type": "header", "text": plain},
        {"type": "section", "text": {"type": "mrkdwn", "text": ALL}, "fields": [plain]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": ALL}]},
        {"type": "markdown", "text": ALL},
        rich,
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "a", "text": plain, "url": f"javascript:{RUN}"},
                {"type": "static_select", "action_id": "b", "options": [{"text": plain, "value": ALL[:60]}]},
            ],
        },
        {"type": "image", "image_url": f"javascript:{RUN}", "alt_text": PROBES["breaking out of an attribute"]},
        {"type": PROBES["script element"], "text": plain},
        {"type": "card", "title": {"type": "mrkdwn", "text": ALL}, "body": plain, "actions": [
            {"type": "button", "action_id": "c", "text": plain, "url": f"javascript:{RUN}"}],
         "icon": {"type": "image", "image_url": f"javascript:{RUN}", "alt_text": ALL}},
        {"type": "plan", "title": ALL, "tasks": [
            {"task_id": "1", "title": ALL, "status": ALL, "details": rich,
             "sources": [{"type": "url", "url": f"javascript:{RUN}", "text": ALL}]}]},
        {"type": "video", "title": plain, "alt_text": ALL, "video_url": f"javascript:{RUN}",
         "title_url": f"data:text/html,<script>{RUN}</script>", "thumbnail_url": f"javascript:{RUN}",
         "author_name": ALL, "description": plain},
        {"type": "data_table", "caption": ALL, "rows": [
            [{"type": "raw_text", "text": ALL}], [{"type": "action", "element": {
                "type": "button", "action_id": "d", "text": plain, "url": f"javascript:{RUN}"}}]]},
        {"type": "data_visualization", "title": ALL, "chart": {"type": "pie", "segments": [
            {"label": ALL, "value": f"1\";background:url(javascript:{RUN})"}]}},
        {"type": "container", "title": plain, "subtitle": {"type": "mrkdwn", "text": ALL}, "is_collapsible": True,
         "child_blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ALL}}]},
        {"type": "alert", "level": ALL, "text": {"type": "mrkdwn", "text": ALL}},
    ]  # fmt: skip


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
async def test_what_people_write(desk: Desk, slack: LocalSlack, probe: str) -> None:
    """Typed by a person: in the channel, in its notification, in a thread and in the topic."""
    ben = slack.person("ben")
    ana = await desk.tab(slack, "ana", "#payments")
    ts = await ben.post("#general", f"@ana {probe}")
    await expect(ana.toasts.first).to_be_visible()
    await harmless(ana)
    await ana.open("general")
    await ben.post("#general", probe, ts)
    await ana.message("Ben <img").locator(".replies").click()
    await expect(ana.pane.locator(".message")).to_have_count(2)
    await harmless(ana)


async def test_what_apps_send(desk: Desk, slack: LocalSlack) -> None:
    """Straight into the workspace, past the checks that would refuse half of it; and what passes them, by the API."""
    ana = await desk.tab(slack, "ana", "#general")
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    posted = await client.chat_postMessage(
        channel=slack.channel("#general").id, text=ALL, username=PROBES["svg"],
        attachments=[{"title": PROBES["svg"], "title_link": f"javascript:{RUN}", "text": ALL,
                      "color": f"#fff\"onload={RUN}", "footer": ALL}],
    )  # fmt: skip
    await expect(ana.centre.locator(".message")).to_have_count(1)
    await harmless(ana)
    message = slack.channel("#general").by_ts[posted["ts"]]
    message.blocks = blocks()
    message.files = [
        {"id": "F1", "name": f"{PROBES['svg']}.html", "title": PROBES["image that fails"], "mimetype": "text/html",
         "url_private": f"javascript:{RUN}", "permalink": f"javascript:{RUN}", "size": 1},
        {"id": "F2", "name": "x.svg", "mimetype": "image/svg+xml", "url_private_download": f"{slack.url}/x.svg"},
    ]  # fmt: skip
    slack.channel("#general").topic = ALL[:250]
    await ana.page.reload()
    await expect(ana.centre.locator(".file-card")).to_have_count(2)
    await harmless(ana)
    for one in await ana.centre.locator(".message .block button, .message .block a").all():
        await one.click()
        await ana.page.keyboard.press("Escape")
    await harmless(ana)


async def test_strangers_names_everywhere(desk: Desk, slack: LocalSlack) -> None:
    """In the list, in menus, in completion, in the members, in the window's title."""
    ana = await desk.tab(slack, "ana", "#general")
    await ana.page.get_by_role("button", name="Acting as").click()
    await harmless(ana)
    await ana.page.keyboard.press("Escape")
    await ana.page.locator("#composer-text").press_sequentially("@b")
    await expect(ana.centre.get_by_role("option").first).to_be_visible()
    await harmless(ana)
    await ana.page.locator("#composer-text").fill("")
    await ana.centre.get_by_role("button", name="members").click()
    await expect(ana.pane).to_contain_text("Ben <img")
    await harmless(ana)
    await ana.sidebar.get_by_text("Ben <img").click()
    await expect(ana.page).to_have_title("Ben <img src=x onerror=window.ran=1> · Ana Silva · Sandbox")
    await harmless(ana)


async def test_the_address_is_data_too(desk: Desk, slack: LocalSlack) -> None:
    ana = await desk.tab(slack, "ana", "#general")
    await ana.page.goto(f"{slack.url}/?as=%3Cimg%20src%3Dx%20onerror%3D{RUN}%3E")
    await expect(ana.page.locator(".fatal")).to_contain_text("<img src=x")
    await harmless(ana)


async def test_nobody_may_frame_the_page(desk: Desk, slack: LocalSlack) -> None:
    ana = await desk.tab(slack, "ana", "#general")
    answer = await ana.page.reload()
    assert answer is not None
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert "script-src 'self'" in str(await ana.page.locator("meta[http-equiv]").get_attribute("content"))
