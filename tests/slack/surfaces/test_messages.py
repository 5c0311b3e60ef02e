"""What people see, as readable text, and the rules that keep the channel theirs."""

from __future__ import annotations

import re
from datetime import timedelta
from textwrap import dedent
from typing import Any

from bot.domain import cadence, dual_control, escalation, lifecycle, notes, roles
from bot.domain import checklist as steps
from bot.domain import events as e
from bot.domain.customer_template import text_hash
from bot.slack.inbound.dispatch import BUTTONS
from bot.slack.surfaces import modals
from tests.slack.slack_reading import read, read_message, read_view
from tests.slack.slack_story import BEN, BOT, CARLA, HORIZON, NAMES, POLICY, SETUP, Story


def declared(**given: Any) -> Story:
    """SEV-1 with its channel and a runbook, at 14:02 UTC on a Friday."""
    story = Story().do(
        lifecycle.declare, number=42, title="Withdrawals are stuck", severity=given.pop("severity", "sev1"),
        summary="payouts to NG, KE", responders=("UBEN", "UCARLA"), policy=POLICY, **given,
    )  # fmt: skip
    story.happens(e.ChannelOpened(by="bot", at=story.now, channel="C42", name="inc-42-withdrawals-are-stuck"))
    return story.do(steps.attach, runbook=HORIZON)


def asked() -> Story:
    return declared().at(5).do(
        dual_control.ask_second_person, runbook="horizon-outage", step="2.2", confirmers=("UBEN", "UCARLA"),
        policy=POLICY, evidence="ledger 5123 shows none of them", count="12 payouts", amount="NGN 1,200,000",
    )  # fmt: skip


def drafted(story: Story, name: str, text: str) -> Story:
    return story.happens(
        e.CommsDrafted(
            by="UCARLA", at=story.now, draft=name, template="payment-delays", audience="customers",
            stage="investigating", revision="f00", text=text, text_hash=text_hash(text),
            removed="2 account ids removed", promised=story.now + timedelta(minutes=30), to=("UBEN", "UDIPO"),
            expires=story.now + timedelta(hours=1),
        )
    )  # fmt: skip


def shows(story: Story, key: str, expected: str, after: timedelta = timedelta()) -> None:
    assert read_message(story.message(key, after)) == dedent(expected).strip()


# -- the first minute and the card ------------------------------------------------------------------


def test_the_card() -> None:
    story = declared().at(3).do(lifecycle.correct_start, started=declared().now - timedelta(minutes=22))
    shows(
        story,
        "card",
        """
        [card] channel
        # SEV-1 · Withdrawals are stuck
        Impact: payouts to NG, KE, since 13:40 UTC (yours)
        Next: update by 14:32 UTC (yours)
        Lead Ana · comms nobody · status Investigating
        ~ INC-42 · declared 14:02 UTC (yours) by Ana · runbook Horizon outage 0 of 4
        [Post update] [Take comms lead] [More]
        """,
    )
    card = story.message("card")
    assert card.pin
    assert card.text == "INC-42, SEV-1: Withdrawals are stuck; Ana leads; next update 14:32 UTC."


def test_the_channel_belongs_to_people_in_the_first_minute() -> None:
    story = declared()
    channel = [
        one.key
        for one in story.messages()
        if one.send_if_new and not one.delete and one.target.kind == "channel" and not one.target.parent
    ]
    assert channel == ["card", "runbook:horizon-outage", "hail"], "with Slack's line about the topic: four"
    assert story.message("hail").after == ("invites",), "people are mentioned once they are in"


def test_nothing_of_a_private_incident_is_announced_and_no_group_is_mentioned() -> None:
    story = declared(private=True).at(5).happens(e.NobodyAnswered(by="bot", at=BEN_AT, level=1, to=("SONCALL", "UBEN")))
    assert not [one for one in story.messages() if one.target.kind == "announcements"]
    assert "<!subteam" not in str([one.blocks for one in story.messages()])


BEN_AT = Story().at(5).now


def test_nothing_changes_at_midnight_by_itself() -> None:
    story = asked()
    before = [one.hash for one in story.messages(timedelta(minutes=2))]
    assert [one.hash for one in story.messages(timedelta(hours=20))] == before


# -- checklists -------------------------------------------------------------------------------------


def test_the_next_step_stands_in_the_channel() -> None:
    shows(
        declared(),
        "runbook:horizon-outage",
        """
        [runbook:horizon-outage] channel
        *Runbook Horizon outage* · 0 of 4 · Look   ( ) 1. Look ( ) 2. Contain
        *Next, 1.1:* Read both Horizons
        [Done] [Skip] [Open list]
        ~ revision a1b2c3d · last review never · owner payments
        """,
    )


def test_a_section_with_its_commands_directly_beneath_the_step() -> None:
    shows(
        declared().at(5).do(steps.finish, policy=POLICY, runbook="horizon-outage", step="1.1"),
        "section:horizon-outage:1",
        """
        [section:horizon-outage:1] channel in thread of runbook:horizon-outage
        <@UANA>: the steps are in this thread.
        *1. Look* · 1 of 2
        Nothing here changes anything.
        *1.1* Read both Horizons
        Ana, 14:07 UTC (yours)   [x] Done
        $ curl -s https://horizon-a/ | jq .history_latest_ledger
        *1.2* Note the oldest payout that waits   [ ] Done
        """,
    )


def test_only_the_ticked_steps_block_changes_its_id() -> None:
    def ids(story: Story) -> list[str]:
        return [one["block_id"] for one in story.message("section:horizon-outage:1").blocks if "block_id" in one]

    before, after = (
        ids(declared()),
        ids(declared().do(steps.finish, policy=POLICY, runbook="horizon-outage", step="1.1")),
    )
    assert [one == two for one, two in zip(before, after, strict=True)] == [False, True]


def test_a_complete_section_folds_after_half_a_minute_and_opens_the_next() -> None:
    story = declared()
    assert not story.message("section:horizon-outage:2").send_if_new, "not sent before its turn"
    for step in ("1.1", "1.2"):
        story.at(5).do(steps.finish, policy=POLICY, runbook="horizon-outage", step=step)
    assert story.message("section:horizon-outage:2").send_if_new
    shows(
        story,
        "section:horizon-outage:1",
        """
        [section:horizon-outage:1] channel in thread of runbook:horizon-outage
        Complete: 1. Look, 2 of 2, 14:07 UTC (yours).   [Show]
        """,
        after=timedelta(seconds=30),
    )
    story.at(8).do(steps.open_section, runbook="horizon-outage", section=1)
    assert "Read both" in read_message(story.message("section:horizon-outage:1")), "asked for again"


def test_the_list_in_a_form() -> None:
    view = modals.list_modal(asked().incident, "horizon-outage", 0, NAMES)
    assert read_view(view) == dedent(
        """
        == Horizon outage == (shows)
        *1.1* Read both Horizons   [ ] Done
        $ curl -s https://horizon-a/ | jq .history_latest_ledger
        [Skip]
        *1.2* Note the oldest payout that waits   [ ] Done
        *2.1* Pause payouts
        Do it now; a second person looks at it afterwards.   [Stopped]
        *2.2* Resend the stuck batch
        Ana asked 14:07 UTC (yours); Ben or Carla can agree.
        """
    ).strip("\n")


# -- two people -------------------------------------------------------------------------------------


def test_an_ask_mentions_exactly_those_who_may_and_the_go_the_asker() -> None:
    story = asked()
    story.happens(e.Invited(by="bot", at=story.now, users=("UBEN", "UCARLA")))
    seq = max(story.incident.asks)
    shows(
        story,
        f"ask:{seq}",
        f"""
        [ask:{seq}] channel
        <@UBEN> and <@UCARLA>: *Ana asks: Resend the stuck batch.*
        > ledger 5123 shows none of them
        ~ Count: 12 payouts · Sum: NGN 1,200,000 · Step 2.2 of Horizon outage · Expires 14:37 UTC (yours)
        [Go] [Refuse]
        """,
    )
    story.at(6).do(dual_control.give_go, by=BEN, ask=seq, policy=POLICY)
    shows(
        story,
        f"ask:{seq}",
        f"""
        [ask:{seq}] channel (not sent anew)
        ~ Ana asked: Resend the stuck batch. Go-ahead from Ben, 14:08 UTC (yours).
        """,
    )
    shows(
        story,
        f"answer:{seq}",
        f"""
        [answer:{seq}] channel
        <@UANA>: go-ahead from Ben, 14:08 UTC (yours). Do it before 14:18 UTC (yours): Resend the stuck batch.
        [Done…] [Not done]
        """,
    )
    story.at(8).do(dual_control.record_done, ask=seq, result="hash 3389e9f0")
    assert "Done once, 14:10 UTC (yours) by Ana with Ben: hash 3389e9f0. Asking again may pay twice." in read_message(
        story.message("section:horizon-outage:2")
    )


def test_the_form_of_a_go_repeats_what_it_is_for() -> None:
    story = asked()
    view = modals.go_form(story.incident, story.incident.open_asks[0], names=NAMES)
    assert read_view(view) == dedent(
        """
        == Give the go == [Go: Resend the stuck ba…]
        *Resend the stuck batch.*
        Count: 12 payouts
        Sum: NGN 1,200,000
        > ledger 5123 shows none of them
        ~ Ana does it, and says what came of it. You answer for the go with them.
        """
    ).strip("\n")


def test_refusals_and_lapses_reach_the_asker_as_new_messages() -> None:
    refused = asked()
    seq = max(refused.incident.asks)
    refused.at(6).do(dual_control.refuse_ask, by=BEN, ask=seq, reason="ledger is behind")
    assert read(refused.message(f"refused:{seq}").blocks) == (
        "<@UANA>: Ben refused: ledger is behind. Not to be done: Resend the stuck batch."
    )
    lapsed = asked().at(36).do(dual_control.expire_ask, by=BOT, ask=seq, policy=POLICY)
    assert read(lapsed.message(f"lapse:{seq}").blocks) == (
        "<@UANA>: nobody agreed before 14:38 UTC (yours), so it is not to be done: Resend the stuck batch. "
        "Ask again if it is still needed."
    )


def test_a_review_is_asked_for_and_then_one_line() -> None:
    story = declared().at(4)
    story.do(
        steps.finish,
        runbook="horizon-outage",
        step="2.1",
        confirmers=("UBEN",),
        text="queue doubling",
        policy=POLICY,
    )  # fmt: skip
    key = f"review:horizon-outage:2.1:{story.incident.seq}"
    shows(
        story,
        key,
        f"""
        [{key}] channel
        <@UBEN>: Ana did this alone, as one person may, 14:06 UTC (yours): Pause payouts. Look at it before 14:36 UTC (yours).
        > queue doubling
        [Reviewed]
        """,  # noqa: E501
    )
    story.at(9).do(dual_control.record_review, by=BEN, runbook="horizon-outage", step="2.1", policy=POLICY)
    shows(story, key, f"[{key}] channel (not sent anew)\n~ Reviewed by Ben: Pause payouts. Done by Ana.")


# -- updates and reminders --------------------------------------------------------------------------


def test_an_update_can_be_undone_for_half_a_minute() -> None:
    story = declared().at(9).do(
        cadence.post_update, text="Payouts paused.\nNothing sent twice.", next_by=None, impact="NG only", policy=POLICY
    )  # fmt: skip
    key = f"update:{story.incident.seq}"
    shows(
        story,
        key,
        f"""
        [{key}] channel
        *Update* by Ana, 14:11 UTC (yours)
        > Payouts paused.
        > Nothing sent twice.
        ~ Impact: NG only · next update by 14:41 UTC (yours)
        [Undo]
        """,
    )
    assert "[Undo]" not in read_message(story.message(key, timedelta(seconds=31)))
    assert f"announce-{key}" in story.sent()
    story.do(cadence.undo_update, seq=story.incident.seq, policy=POLICY)
    assert story.message(key).delete and story.message(f"announce-{key}").delete


def test_reminders_go_to_one_person_first_then_to_the_channel_and_leave_one_line() -> None:
    story = declared().at(25).do(cadence.remind, by=BOT, policy=POLICY)
    (first,) = (key for key in story.sent() if key.startswith("reminder:"))
    assert first.endswith(":UANA")
    shows(
        story,
        first,
        f"""
        [{first}] person:UANA
        INC-42: The update is due 14:32 UTC (yours).
        [Post update] [Nothing new] [Snooze 10 min]
        """,
    )
    story.at(32).do(cadence.remind, by=BOT, policy=POLICY)
    (second,) = (key for key in story.sent() if key.startswith("reminder:"))
    assert story.message(first).delete
    shows(
        story,
        second,
        f"""
        [{second}] channel
        <@UANA>: The update was due 14:32 UTC (yours); it is 2 min late.
        [Post update] [Nothing new] [Snooze 10 min]
        """,
    )
    story.at(33).do(cadence.nothing_new, policy=POLICY)
    shows(story, second, f"[{second}] channel (not sent anew)\n~ Update sent 14:35 UTC (yours), 3 min late.")


def test_waiting_ends_with_a_new_message_to_the_lead() -> None:
    story = declared().at(10).do(notes.wait_for, what="Stellar validators", look_again=None)
    seq = story.incident.seq
    assert "Waiting: Stellar validators, since 14:12 UTC (yours)" in read_message(story.message("card"))
    story.at(40).do(notes.stop_waiting, by=BOT)
    assert not story.message(f"waiting:{seq}").send_if_new
    assert read(story.message(f"look-again:{seq + 1}").blocks) == (
        "<@UANA>: Time to look again: Stellar validators.\n[Post update]"
    )


# -- people -----------------------------------------------------------------------------------------


def test_nobody_answers() -> None:
    story = Story().do(lifecycle.declare, by=BOT, number=43, title="Horizon down", severity=None, policy=POLICY)
    story.at(5).do(escalation.escalate_unanswered, by=BOT, policy=POLICY)
    story.at(10).do(escalation.escalate_unanswered, by=BOT, policy=POLICY)
    seq = story.incident.seq
    assert "Nobody has answered since 14:02 UTC (yours); 3 tried." in read_message(story.message("card"))
    shows(
        story,
        f"nobody:{seq}",
        f"""
        [nobody:{seq}] channel
        <@UCARLA> and <!subteam^SONCALL>: INC-43, SEV-2, Horizon down. Nobody has answered since 14:02 UTC (yours). Please take it.
        ~ No pager is set up: nobody asleep will hear this.
        [I have it]
        """,  # noqa: E501
    )
    story.at(11).do(lifecycle.acknowledge, by=CARLA)
    shows(story, f"nobody:{seq}", f"[nobody:{seq}] channel (not sent anew)\n~ Carla answered 14:13 UTC (yours).")
    assert story.message(f"nobody:{seq - 1}").delete


def test_a_role_changes_hands() -> None:
    story = declared().at(42).do(roles.take, by=CARLA, role="lead", user="UCARLA", policy=POLICY)
    key = f"offer:{story.incident.seq}"
    shows(
        story,
        key,
        f"""
        [{key}] channel
        <@UANA>: Carla is taking over as lead 14:49 UTC (yours), or as soon as you say fine.
        [Fine] [Not yet]
        """,
    )
    story.at(43).do(roles.accept, role="lead")
    assert read(story.message(key).blocks) == "~ Carla is the lead since 14:45 UTC (yours)."
    assert [one.target.user for one in story.messages() if one.key.startswith("role:")] == ["UCARLA"]


def test_the_assumed_severity_is_asked_once() -> None:
    story = declared(severity=None).at(5).do(lifecycle.ask_severity, by=BOT)
    assert "[SEV-1 is right] [SEV-2] [SEV-3]" in read_message(story.message("severity-ask"))
    story.do(lifecycle.change_severity, severity="sev1", reason="", responders=(), policy=POLICY)
    assert story.message("severity-ask").delete
    assert not [key for key in story.sent() if key.startswith("severity:")], "a confirmation is not news"


# -- customer comms ---------------------------------------------------------------------------------


def test_a_draft_is_shown_exactly_and_its_approver_sees_what_changed() -> None:
    story = drafted(declared().at(10), "d1", "Withdrawals in NG are delayed. Money is *safe*.")
    shows(
        story,
        "draft:d1",
        """
        [draft:d1] channel in thread of comms
        *Customers* · payment-delays · investigating · by Carla
        | Withdrawals in NG are delayed. Money is *safe*.
        ~ 2 account ids removed.
        ~ Promises the next text by 14:42 UTC (yours)
        ~ Expires 15:12 UTC (yours) · Ben or Dipo may approve
        [Approve] [Edit] [Discard]
        """,
    )
    story.happens(
        e.CommsApproved(by="UBEN", at=story.now, draft="d1", text_hash=""),
        e.CommsSending(by="bot", at=story.now, draft="d1"),
        e.CommsPublished(by="bot", at=story.now, draft="d1", publisher="slack", where="C0CUST"),
    )
    published = read_message(story.message("draft:d1"))
    assert "Sent to <#C0CUST> 14:12 UTC (yours); written by Carla, approved by Ben." in published
    assert "This is what was said last." in published
    assert "customers told 14:12 UTC (yours), promised 14:42 UTC (yours)" in read_message(story.message("card"))
    assert story.message("approve:d1:UDIPO").delete
    drafted(story, "d2", "Withdrawals in NG and KE are delayed. Money is *safe*.")
    asked_again = read_message(story.message("approve:d2:UBEN"))
    assert "New since you last approved: “Withdrawals in NG and KE are delayed.”" in asked_again
    assert "No longer in it: “Withdrawals in NG are delayed.”" in asked_again


def test_an_unknown_outcome_is_shown_to_a_person() -> None:
    story = drafted(declared(), "d1", "Delayed.")
    story.happens(
        e.CommsApproved(by="UBEN", at=story.now, draft="d1", text_hash=""),
        e.CommsUncertain(by="bot", at=story.now, draft="d1"),
    )
    shown = read_message(story.message("trouble:d1"))
    assert "<@UANA>: the text to customers was being sent" in shown
    assert "[It is there] [It is not there]" in shown


# -- endings ----------------------------------------------------------------------------------------


def test_who_asked_for_the_end_has_said_how_and_who_agreed_is_named_beside() -> None:
    story = declared().at(20)
    story.do(
        lifecycle.resolve, answers=[], note="fix out", override="counts follow", confirmers=("UBEN",), policy=POLICY
    )
    story.at(22).do(lifecycle.confirm_override, by=BEN, policy=POLICY)
    shown = read_message(story.message(f"status:{story.incident.seq}"))
    assert "Resolved by Ana: fix out." in shown
    assert "Resolved anyway: counts follow. Ben agreed." in shown
    assert story.incident.ended_by == "UANA", "for the card and the postmortem, too"


def test_the_end_in_three_lines() -> None:
    story = declared().at(20).do(cadence.post_update, text="Cause found", next_by=None, policy=POLICY)
    story.at(70).do(lifecycle.mitigate, note="fix out")
    checks = [e.Check(name=name, met="yes") for name, _ in POLICY.resolve_checks if name != "asks"]
    story.at(127).do(lifecycle.resolve, answers=checks, note="fix verified", policy=POLICY)
    key = f"status:{story.incident.seq}"
    shows(
        story,
        key,
        f"""
        [{key}] channel
        *Resolved: Withdrawals are stuck*: from declaration (14:02 UTC) 2 h 7 min.
        Mitigated: from declaration (14:02 UTC) 1 h 10 min.
        Resolved by Ana: fix verified.
        1 of 2 updates on time.
        Postmortem: <@UANA>, due Fri 2026-11-27.
        [Stand down] [Draft postmortem] [Reopen]
        """,
    )
    assert f"announce-end:{story.incident.seq}" in story.sent()
    assert "[Join]" not in read_message(story.message("announce"))
    story.at(128).do(lifecycle.stand_down)
    told = story.message(f"stand-down:{story.incident.seq}:UBEN")
    assert read_message(told).endswith("INC-42, Withdrawals are stuck: resolved. You can rest; Ana has it.")
    before = told.hash
    story.at(200).do(lifecycle.reopen, reason="again")
    assert story.message(told.key).hash == before, "what somebody was told then is not rewritten"


def test_an_override_asks_a_second_person_and_goes_when_it_is_answered() -> None:
    story = declared().at(30)
    story.do(lifecycle.resolve, override="all paid by hand", confirmers=("UBEN",), policy=POLICY)
    key = f"override:{story.incident.seq}"
    shown = read_message(story.message(key))
    assert "<@UBEN>: Ana asks to resolve INC-42 although conditions are open: all paid by hand." in shown
    assert "• Customers are no longer affected: unknown" in shown
    story.at(31).do(lifecycle.confirm_override, by=BEN, policy=POLICY)
    assert story.message(key).delete


def test_holding_begins_with_the_next_morning() -> None:
    view = modals.hold_form(declared().incident, Story().now, watcher="UBEN")
    assert read_view(view).splitlines()[1] == (
        "Quiet until *: ( ) 16:02 UTC ( ) 18:02 UTC ( ) 22:02 UTC (o) Sat 09:00 UTC"
    )


# -- the table --------------------------------------------------------------------------------------


def test_everything_that_can_be_pressed_is_bound_to_a_handler() -> None:
    story = drafted(asked(), "d1", "Delayed.").at(32).do(cadence.remind, by=BOT, policy=POLICY)
    pressed = set(re.findall(r"'action_id': '(inc:[a-z-]+)", str([one.blocks for one in story.messages()])))
    tray = modals.next_actions(story.incident, "UBEN", SETUP.policy, story.now)
    pressed |= set(re.findall(r"'action_id': '(inc:[a-z-]+)", str(tray)))
    assert len(pressed) > 15
    assert pressed - set(BUTTONS) == set()
