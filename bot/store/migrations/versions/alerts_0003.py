"""Which group of alerts began an incident. One column that may be empty: older versions go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("incidents", sa.Column("alert_group", sa.String(32)))
    op.create_index("ix_incidents_alert_group", "incidents", ["team_id", "alert_group"])


def downgrade() -> None:
    """Refuse: which alerts belong together would have to be guessed."""
    raise NotImplementedError("The groups of alerts are not thrown away: restore the backup made before.")
