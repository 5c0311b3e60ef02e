"""SR-CNV: canvases."""

from __future__ import annotations

import pytest

from localslack import LocalSlack
from localslack.tests.rules.book import rule
from localslack.tests.rules.conftest import Try
from localslack.tests.shop import Json

GENERAL, PAYMENTS = "C01GENERAL1", "C01PAYMENTS"


@pytest.fixture(autouse=True)
def allowed(sandbox: LocalSlack) -> None:
    """The shop's app may write canvases as well."""
    sandbox.install.grants[sandbox.bot_token].scopes |= {"canvases:write", "canvases:read"}


def content(markdown: str) -> Json:
    return {"type": "markdown", "markdown": markdown}


async def make(slack: Try, markdown: str = "# Tea\n\nGreen.\n\nBlack.") -> str:
    made = await slack.takes("canvases.create", title="Tea", document_content=content(markdown))
    return str(made["canvas_id"])


async def found(slack: Try, canvas: str, **criteria: object) -> list[str]:
    sections = await slack.takes("canvases.sections.lookup", canvas_id=canvas, criteria=criteria)
    return [each["id"] for each in sections["sections"]]


@rule("SR-CNV-01")
async def test_the_longest_canvas(slack: Try) -> None:
    await make(slack, "x" * 1_048_576)
    long = content("x" * 1_048_577)
    await slack.refuses("canvas_creation_failed", "canvases.create", document_content=long)
    change = {"operation": "insert_at_end", "document_content": long}
    await slack.refuses("canvas_editing_failed", "canvases.edit", canvas_id=await make(slack), changes=[change])


@rule("SR-CNV-02")
async def test_one_canvas_in_a_channel(slack: Try) -> None:
    await slack.takes("conversations.join", channel=PAYMENTS)
    await slack.takes("conversations.canvases.create", channel_id=PAYMENTS, document_content=content("x"))
    await slack.refuses("channel_canvas_already_exists", "conversations.canvases.create", channel_id=PAYMENTS)
    await slack.refuses("channel_not_found", "conversations.canvases.create", channel_id="C0NOPE")


@rule("SR-CNV-03")
async def test_edits(slack: Try) -> None:
    canvas = await make(slack)
    (black,) = await found(slack, canvas, contains_text="black")
    changes: list[Json] = [
        {"operation": "insert_before", "section_id": black, "document_content": content("White.")},
        {"operation": "delete", "section_id": black},
        {"operation": "insert_at_start", "document_content": content("## Of today")},
        {"operation": "rename", "title_content": content("All tea")},
    ]
    await slack.takes("canvases.edit", canvas_id=canvas, changes=changes)
    kept = slack.sandbox.workspaces[0].interactivity.canvases[canvas]
    assert kept.title == "All tea"
    assert [part for _, part in kept.sections] == ["## Of today", "# Tea", "Green.", "White."]
    assert len(await found(slack, canvas, section_types=["any_header"])) == 2
    for wrong in ({"operation": "delete", "section_id": black}, {"operation": "paint"}, {"operation": "replace"}):
        await slack.refuses("canvas_editing_failed", "canvases.edit", canvas_id=canvas, changes=[wrong])
    await slack.takes("canvases.edit", canvas_id=canvas, changes=[{**changes[2], "operation": "replace"}])
    assert [part for _, part in kept.sections] == ["## Of today"]


@rule("SR-CNV-04")
async def test_a_deleted_canvas(slack: Try) -> None:
    canvas = await make(slack)
    await slack.takes("canvases.delete", canvas_id=canvas)
    await slack.refuses("canvas_not_found", "canvases.delete", canvas_id=canvas)
