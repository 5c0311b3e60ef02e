"""What `make test` leaves to CI, so that it stays a matter of minutes: THOROUGH=1 runs it as well.

Each line is the beginning of a test's id. What stays is a sample of every kind: each database, each story, each way in
which Slack and the database fail.
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
    "page/test_long_channel.py::test_a_long_channel_is_as_quick_as_a_short_one[write": "what is written is heard, too",
    "durability/test_replicas.py::test_killed_again": "kill after kill",
    "durability/test_copies.py": "sixty copies, each opened and verified",
    "test_cli.py::test_a_second_bot_on_one_file": "waits for a bot that might be stopping",
}


#: begun first where everything is run: at the end the others would wait for it
LONGEST = ["durability/test_killed_at_points.py::test_killed_at_any_point"]


def sorted_out(items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Those that are run, in their order, and those that are left to CI."""
    if THOROUGH:
        return sorted(items, key=lambda item: not _begins(item.nodeid, LONGEST)), []
    left = {item for item in items if OLDEST in item.name or _begins(item.nodeid, LEFT_TO_CI)}
    return [item for item in items if item not in left], [item for item in items if item in left]


def _begins(nodeid: str, beginnings: Iterable[str]) -> bool:
    return any(nodeid.removeprefix("tests/").startswith(one) for one in beginnings)
