"""What `make test` leaves to CI, so that it stays a matter of minutes: THOROUGH=1 runs it as well.

Each line is the beginning of a test's id; `tests/` at its very beginning is left out. What stays is a sample of every
kind: each database, each story, each way in which Slack and the database fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import pytest

#: whether all of it is run
THOROUGH = bool(os.environ.get("THOROUGH"))
#: the oldest PostgreSQL that is supported; the newest has every test of the store
OLDEST = "postgres16"
#: beginning of the id -> why it takes long
LEFT_TO_CI = {
    "story/test_foreign_words.py::test_nothing_that_is_sent": "each conversation; the source is read",
    "story/test_alerts.py::test_a_storm[1,000": "a thousand requests; 240 are tried",
    "durability/test_alerts_at_once.py::test_one_incident_a_group[two replicas and": "2,000 deliveries; 240 are tried",
    "durability/test_stopped.py::test_told_to_stop[a call that hangs": "waits out the ten seconds of an orderly stop",
    "durability/test_crash_points.py::test_the_process_dies_on_postgresql": "every story again",
    "durability/test_crash_points.py::test_a_public_text_on_postgresql": "every point again",
    "durability/test_killed_at_points.py::test_killed_at_any_point[postgres": "a process for each life",
    "durability/test_killed_at_points.py::test_killed_under_a_flood": "a flood",
    "durability/test_replicas.py::test_people_talk_to_all_of_them[socket": "the other way of delivery is tested",
    "durability/test_replicas.py::test_two_claim": "many races",
    "durability/test_replicas.py::test_one_is_cut_off_from_the_database[reset": "the black hole is tested",
    "durability/test_replicas.py::test_all_are_restarted": "restarts three processes under load",
    "durability/test_replicas.py::test_the_database_restarts": "waits for three processes to come back",
    "durability/test_replicas.py::test_what_one_hears": "waits for three processes",
    "durability/test_database_faults.py::test_the_line_fails": "waits for the database's time-outs, story after story",
    "durability/test_database_faults.py::test_each_commit_of_an_event_in_doubt": "waits for time-outs",
    "durability/test_database_faults.py::test_it_goes_on_by_itself[blackhole": "waits for time-outs",
    "durability/test_database_faults.py::test_another_program_holds_the_lock[for longer": "waits it out",
    "durability/test_database_away.py::test_everything_that_people_do[a file that can only be read, by": "by HTTP too",
    "durability/test_database_away.py::test_who_was_deactivated": "waits for the lock",
    "durability/test_deadlines.py::test_the_database_takes_its_time[5 s": "waits for time-outs",
    "durability/test_cut_answers.py::test_an_answer_breaks_off[pins": "the bot treats all methods alike",
    "durability/test_cut_answers.py::test_an_answer_breaks_off[bookmarks": "the bot treats all methods alike",
    "durability/test_cut_answers.py::test_an_answer_breaks_off[conversations.setTopic": "the bot treats all alike",
    "durability/test_restored.py::test_a_backup_of_any_moment": "a restore for each moment",
    "story/test_faults.py::test_every_method[no answer": "waits for answers that do not come",
    "story/test_faults.py::test_every_method[cut": "500 before and after are tested, which the bot treats alike",
    "story/test_faults.py::test_refused_all_along": "the story again for each refusal",
    "story/test_faults.py::test_lost_and_not": "the story again",
    "durability/test_crash_points.py::test_the_process_dies_at_every_point[resolved": "every point of a long story",
    "durability/test_crash_points.py::test_the_process_dies_at_every_point[steps": "every point of a long story",
    "durability/test_crash_points.py::test_the_process_dies_at_every_point[a severity": "every point of a long story",
    "durability/test_crash_points.py::test_the_process_dies_at_every_point[an update": "every point of a long story",
    "durability/test_crash_points.py::test_the_process_dies_at_every_point[nobody": "every point of a long story",
    "durability/test_crash_points.py::test_the_process_dies_at_every_point[an alert": "every point of a long story",
    "durability/test_crash_points.py::test_a_public_text_is_sent_once": "every point of a long story",
    "durability/test_database_faults.py::test_a_commit_in_doubt[it is given up": "waits for time-outs",
    "durability/test_database_away.py::test_everything_that_people_do[a server that answers": "waits for time-outs",
    "durability/test_deadlines.py::test_the_database_takes_its_time[5": "waits",
    "durability/test_crash_and_fault.py::test_it_dies_and_slack_fails[500": "a cut connection is the same to the bot",
    "durability/test_crash_and_fault.py::test_it_dies_and_slack_fails[hang": "waits for answers that do not come",
    "page/test_accessibility.py::test_each_state[dark-small": "every size in the light",
    "page/test_accessibility.py::test_each_state[dark-phone": "every size in the light",
    "page/test_accessibility.py::test_each_state[dark-200": "every size in the light",
    "story/test_may_not_act.py::test_whatever_they_try[a program": "a guest and a stranger try it",
    "story/test_may_not_act.py::test_whatever_they_try[somebody gone": "a guest and a stranger try it",
    "story/test_rights.py::test_values_that_nobody_was_given[lists": "the same door with other values",
    "story/test_rights.py::test_values_that_nobody_was_given[numbers": "the same door with other values",
    "story/test_rights.py::test_values_that_nobody_was_given[words": "the same door with other values",
    "story/test_faults.py::test_every_method[500, not": "a refusal before the work is tried in many places",
    "story/test_faults.py::test_deliveries[": "the story again; each delivery alone is tested elsewhere",
    "story/test_faults.py::test_every_method[slow": "the story again for each kind; 429 and 500 stay",
    "story/test_faults.py::test_every_method[fatal": "the story again",
    "story/test_faults.py::test_every_method[internal": "the story again",
    "story/test_faults.py::test_every_method[a scope": "the story again",
    "story/test_faults.py::test_every_method[a method": "the story again",
    "story/test_rights.py::test_values_that_nobody_was_given[nothing": "the same door with other values",
    "page/test_accessibility.py::test_each_state[light-small": "a phone is looked at",
    "localslack/tests/page/test_long_channel.py::test_a_long_channel_is_as_quick_as_a_short_one[write": "heard as well",
    "durability/test_replicas.py::test_killed_again": "kill after kill",
    "durability/test_copies.py": "sixty copies, each opened and verified",
    "test_cli.py::test_a_second_bot_on_one_file": "waits for a bot that might be stopping",
    "story/test_outsider.py": "all that there is, tried by people who may not; others try parts of it",
    "story/test_alerts.py::test_a_storm": "hundreds of requests",
    "story/test_strict.py::test_the_whole_story": "the story again",
    "story/test_faults.py::test_the_public_text_is_refused": "the story again",
    "story/test_faults.py::test_an_expired_ticket": "the story again",
    "story/test_rights.py::test_values_that_nobody_was_given": "every verb and form, again and again",
    "store/test_dump.py::test_rows_stream": "writes and reads a long file",
    "durability/test_database_faults.py::test_a_commit_in_doubt": "waits for time-outs",
    "durability/test_replicas.py::test_one_is_cut_off": "waits for time-outs",
    "durability/test_replicas.py::test_one_stands_still": "waits for a lease",
    "web/test_slack_payload.py::test_what_people_click": "much that is made up",
    "upgrade/test_upgrade.py::test_the_version_before": "starts a program of another version",
    "upgrade/test_upgrade.py::test_each_old_button[postgres": "the file has the same buttons",
    "test_logs.py::test_a_test_that_writes_a_secret_fails": "runs tests of its own",
}
#: beginning of the id -> of so many tests that begin so, in their order, one is run
SAMPLED = {
    "localslack/tests/page/test_untrusted.py": 6,
    "page/test_tools.py": 5,
    "page/test_keyboard.py": 4,
    "localslack/tests/page/test_notices.py": 4,
    "localslack/tests/page/test_blocks.py": 4,
    "page/test_accessibility.py": 4,
    "localslack/tests/page/test_long_channel.py": 4,
    "slack/workspace/test_first_start.py::test_it_listens_serves": 4,
    "slack/workspace/test_first_start.py::test_one_of_two_workspaces": 3,
    "slack/inbound/test_dispatch.py::test_a_title_is_never_a_command": 4,
    "slack/inbound/test_dispatch.py::test_nor_in_an_incidents_channel": 4,
    "slack/handlers/test_more.py::test_a_form_does_what_the_word_does": 3,
    "store/test_shared.py::test_a_database_that_is_cut_off": 3,
    "slack/test_bad_input.py::test_each_call_of_a_declaration": 6,
    "slack/test_bad_input.py::test_words_that_cannot_be_followed": 4,
    "slack/test_bad_input.py::test_a_guest_types": 3,
    "store/test_audit.py::test_any_changed_column_is_found": 6,
    "store/test_audit.py::test_the_index_row": 3,
    "store/test_audit.py::test_tampering_is_named": 3,
    "store/test_codec.py::test_every_event_is_read": 4,
    "store/test_dump.py::test_a_file_that_is_not_whole": 4,
    "store/test_dump.py::test_a_made_up_file": 3,
    "store/test_faults.py::test_what_was_acknowledged_survives_kill_9": 5,
    "store/test_redaction.py::test_whatever_is_taken_out": 6,
    "story/test_whole_story.py": 3,
    "story/test_faults.py::test_every_method": 2,
    "story/test_may_not_act.py::test_whatever_they_try": 2,
    "story/test_comms.py::test_no_verb_keeps_a_secret": 5,
    "story/test_odd_texts.py": 6,
    "story/test_rights.py::test_who_is_not_named": 3,
    "durability/test_crash_points.py::test_the_process_dies_at_every_point": 3,
    "durability/test_crash_and_fault.py": 4,
    "durability/test_killed.py::test_killed_right_after_the_declaration": 2,
    "durability/test_four_times.py": 5,
    "durability/test_database_away.py::test_everything_that_people_do": 4,
    "durability/test_cut_answers.py": 3,
    "durability/test_refusals.py": 3,
    "durability/test_stopped.py::test_told_to_stop": 2,
    "comms/test_hostile_templates.py::test_refused_within_bounds": 4,
    "web/test_strangers.py::test_a_recorded_request": 3,
    "test_cli.py::test_run_": 2,
    "upgrade/test_upgrade.py::test_each_old_button": 12,
    "test_several_workspaces.py::test_one_leaves_and_comes_back": 2,
}


#: begun first where everything is run: at the end the others would wait for it
LONGEST = ["durability/test_killed_at_points.py::test_killed_at_any_point"]


def sorted_out(items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Those that are run, in their order, and those that are left to CI."""
    if THOROUGH:
        return sorted(items, key=lambda item: not _begins(item.nodeid, LONGEST)), []
    left = {item for item in items if OLDEST in item.name or _begins(item.nodeid, LEFT_TO_CI)}
    for beginning, one_of in SAMPLED.items():
        alike = [item for item in items if item not in left and _begins(item.nodeid, (beginning,))]
        left |= {item for number, item in enumerate(alike) if number % one_of}
    return [item for item in items if item not in left], [item for item in items if item in left]


def _begins(nodeid: str, beginnings: Iterable[str]) -> bool:
    return any(nodeid.removeprefix("tests/").startswith(one) for one in beginnings)
