"""What has to be known of a message once it was sent: columns of its call. Until now its key told that.

This is the one place that may read a key: rows of programs before this one say it in no other way.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: the first part of a key -> what the message is
_SURFACES = {
    "card": "card", "announce": "announce", "reminder": "reminder", "runbook": "runbook", "section": "section",
}  # fmt: skip
_LASTING = frozenset({"card", "announce", "comms", "runbook", "section"})
_FINAL = frozenset({"update", "announce-update", "severity", "note"})
#: keys with numbers that are no event's
_UNNUMBERED = frozenset({"reminder", "runbook", "section", "draft", "approve", "trouble"})
_NUMBER = re.compile(r":(\d{1,9})(?=:|$)")
#: rows that are written together
_ROWS_PER_BATCH = 500


def upgrade() -> None:
    """Add the columns with values that a program of before leaves as they are, and fill them for what is there."""
    op.add_column("effects", sa.Column("surface", sa.String, nullable=False, server_default=""))
    op.add_column("effects", sa.Column("lasting", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("effects", sa.Column("final", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("effects", sa.Column("numbered", sa.Integer, nullable=False, server_default="0"))
    op.add_column("effects", sa.Column("rung", sa.Integer))
    backfill(op.get_bind())


def backfill(connection: sa.Connection) -> None:
    """Fill the columns of rows that a program of before wrote, here or into the file that is read in."""
    effects = sa.table(
        "effects", *(sa.column(name) for name in ("id", "key", "kind", "surface", "numbered", "rung")),
        sa.column("lasting", sa.Boolean), sa.column("final", sa.Boolean),
    )  # fmt: skip
    names = ("surface", "lasting", "final", "numbered", "rung")
    set_fields = (
        sa.update(effects)
        .where(effects.c.id == sa.bindparam("which"))
        .values({name: sa.bindparam(f"new_{name}") for name in names})
    )
    rows = connection.execute(sa.select(effects.c.id, effects.c.key, effects.c.kind)).all()
    told = [(row.id, fields) for row in rows if (fields := _fields(row.key, row.kind))]
    for start in range(0, len(told), _ROWS_PER_BATCH):
        some = told[start : start + _ROWS_PER_BATCH]
        connection.execute(
            set_fields, [{"which": id, **{f"new_{name}": fields[name] for name in names}} for id, fields in some]
        )


def _fields(key: str, kind: str) -> dict[str, object]:
    """What the key tells; empty where it tells nothing."""
    first, *rest = key.split(":")
    fields: dict[str, object] = {
        "surface": "", "lasting": False, "final": False, "numbered": 0, "rung": None,
    }  # fmt: skip
    empty = dict(fields)
    if kind == "message":
        numbers = [] if first in _UNNUMBERED else [int(one) for one in _NUMBER.findall(key)]
        fields |= {
            "surface": _SURFACES.get(first, ""), "lasting": first in _LASTING, "final": first in _FINAL,
            "numbered": max(numbers, default=0),
            "rung": int(rest[0]) if first == "reminder" and rest and rest[0].isdigit() else None,
        }  # fmt: skip
    return {} if fields == empty else fields


def downgrade() -> None:
    """Refuse: the program of before goes on with these columns as they are."""
    raise NotImplementedError("The program of before needs no other shape: it goes on with this one.")
