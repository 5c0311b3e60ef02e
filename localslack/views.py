"""What happens to views: modals opened, pushed, updated and closed, the Home tab published."""

from __future__ import annotations

from localslack import forms, messages
from localslack.errors import SlackError
from localslack.objects import view_object
from localslack.records import Json, View
from localslack.world import World

MAX_STACKED_VIEWS = 3
"""SR-VIW-07: views in a modal's stack."""


def page_view(world: World, view: View) -> Json:
    """A view for the page: Slack's object, its state filled in."""
    shown = view_object(world, view)
    shown["state"] = {"values": forms.state_of(view.body["blocks"], view.state)}
    return shown


def _tell(world: World, user: str) -> None:
    if not world.watched():
        return
    stack = world.stacks.get(user) or []
    top = page_view(world, stack[-1]) if stack else None
    world.tell({"type": "view", "view": top, "stack_depth": len(stack)}, [user])


def _free(world: World, body: Json, itself: View | None) -> None:
    """SR-VIW-09: no other view goes by this external_id."""
    external = body.get("external_id")
    views = [*(view for stack in world.stacks.values() for view in stack), *world.homes.values()]
    if external and any(view.external_id == external and view is not itself for view in views):
        raise SlackError("duplicate_external_id")


def _new(world: World, user: str, body: Json, previous: View | None) -> View:
    _free(world, body, None)
    messages.number_blocks(world, body["blocks"])
    view_id = world.new_id("V")
    return View(
        id=view_id, user=user, body=body, hash=f"{world.seconds()}.{world.hex(8)}",
        root=previous.root if previous else view_id, previous=previous.id if previous else None,
    )  # fmt: skip


def open_view(world: World, user: str, body: Json) -> View:
    view = _new(world, user, body, None)
    stack = world.stacks.setdefault(user, [])
    if len(stack) >= MAX_STACKED_VIEWS:
        raise SlackError("push_limit_reached")
    stack.append(view)
    _tell(world, user)
    return view


def push_view(world: World, user: str, body: Json) -> View:
    """Put a view on top of the person's open modal. Raises SlackError push_limit_reached."""
    stack = world.stacks.setdefault(user, [])
    if len(stack) >= MAX_STACKED_VIEWS:
        raise SlackError("push_limit_reached")
    view = _new(world, user, body, stack[-1] if stack else None)
    stack.append(view)
    _tell(world, user)
    return view


def update_view(world: World, view: View, body: Json, known_hash: str | None) -> View:
    """Replace a view's content. What a person entered stays where block_id and action_id do."""
    if known_hash and known_hash != view.hash:
        raise SlackError("hash_conflict")  # SR-VIW-08
    _free(world, body, view)
    messages.number_blocks(world, body["blocks"])
    view.state = forms.kept(view.state, body["blocks"])
    view.body = body
    view.hash = f"{world.seconds()}.{world.hex(8)}"
    if body["type"] == "home":
        world.tell({"type": "home", "view": page_view(world, view)}, [view.user])
    else:
        _tell(world, view.user)
    return view


def close_top(world: World, user: str) -> View | None:
    stack = world.stacks.get(user)
    if not stack:
        return None
    view = stack.pop()
    _tell(world, user)
    return view


def close_view(world: World, view: View) -> None:
    """Close one view and whatever stands on it."""
    stack = world.stacks.get(view.user) or []
    if view in stack:
        del stack[stack.index(view) :]
        _tell(world, view.user)


def close_all(world: World, user: str) -> list[View]:
    """Close the person's modals; the closed views, topmost first."""
    stack = world.stacks.pop(user, [])
    if stack:
        _tell(world, user)
    return stack[::-1]


def publish_home(world: World, user: str, body: Json, known_hash: str | None) -> View:
    """Set a person's Home tab (docs: views.publish)."""
    old = world.homes.get(user)
    if known_hash and old is not None and known_hash != old.hash:
        raise SlackError("hash_conflict")
    if old is not None:
        return update_view(world, old, body, None)
    view = _new(world, user, body, None)
    world.homes[user] = view
    world.tell({"type": "home", "view": page_view(world, view)}, [user])
    return view
