"""Words that a public text must not have, words to think about, and texts that are left alone."""

from __future__ import annotations

import pytest

from bot.comms.tone import RULES, tone


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param("Payments are moving!", "exclamation", id="exclamation mark"),
        pytest.param("Payments are moving！", "exclamation", id="a full-width one"),
        pytest.param("ETA 15:00 UTC.", "eta", id="ETA"),
        pytest.param("We expect this to be resolved by 15:00 UTC.", "eta", id="a promised time"),
        pytest.param("Payouts will be restored within 20 minutes.", "eta", id="a promised duration"),
        pytest.param("Payouts should be normal by Friday.", "eta", id="a promised day"),
        pytest.param("This should be fixed.", "should-be", id="should be"),
        pytest.param("Hopefully it holds.", "hopefully", id="hopes"),
        pytest.param("Hope\u00adfully it holds.", "hopefully", id="hopes, hyphenated invisibly"),
        pytest.param("We will write again shortly.", "soon", id="shortly"),
        pytest.param("Look again in 20 minutes.", "soon", id="in n minutes"),
        pytest.param("We will publish the root cause.", "root-cause-promise", id="promised cause"),
        pytest.param("A postmortem will follow by Friday.", "root-cause-promise", id="promised postmortem"),
        pytest.param("This will not happen again.", "never-again", id="never again"),
        pytest.param("No customers were affected.", "nobody-affected", id="nobody affected"),
        pytest.param("All funds are safe.", "funds-safe", id="funds are safe"),
        pytest.param("We were hacked.", "security-words", id="hacked"),
        pytest.param("We will refund you.", "legal-words", id="refund"),
        pytest.param("Our vendor failed.", "blame", id="a vendor"),
        pytest.param("It was caused by an engineer.", "blame", id="an engineer"),
        pytest.param("It was human error.", "blame", id="human error"),
        pytest.param("A small hiccup.", "making-light", id="hiccup"),
        pytest.param("Sorry for any inconvenience.", "stock-apology", id="stock apology"),
        pytest.param("Payments are late 🙏", "emoji", id="emoji"),
        pytest.param("Payments are late :pray:", "emoji", id="Slack's emoji"),
    ],
)
def test_refused_words(text: str, rule: str) -> None:
    assert (rule, "error") in [(finding.rule, finding.level) for finding in tone(text)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param("It began earlier today.", "relative-time", id="earlier today"),
        pytest.param("It began at 14:32.", "no-zone", id="a time without zone"),
        pytest.param("It began at 3pm.", "no-zone", id="pm"),
        pytest.param("We believe the bank is slow.", "hedge", id="belief"),
        pytest.param("The database was slow.", "jargon", id="database"),
        pytest.param("This is a SEV-1.", "jargon", id="severity"),
        pytest.param("Payments are DELAYED.", "shouting", id="capitals"),
        pytest.param("Payments " + "that wait " * 20 + "are held.", "long-sentence", id="forty words"),
    ],
)
def test_words_to_think_about(text: str, rule: str) -> None:
    assert (rule, "warning") in [(finding.rule, finding.level) for finding in tone(text)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Since 13:40 UTC, payouts to Nigeria are delayed. Next update: 14:32 UTC.", id="an update"),
        pytest.param("We will write as soon as we know more.", id="as soon as"),
        pytest.param("None has been lost and none has been paid twice.", id="what was checked"),
        pytest.param("Payments will be completed in the order in which they came.", id="an order, not a time"),
        pytest.param("We are sorry for the delay.", id="a plain apology"),
        pytest.param("The fee is 5 €; 20 °C; Example™.", id="signs that are no pictures"),
        pytest.param("From 09:00 Z to 10:00 GMT, or 11:00 +01:00.", id="zones"),
        pytest.param("", id="nothing"),
    ],
)
def test_calm_texts(text: str) -> None:
    assert tone(text) == ()


def test_errors_come_first_and_once() -> None:
    levels = [finding.level for finding in tone("The database! The database! It began at 14:32.")]
    assert levels == ["error", "warning", "warning"]


def test_every_rule_says_why() -> None:
    assert all(rule.why.endswith(".") for rule in RULES)
