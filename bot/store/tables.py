"""The tables. `events` is the truth; `incidents` is its index, one row each, rebuildable by folding."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from bot.store.timestamps import UtcTimestamp

metadata = MetaData()

teams = Table(
    "teams",
    metadata,
    Column("team_id", String, primary_key=True),
    Column("next_number", Integer, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("team_id", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("channel", String, nullable=False),
    Column("status", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("declared_at", UtcTimestamp, nullable=False),
    Column("seq", Integer, nullable=False),
    #: seals the chain's last mac, so that a cut tail shows
    Column("head", String, nullable=False),
    #: how many bodies were redacted: a fold of before is not a fold of now
    Column("redactions", Integer, nullable=False),
    #: which group of alerts began it
    Column("alert_group", String(32)),
    Column("due_at", UtcTimestamp),
    Column("lease_by", String),
    Column("lease_until", UtcTimestamp),
    UniqueConstraint("team_id", "number", name="uq_incidents_number"),
)
Index("ix_incidents_due", incidents.c.due_at)
Index("ix_incidents_channel", incidents.c.team_id, incidents.c.channel)
Index("ix_incidents_alert_group", incidents.c.team_id, incidents.c.alert_group)
Index("ix_incidents_status", incidents.c.team_id, incidents.c.status, incidents.c.number)

events = Table(
    "events",
    metadata,
    Column("incident_id", String, ForeignKey("incidents.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("team_id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("v", Integer, nullable=False),
    #: text on every database: the mac covers these very characters
    Column("at", String(27), nullable=False),
    Column("by_", String, nullable=False),
    Column("body", Text),
    Column("salt", String(32)),
    Column("digest", String(64), nullable=False),
    Column("mac", String(64), nullable=False),
    #: proves that a missing body was redacted by this program
    Column("redacted", String(64)),
)

effects = Table(
    "effects",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("team_id", String, nullable=False),
    Column("incident_id", String, ForeignKey("incidents.id"), nullable=False),
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("ts", String, nullable=False),
    Column("thread_ts", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", UtcTimestamp, nullable=False),
    Column("next_try_at", UtcTimestamp),
    Column("error", Text, nullable=False),
    #: what has to be known of a message once it was sent; a program of before leaves these as they are
    Column("surface", String, nullable=False, server_default=text("''")),
    Column("lasting", Boolean, nullable=False, server_default=false()),
    Column("final", Boolean, nullable=False, server_default=false()),
    Column("numbered", Integer, nullable=False, server_default="0"),
    Column("rung", Integer),
    UniqueConstraint("incident_id", "key", name="uq_effects_key"),
)
Index("ix_effects_state", effects.c.state)

#: what is attended besides incidents; an incident's own due time and lease stand in its row
subjects = Table(
    "subjects",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("team_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("created_at", UtcTimestamp, nullable=False),
    #: counts what was asked of it, so that nothing that comes during a visit is forgotten
    Column("seq", Integer, nullable=False),
    Column("due_at", UtcTimestamp),
    Column("lease_by", String),
    Column("lease_until", UtcTimestamp),
    UniqueConstraint("team_id", "kind", name="uq_subjects_kind"),
)
Index("ix_subjects_due", subjects.c.due_at)

subject_effects = Table(
    "subject_effects",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("team_id", String, nullable=False),
    Column("subject_id", String(36), ForeignKey("subjects.id"), nullable=False),
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("ts", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    #: of a Home: when its person, who is its `channel`, opened it last
    Column("started_at", UtcTimestamp, nullable=False),
    Column("next_try_at", UtcTimestamp),
    Column("error", Text, nullable=False),
    UniqueConstraint("subject_id", "key", name="uq_subject_effects_key"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("team_id", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("incident_id", String, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", UtcTimestamp, nullable=False),
)
Index("ix_deliveries_at", deliveries.c.at)

people = Table(
    "people",
    metadata,
    Column("team_id", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", UtcTimestamp, nullable=False),
)

installations = Table(
    "installations",
    metadata,
    Column("team_id", String, primary_key=True),
    Column("enterprise_id", String, nullable=False),
    Column("bot_user", String, nullable=False),
    Column("scopes", Text, nullable=False),
    #: encrypted with a key that lives elsewhere; empty once revoked
    Column("token", Text, nullable=False),
    Column("installed_by", String, nullable=False),
    Column("installed_at", UtcTimestamp, nullable=False),
    Column("revoked_at", UtcTimestamp),
)

#: who was sent to Slack to install the bot and has not come back; hashes only
oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state", String(64), primary_key=True),
    Column("cookie", String(64), nullable=False),
    Column("team_id", String, nullable=False),
    Column("until", UtcTimestamp, nullable=False),
)
Index("ix_oauth_states_until", oauth_states.c.until)
