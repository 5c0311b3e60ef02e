"""What Slack's own models of Block Kit produce is taken: every block and element of slack_sdk, with all its keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import basic_components as c
from slack_sdk.models.blocks import block_elements as e
from slack_sdk.models.blocks import blocks as b

from localslack import blocks as kit

URL = "https://x.example/a"
ONE = c.Option(text="A", value="a")
SURE = c.ConfirmObject(title="T", text="x", confirm="Yes", deny="No", style="danger")
CODE: Any = {"language": "python"}  # typed as objects there
ICON: Any = {"icon_url": URL}
P: Any = e.RichTextElementParts
RICH = b.RichTextBlock(
    elements=[
        e.RichTextSectionElement(
            elements=[
                P.Text(text="x", style=P.TextStyle(bold=True, italic=True, strike=True, code=True, underline=True)),
                P.Channel(channel_id="C1"),
                P.User(user_id="U1"),
                P.Emoji(name="tea", skin_tone=2, unicode="1f375", url=URL),
                P.Link(url=URL, text="t", unsafe=True),
                P.Team(team_id="T1"),
                P.UserGroup(usergroup_id="S1"),
                P.Date(timestamp=1_700_000_000, format="{date}", url=URL, fallback="f"),
                P.Broadcast(range="here"),
                P.Color(value="#ffffff"),
            ]
        ),
        e.RichTextListElement(
            style="bullet",
            indent=1,
            offset=0,
            border=1,
            elements=[e.RichTextSectionElement(elements=[P.Text(text="x")])],
        ),
        e.RichTextQuoteElement(elements=[P.Text(text="x")]),
        e.RichTextPreformattedElement(elements=[P.Text(text="x")], border=0, **CODE),
    ]
)
BUTTON = e.ButtonElement(
    text="x", action_id="a", value="v", style="primary", confirm=SURE, accessibility_label="l", url=URL
)
MENU = e.OverflowMenuElement(action_id="a", options=[ONE, c.Option(text="B", value="b")], confirm=SURE)
PICTURE = e.ImageElement(image_url=URL, alt_text="x")
OPINION = c.FeedbackButtonObject(text="x", value="v", accessibility_label="l")
NOT_SENT = c.DispatchActionConfig(trigger_actions_on=["on_enter_pressed", "on_character_entered"])
FIELD = e.PlainTextInputElement(
    action_id="a",
    placeholder="p",
    initial_value="x",
    multiline=True,
    min_length=1,
    max_length=9,
    dispatch_action_config=NOT_SENT,
    focus_on_load=True,
)
TASK = b.TaskCardBlock(
    task_id="1",
    title="t",
    status="complete",
    details=RICH.to_dict(),
    output=RICH.to_dict(),
    sources=[e.UrlSourceElement(url=URL, text="t", **ICON).to_dict()],
)

ELEMENTS: list[JsonObject] = [
    BUTTON,
    MENU,
    PICTURE,
    e.LinkButtonElement(url=URL, text="x", action_id="a"),
    e.ImageElement(slack_file=c.SlackFile(id="F1"), alt_text="x"),
    e.CheckboxesElement(action_id="a", options=[ONE], initial_options=[ONE], confirm=SURE, focus_on_load=True),
    e.RadioButtonsElement(action_id="a", options=[ONE], initial_option=ONE, confirm=SURE),
    e.DatePickerElement(action_id="a", placeholder="p", initial_date="2026-01-01", confirm=SURE),
    e.TimePickerElement(action_id="a", placeholder="p", initial_time="10:00", confirm=SURE, timezone="Europe/Berlin"),
    e.DateTimePickerElement(action_id="a", initial_date_time=1_700_000_000, confirm=SURE),
    e.StaticSelectElement(placeholder="p", action_id="a", options=[ONE], initial_option=ONE, confirm=SURE),
    e.StaticSelectElement(placeholder="p", option_groups=[c.OptionGroup(label="l", options=[ONE])]),
    e.StaticMultiSelectElement(placeholder="p", options=[ONE], initial_options=[ONE], max_selected_items=2),
    e.UserSelectElement(placeholder="p", action_id="a", initial_user="U1"),
    e.UserMultiSelectElement(placeholder="p", initial_users=["U1"], max_selected_items=2),
    e.ExternalDataSelectElement(placeholder="p", min_query_length=0, initial_option=ONE),
    e.ExternalDataMultiSelectElement(placeholder="p", initial_options=[ONE], min_query_length=1),
    e.ConversationSelectElement(
        placeholder="p",
        initial_conversation="C1",
        response_url_enabled=True,
        default_to_current_conversation=True,
        filter=e.ConversationFilter(include=["public"], exclude_bot_users=True, exclude_external_shared_channels=True),
    ),
    e.ConversationMultiSelectElement(placeholder="p", initial_conversations=["C1"], filter={"include": ["im"]}),
    e.ChannelSelectElement(placeholder="p", initial_channel="C1", response_url_enabled=True),
    e.ChannelMultiSelectElement(placeholder="p", initial_channels=["C1"], max_selected_items=1),
    FIELD,
    e.EmailInputElement(action_id="a", placeholder="p", initial_value="a@x.example", dispatch_action_config=NOT_SENT),
    e.UrlInputElement(action_id="a", placeholder="p", initial_value=URL, dispatch_action_config=NOT_SENT),
    e.NumberInputElement(
        action_id="a", is_decimal_allowed=True, initial_value="1", min_value="0", max_value="2", placeholder="p"
    ),
    e.FileInputElement(action_id="a", filetypes=["png"], max_files=3),
    e.RichTextInputElement(action_id="a", placeholder="p", initial_value=RICH, dispatch_action_config=NOT_SENT),
    e.WorkflowButtonElement(
        text="x",
        action_id="a",
        style="primary",
        accessibility_label="l",
        workflow=c.Workflow(
            trigger=c.WorkflowTrigger(url=URL, customizable_input_parameters=[{"name": "a", "value": "b"}])
        ),
    ),
    e.FeedbackButtonsElement(action_id="a", positive_button=OPINION, negative_button=OPINION),
    e.IconButtonElement(
        action_id="b", icon="trash", text="x", value="v", visible_to_user_ids=["U1"], accessibility_label="l"
    ),
]

BLOCKS: list[b.Block] = [
    RICH,
    TASK,
    b.SectionBlock(text="x", fields=["a", "b"], accessory=BUTTON, expand=True, block_id="b"),
    b.DividerBlock(),
    b.HeaderBlock(text="x"),
    b.ActionsBlock(elements=[BUTTON]),
    b.ContextBlock(elements=[PICTURE, c.MarkdownTextObject(text="x", verbatim=True), c.PlainTextObject(text="x")]),
    b.InputBlock(label="l", element=FIELD, hint="h", optional=True, dispatch_action=True),
    b.ImageBlock(image_url=URL, alt_text="x", title="t"),
    b.MarkdownBlock(text="x"),
    b.FileBlock(external_id="x"),
    b.VideoBlock(
        alt_text="x",
        video_url=URL,
        thumbnail_url=URL,
        title="t",
        author_name="a",
        description="d",
        provider_name="p",
        provider_icon_url=URL,
        title_url=URL,
    ),
    b.TableBlock(
        rows=[[c.RawTextObject(text="x").to_dict(), c.RawNumberObject(value=1, text="1").to_dict(), RICH.to_dict()]],
        column_settings=[{}, {"align": "right", "is_wrapped": True}],
    ),
    b.AlertBlock(text="x", level="info"),
    b.CardBlock(
        hero_image=PICTURE.to_dict(), icon=PICTURE.to_dict(), title="t", subtitle="s", body="b", actions=[BUTTON]
    ),
    b.CarouselBlock(elements=[b.CardBlock(title="x")]),
    b.ContainerBlock(
        child_blocks=[b.SectionBlock(text="x")],
        title="t",
        subtitle="s",
        width="wide",
        icon=PICTURE,
        is_collapsible=True,
        default_collapsed=True,
        has_header_divider=False,
    ),
    b.ContainerBlock(child_blocks=[b.DividerBlock()], rich_text_title=RICH.to_dict(), has_header_divider=True),
    b.PlanBlock(title="t", tasks=[TASK.to_dict()]),
    b.ContextActionsBlock(elements=[ELEMENTS[-2].to_dict(), ELEMENTS[-1].to_dict()]),
    b.AuthProviderBlock(
        value="v",
        name="n",
        is_connected=True,
        description="d",
        icon_url=URL,
        auth_url=URL,
        disconnect_url=URL,
        connected_identity="i",
        connected_context="c",
        accessory=MENU,
        fallback=[b.SectionBlock(text="x")],
    ),
]


def taken(blocks: list[dict[str, Any]]) -> bool:
    return any(kit.problems(blocks, surface) == [] for surface in ("message", "modal", "home"))


def rows(models: Sequence[JsonObject]) -> list[Any]:
    return [pytest.param(each, id=f"{n} {type(each).__name__}") for n, each in enumerate(models)]


@pytest.mark.parametrize("model", rows(BLOCKS))
def test_blocks(model: b.Block) -> None:
    assert taken([model.to_dict()]), kit.problems([model.to_dict()], "message")


@pytest.mark.parametrize("model", rows(ELEMENTS))
def test_elements(model: JsonObject) -> None:
    element, words = model.to_dict(), {"type": "plain_text", "text": "x"}
    places: list[dict[str, Any]] = [
        {"type": "section", "text": words, "accessory": element},
        {"type": "actions", "elements": [element]},
        {"type": "input", "label": words, "element": element},
        {"type": "context_actions", "elements": [element]},
    ]
    assert any(taken([place]) for place in places), [kit.problems([place], "modal") for place in places]


def test_no_model_is_left_out() -> None:
    """The calls of `calls.add` are not covered, and what only other models are made of stands in those."""
    known = {type(each).__name__ for each in [*BLOCKS, *ELEMENTS]}
    kinds = (b.Block, e.InteractiveElement, e.InputInteractiveElement)
    offered = {each.__name__ for kind in kinds for each in kind.__subclasses__()}
    assert offered - known == {"CallBlock", "InputInteractiveElement", "SelectElement"}
