"""What next, and everything else that can be done here: the private answer and the form of [More]."""

from __future__ import annotations

from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.acts import Act


async def more(call: Request) -> None:
    """Open the form with everything that can be done, in groups."""
    await call.open_view(more_view(call))


def more_view(call: Request, notice: str = "") -> modals.ModalView:
    """The form as it stands now; `notice`: what came of the last thing that was pressed in it."""
    services = call.services
    return modals.more_modal(
        call.required_incident,
        call.actor.user,
        services.render_environment,
        services.now(),
        channel=call.channel,
        response_url=call.response_url,
        notice=notice,
    )


def what_next(call: Request) -> Reply:
    """The one next thing for this person, with what is most likely after it."""
    blocks = modals.next_actions(call.required_incident, call.actor.user, call.services.policy, call.services.now())
    return Reply("What next?", tuple(blocks))


async def open_act_form(call: Request, act: Act) -> None:
    """The form that asks what the act needs."""
    services = call.services
    form = modals.act_form(
        act,
        call.required_incident,
        services.render_environment,
        probes={name: tuple(probe.targets) for name, probe in services.probes.items()},
        channel=call.channel,
        response_url=call.response_url,
    )
    await call.open_view(form)
