"""Who let the bot in (tokens encrypted), and who was sent to Slack to do so. Only new tables: older versions go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _instant() -> sa.types.TypeEngine[object]:
    """Text of fixed width on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")  # type: ignore[return-value]


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "installations",
        sa.Column("team_id", sa.String, primary_key=True),
        sa.Column("enterprise_id", sa.String, nullable=False),
        sa.Column("bot_user", sa.String, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("installed_by", sa.String, nullable=False),
        sa.Column("installed_at", _instant(), nullable=False),
        sa.Column("revoked_at", _instant()),
    )
    op.create_table(
        "oauth_states",
        sa.Column("state", sa.String(64), primary_key=True),
        sa.Column("cookie", sa.String(64), nullable=False),
        sa.Column("team_id", sa.String, nullable=False),
        sa.Column("until", _instant(), nullable=False),
    )
    op.create_index("ix_oauth_states_until", "oauth_states", ["until"])


def downgrade() -> None:
    """Refuse: who let the bot in would have to do so again."""
    raise NotImplementedError("Installations are not thrown away: restore the backup made before.")
