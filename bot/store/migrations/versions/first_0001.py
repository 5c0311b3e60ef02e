"""The first tables: teams, incidents, events, effects, deliveries, people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _instant() -> sa.types.TypeEngine[object]:
    """Text of fixed width on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")  # type: ignore[return-value]


def upgrade() -> None:
    """Make every table and index, written out: what a release made does not change with the code."""
    op.create_table(
        "teams",
        sa.Column("team_id", sa.String, primary_key=True),
        sa.Column("next_number", sa.Integer, nullable=False),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("team_id", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("declared_at", _instant(), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("head", sa.String, nullable=False),
        sa.Column("redactions", sa.Integer, nullable=False),
        sa.Column("due_at", _instant()),
        sa.Column("lease_by", sa.String),
        sa.Column("lease_until", _instant()),
        sa.UniqueConstraint("team_id", "number", name="uq_incidents_number"),
    )
    op.create_index("ix_incidents_due", "incidents", ["due_at"])
    op.create_index("ix_incidents_channel", "incidents", ["team_id", "channel"])
    op.create_index("ix_incidents_status", "incidents", ["team_id", "status", "number"])
    op.create_table(
        "events",
        sa.Column("incident_id", sa.String, sa.ForeignKey("incidents.id"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("team_id", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("v", sa.Integer, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("by_", sa.String, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("salt", sa.String(32)),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("redacted", sa.String(64)),
    )
    op.create_table(
        "effects",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("team_id", sa.String, nullable=False),
        sa.Column("incident_id", sa.String, sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("ts", sa.String, nullable=False),
        sa.Column("thread_ts", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("started_at", _instant(), nullable=False),
        sa.Column("next_try_at", _instant()),
        sa.Column("error", sa.Text, nullable=False),
        sa.UniqueConstraint("incident_id", "key", name="uq_effects_key"),
    )
    op.create_index("ix_effects_state", "effects", ["state"])
    op.create_table(
        "deliveries",
        sa.Column("team_id", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("at", _instant(), nullable=False),
    )
    op.create_index("ix_deliveries_at", "deliveries", ["at"])
    op.create_table(
        "people",
        sa.Column("team_id", sa.String, primary_key=True),
        sa.Column("user_id", sa.String, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", _instant(), nullable=False),
    )


def downgrade() -> None:
    """Refuse: a timeline is not taken back."""
    raise NotImplementedError("A timeline is not taken back: restore the backup made before.")
