"""The sentences that people read in Slack, so that wording can be reviewed here: one file for each kind of message.

Arguments are mrkdwn already: names from `RenderContext.person_name`, times from `RenderContext.when`, people's words
escaped and on one line. A sentence is short, calm and exact. It says what to do next and blames nobody. It mentions a
person only where that person should be notified. A form's questions stand in `surfaces/modals`, beside what they ask
for. A private answer stands in its handler, and a refusal in its rule.
"""
