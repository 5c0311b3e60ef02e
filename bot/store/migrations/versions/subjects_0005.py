"""What is attended besides incidents: workspaces, and their calls. Only new tables: older versions go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _instant() -> sa.types.TypeEngine[object]:
    """Text of fixed width on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")  # type: ignore[return-value]


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "subjects",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("team_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("due_at", _instant()),
        sa.Column("lease_by", sa.String),
        sa.Column("lease_until", _instant()),
        sa.UniqueConstraint("team_id", "kind", name="uq_subjects_kind"),
    )
    op.create_index("ix_subjects_due", "subjects", ["due_at"])
    op.create_table(
        "subject_effects",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("team_id", sa.String, nullable=False),
        sa.Column("subject_id", sa.String(36), sa.ForeignKey("subjects.id"), nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("ts", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("started_at", _instant(), nullable=False),
        sa.Column("next_try_at", _instant()),
        sa.Column("error", sa.Text, nullable=False),
        sa.UniqueConstraint("subject_id", "key", name="uq_subject_effects_key"),
    )


def downgrade() -> None:
    """Refuse: who opened their Home, and which digests were posted, would be forgotten."""
    raise NotImplementedError("The calls of workspaces are not thrown away: restore the backup made before.")
