"""views.*: modals and the Home tab."""

from __future__ import annotations

from localslack import views
from localslack.errors import SlackError, invalid_arguments
from localslack.methods.request import Method, Request
from localslack.objects import view_object
from localslack.records import Json, View
from localslack.view_checks import checked


def _view(request: Request, kind: str) -> Json:
    view = request.json("view", "invalid_arguments")
    if view is None:
        raise invalid_arguments("missing required field: view")
    if not isinstance(view, dict):
        raise invalid_arguments("must provide an object [json-pointer:/view]")
    return checked(view, kind)


def _pointer(request: Request) -> str:
    """The trigger, or the newer interactivity pointer. Raises SlackError where neither is given (SR-TOK-07)."""
    given = request.text("trigger_id") or request.text("interactivity_pointer")
    if not given:
        raise invalid_arguments("missing required field: trigger_id")
    return given


def open_view(request: Request) -> Json:
    body = _view(request, "modal")
    trigger = request.interactivity.use_trigger(_pointer(request))
    view = views.open_view(request.world, trigger.user, body)
    return {"view": view_object(request.world, view)}


def push(request: Request) -> Json:
    body = _view(request, "modal")
    trigger = request.interactivity.use_trigger(_pointer(request))
    if trigger.view is None or not request.world.stacks.get(trigger.user):
        # SR-VIW-10: a push needs a trigger that was made inside an open modal.
        raise SlackError("not_found")
    view = views.push_view(request.world, trigger.user, body)
    return {"view": view_object(request.world, view)}


def update(request: Request) -> Json:
    body = _view(request, "modal")
    view = views.update_view(request.world, _found(request), body, request.text("hash"))
    return {"view": view_object(request.world, view)}


def _found(request: Request) -> View:
    view_id, external = request.text("view_id"), request.text("external_id")
    if not view_id and not external:
        raise invalid_arguments("missing required field: view_id")
    for stack in request.world.stacks.values():
        for view in stack:
            if view.id == view_id or (external and view.external_id == external):
                return view
    raise SlackError("not_found")


def publish(request: Request) -> Json:
    """SR-VIW-11."""
    if not request.world.app.home_tab:
        raise SlackError("not_enabled")
    user = request.world.users.get(request.text("user_id"))
    if user is None:
        raise invalid_arguments("must be the id of a user [json-pointer:/user_id]")
    body = _view(request, "home")
    view = views.publish_home(request.world, user.id, body, request.text("hash"))
    return {"view": view_object(request.world, view)}


METHODS = {
    "views.open": Method(open_view, (), 4),
    "views.push": Method(push, (), 4),
    "views.update": Method(update, (), 4),
    "views.publish": Method(publish, (), 4, required=("user_id",)),
}
