"""What can be done inside one transaction. Synchronous: it runs on the writer's thread, over a Connection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from bot.domain.effect import Effect
from bot.domain.errors import Conflict, LeaseLost, NewerThanThisProgram
from bot.domain.events import Entry, Event, Unknown
from bot.domain.fold import evolve
from bot.domain.incident import Incident
from bot.store import append_sql, chain, codec, effects_sql, lease_sql, read_sql, rearm
from bot.store.append_sql import INCIDENT_CHANGED_CHANNEL
from bot.store.fold_cache import FoldCache, FoldedIncident
from bot.store.index_rows import index_row
from bot.store.lease_sql import LeaseSql
from bot.store.rows import DeliveryRow
from bot.store.subjects_sql import SqlWorkspaceRows
from bot.store.tables import deliveries, events, incidents, teams
from bot.store.timestamps import UtcTimestamp

_i, _e = incidents.c, events.c

NOTIFY_SQL = text("SELECT pg_notify(:channel, :what)")
#: the same of a workspace's people and groups
PEOPLE_CHANGED_CHANNEL = "people_changed"

_COUNT = (
    update(teams)
    .where(teams.c.team_id == bindparam("team"))
    .values(next_number=teams.c.next_number + 1)
    .returning(teams.c.next_number)
)
#: a team's counter before its first incident; several processes may come to that at once
_FIRST = text("INSERT INTO teams (team_id, next_number) VALUES (:team, 1) ON CONFLICT (team_id) DO NOTHING")
_NEW_EVENTS, _NEW_INCIDENT, _NEW_DELIVERY = insert(events), insert(incidents), insert(deliveries)
_SET_DUE = (
    update(incidents).where(_i.id == bindparam("key"), _i.seq == bindparam("was")).values(due_at=bindparam("due_at"))
)
#: one statement: several processes may learn of a person at once
_PERSON = text(
    "INSERT INTO people (team_id, user_id, body, at) VALUES (:team, :user, :body, :at) "
    "ON CONFLICT (team_id, user_id) DO UPDATE SET body = excluded.body, at = excluded.at"
).bindparams(bindparam("at", type_=UtcTimestamp()))


class SqlTransaction:
    """One job's hold on the database. What it writes is there for all when the job's `write` returns, or never."""

    def __init__(
        self,
        connection: Connection,
        key: bytes,
        cache: FoldCache,
        batch: Mapping[str, FoldedIncident],
        holder: LeaseSql | None = None,
    ) -> None:
        self._connection = connection
        #: this process, where several share the database
        self._holder = holder
        self._key = key
        self._cache = cache
        #: folded by jobs that share the commit and come before this one
        self._batch = batch
        #: index rows that this job has read and locked, as they stand
        self._states: dict[str, RowMapping | None] = {}
        #: folded by this job: reaches the cache only with the commit
        self.folds: dict[str, FoldedIncident] = {}

    @property
    def connection(self) -> Connection:
        """For what has its own file: functions over a transaction (installations.py)."""
        return self._connection

    @property
    def workspaces(self) -> SqlWorkspaceRows:
        """What can be done to workspaces in this transaction."""
        return SqlWorkspaceRows(self._connection, self._holder)

    # -- deliveries -----------------------------------------------------------------------------------

    def delivery(self, team: str, key: str) -> DeliveryRow | None:
        """What was done for this delivery; None for one never seen."""
        row = self._connection.execute(read_sql.DELIVERY, {"team": team, "key": key}).mappings().first()
        return read_sql.delivery(row) if row else None

    def save_delivery(self, team: str, key: str, incident_id: str, answer: str, at: datetime) -> None:
        """Keep the answer to a delivery. Raises Conflict when somebody else has just done so."""
        try:
            self._connection.execute(
                _NEW_DELIVERY,
                {"team_id": team, "key": key, "incident_id": incident_id, "answer": answer, "at": at},
            )
        except IntegrityError:
            raise Conflict("this delivery was acted on meanwhile") from None

    def forget_deliveries(self, before: datetime) -> int:
        """Forget the deliveries of before that moment; how many they were."""
        return self._connection.execute(delete(deliveries).where(deliveries.c.at < before)).rowcount

    # -- incidents ------------------------------------------------------------------------------------

    def next_number(self, team: str) -> int:
        """The team's next incident number, from 1, without gaps: it is given back when the job fails."""
        counted = self._connection.execute(_COUNT, {"team": team}).scalar()
        if counted is None:
            self._connection.execute(_FIRST, {"team": team})
            counted = self._connection.execute(_COUNT, {"team": team}).scalar_one()
        return int(counted) - 1

    def incident(self, id: str) -> Incident | None:
        """The incident as it stands in this transaction."""
        one = self._folded(id)
        return one.incident if one else None

    def cached(self, id: str) -> Incident | None:
        """The incident as this process last knew it; None where it does not. Nothing is asked: `append` is refused
        where somebody else has written since."""
        one = self.folds.get(id) or self._batch.get(id) or self._cache.if_fresh(id)
        if one is None:
            return None
        self.folds[id] = one
        return one.incident

    def incident_by_alert_group(self, team: str, group: str) -> Incident | None:
        """The incident of this group of alerts: the one that is open, else the latest; of a duplicate the other one."""
        id = self._connection.execute(read_sql.ID_BY_ALERT_GROUP, {"team": team, "group": group}).scalar()
        found, seen = self.incident(str(id)) if id else None, set[int]()
        while found is not None and found.duplicate_of and found.number not in seen:
            seen.add(found.number)
            id = self._connection.execute(read_sql.FIND, {"team": team, "number": found.duplicate_of}).scalar()
            found = self.incident(str(id)) if id else found
        return found

    def entries(self, id: str) -> list[Entry]:
        """The whole timeline in this transaction, in order."""
        return read_sql.entries(self._connection.execute(read_sql.TIMELINE, {"id": id}).mappings().all())

    def _folded(self, id: str) -> FoldedIncident | None:
        state = self._state(id)
        if state is None:
            return None
        head, redactions = state["head"], state["redactions"]
        for kept in (self.folds.get(id), self._batch.get(id)):
            if kept and kept.head == head and kept.redactions == redactions:
                return kept
        one = self._cache.get(id, head, redactions)
        if one is None:
            one = self._read(id, state)
        self.folds[id] = one
        return one

    def _state(self, id: str) -> RowMapping | None:
        if id not in self._states:
            self._states[id] = self._connection.execute(read_sql.STATE_TO_WRITE, {"id": id}).mappings().first()
        return self._states[id]

    def _read(self, id: str, state: RowMapping) -> FoldedIncident:
        if (known := read_sql.usable_fold(self._cache.latest(id), state)) is None:
            return read_sql.fold_rows(
                id, state, self._connection.execute(read_sql.TIMELINE, {"id": id}).mappings().all()
            )
        tail = self._connection.execute(read_sql.TAIL, {"id": id, "after": known.incident.seq}).mappings().all()
        return read_sql.fold_more(known, state, tail)

    def append(
        self, incident: Incident, new: Sequence[Event], due_at: datetime | None,
        delivery: tuple[str, datetime] | None = None, effects: Sequence[Effect] | None = None,
    ) -> Incident:  # fmt: skip
        """Write what happened, in order, and when the incident is to be looked at; the incident afterwards.

        `delivery`: the key and moment of what brought it about, which is remembered with it. `effects`: calls, written
        down with it by whoever attends the incident. Raises Conflict when `incident` is not the latest state, when the
        delivery was acted on already, and, with `effects`, when another process attends it. Raises
        NewerThanThisProgram when its timeline holds what this program does not understand.
        """
        if not new:
            return incident
        if incident.unknown_event_type:
            raise NewerThanThisProgram(
                f"{incident.name} was changed by a newer version of this bot, so this version only reads it. "
                "Nothing was recorded. Update the bot and try again."
            )
        team, id = incident.team, incident.id
        last = self._latest(incident)
        mac = last.mac if last else ""
        rows: list[dict[str, Any]] = []
        for event in new:
            if isinstance(event, Unknown):
                raise ValueError("an unknown event is never written")
            written, kept = codec.encode(event)
            seq, salt = incident.seq + 1, chain.new_salt()
            digest = chain.digest(self._key, salt, written.body)
            mac = chain.link(self._key, mac, team, id, seq, written.type, written.v, written.at, written.by, digest)
            rows.append(
                {
                    "incident_id": id, "seq": seq, "team_id": team, "type": written.type, "v": written.v,
                    "at": written.at, "by_": written.by, "body": written.body, "salt": salt, "digest": digest,
                    "mac": mac,
                }
            )  # fmt: skip
            incident = evolve(incident, Entry(seq, kept))
        head = chain.head(self._key, team, id, incident.seq, mac)
        index = {**index_row(incident), "head": head, "due_at": due_at}
        if last is not None:
            told = self._holder.owner if self._holder else ""
            append_sql.append(self._connection, team, id, last.head, index, rows, delivery, told, effects)
        else:
            self._begin(incident, index, rows)
            if delivery is not None:
                self.save_delivery(team, delivery[0], id, "", delivery[1])
        self._states.pop(id, None)
        self.folds[id] = FoldedIncident(incident, mac, head, last.redactions if last else 0)
        return incident

    def _latest(self, incident: Incident) -> FoldedIncident | None:
        """The place in the chain where `incident` stands; None before its first event. Raises Conflict elsewhere."""
        if incident.seq == 0:
            return None
        one = self.folds.get(incident.id)
        if one is None or one.incident is not incident:
            one = self._folded(incident.id)
            if one is None or one.incident != incident:
                raise Conflict("somebody else wrote to this incident first")
        return one

    def _begin(self, incident: Incident, index: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the first rows of an incident."""
        try:
            self._connection.execute(
                _NEW_INCIDENT, {"id": incident.id, "team_id": incident.team, "redactions": 0, **index}
            )
            self._connection.execute(_NEW_EVENTS, rows)
        except IntegrityError:
            raise Conflict("this incident was declared meanwhile") from None
        if self._holder:
            self.claim(incident.id)  # who declares goes on with it: nobody else claims it in between
            self._connection.execute(
                NOTIFY_SQL, {"channel": INCIDENT_CHANGED_CHANNEL, "what": f"{self._holder.owner}:{incident.id}"}
            )

    def redact(self, id: str, seqs: Iterable[int]) -> Incident:
        """Take the bodies of these events out for good; the chain still verifies. The incident afterwards.

        What is left of them, by whom and why it was done is for the caller to append before. Raises Conflict when the
        incident is gone.
        """
        gone = 0
        for row in self._connection.execute(
            select(_e.seq, _e.team_id, _e.digest).where(
                _e.incident_id == id, _e.seq.in_(list(seqs)), _e.body.is_not(None)
            )
        ).all():
            mark = chain.redaction(self._key, row.team_id, id, row.seq, row.digest)
            self._connection.execute(
                update(events)
                .where(_e.incident_id == id, _e.seq == row.seq)
                .values(body=None, salt=None, redacted=mark)
            )
            gone += 1
        self._connection.execute(update(incidents).where(_i.id == id).values(redactions=_i.redactions + gone))
        self._states.pop(id, None)
        one = self._folded(id)
        if one is None:
            raise Conflict("there is no such incident any more")
        # the index row must not go on saying what was taken out
        self._connection.execute(update(incidents).where(_i.id == id).values(**index_row(one.incident)))
        return one.incident

    # -- when -----------------------------------------------------------------------------------------

    def set_due(self, incident_id: str, seq: int, due_at: datetime | None) -> bool:
        """Look at the incident again at `due_at` (None: never), unless something has happened after `seq`."""
        done = self._connection.execute(_SET_DUE, {"key": incident_id, "was": seq, "due_at": due_at})
        return done.rowcount == 1

    # -- who attends it, where several processes share the database ------------------------------------

    def claim_due(self, due: datetime, limit: int, but: Collection[str] = (), worst: tuple[str, ...] = ()) -> list[str]:
        """Claim incidents that are due at `due` and that nobody else holds, none of `but`; their ids.

        In the order of `read_sql.order`.
        """
        values = {"due": due, "most": limit, "but": list(but), **read_sql.due_values(worst, due)}
        rows = self._connection.execute(self._shared().claim_due(worst), values).all()
        longest = sorted(rows, key=lambda row: (row.due_at, row.id))  # RETURNING keeps no order
        if not worst:
            return [row.id for row in longest]
        rank = {severity: place for place, severity in enumerate(worst)}

        def place(row: Any) -> tuple[int, bool, float]:
            past = row.due_at <= due - read_sql.RECENTLY_DUE
            return rank.get(row.severity, len(rank)), past, -row.due_at.timestamp() if past else 0.0

        return [row.id for row in sorted(longest, key=place)]

    def claim_upcoming(self, after: datetime, until: datetime, limit: int) -> dict[str, datetime]:
        """Claim what nobody holds and is due after the one and until the other; ids and their moments."""
        values = {"after": after, "until": until, "most": limit}
        return {row.id: row.due_at for row in self._connection.execute(self._shared().claim_upcoming, values)}

    def claim(self, id: str) -> bool:
        """Claim this incident, due or not; False while somebody else holds it."""
        self._states.pop(id, None)
        return self._connection.execute(self._shared().claim, {"key": id}).rowcount == 1

    def renew(self) -> list[str]:
        """Hold on to everything that this process holds; the ids."""
        return [row.id for row in self._connection.execute(self._shared().renew).all()]

    def release(self, id: str) -> bool:
        """Give a lease back; False when somebody else holds it by now."""
        return self._connection.execute(self._shared().release, {"key": id}).rowcount == 1

    def release_all(self) -> None:
        """Give back everything that this process holds."""
        mine = update(incidents).where(_i.lease_by == self._shared().owner)
        self._connection.execute(mine.values(lease_by=None, lease_until=None))

    def fence(self, id: str) -> None:
        """Let nothing be written about an incident that another process has taken over. Raises LeaseLost."""
        if self._holder is not None:
            state = self._state(id)
            self._require_lease(id, state is not None and state["lease_by"] == self._holder.owner)

    def save_effects_and_reschedule(
        self, id: str, seq: int, due_at: datetime | None, ended: Sequence[Effect], leave: bool
    ) -> bool:
        """`save_effects_fenced` and `set_due`; where that is the last word (`leave`) it is given back. False when
        something has happened after `seq`: then it stays due, and held."""
        if self._holder is None:
            effects_sql.save_effects(self._connection, ended)
            return self.set_due(id, seq, due_at)
        how = lease_sql.SAVE_SET_DUE_AND_RELEASE if leave else lease_sql.SAVE_AND_SET_DUE
        return self._run_fenced(how, id, ended, {"was": seq, "due_at": due_at}) == seq

    def save_effects_fenced(self, id: str, ended: Sequence[Effect]) -> None:
        """Write down how calls stand, unless another process attends the incident by now. Raises LeaseLost."""
        if self._holder is None:
            effects_sql.save_effects(self._connection, ended)
        else:
            self._run_fenced(lease_sql.SAVE_FENCED, id, ended, {})

    def _run_fenced(self, how: Any, id: str, ended: Sequence[Effect], values: Mapping[str, Any]) -> int:
        values = {"key": id, "by": self._shared().owner, **values, **effects_sql.array_values(ended)}
        row = self._connection.execute(how, values).first()
        self._states.pop(id, None)
        self._require_lease(id, row is not None)
        return row.seq if row is not None else 0

    @staticmethod
    def _require_lease(id: str, mine: bool) -> None:
        if not mine:
            raise LeaseLost(f"another process attends incident {id} by now")

    def _shared(self) -> LeaseSql:
        assert self._holder is not None, "leases are for databases that are shared"
        return self._holder

    # -- calls to Slack and to publishers --------------------------------------------------------------------

    def effects(self, incident_id: str) -> tuple[Effect, ...]:
        """Every call of this incident that was begun, oldest first."""
        rows = self._connection.execute(read_sql.EFFECTS, {"id": incident_id}).mappings()
        return tuple(read_sql.effects_of(rows))

    def save_effect(self, effect: Effect) -> None:
        """Write the call down as it stands; there is one per incident and key."""
        effects_sql.save_effects(self._connection, (effect,))

    def recheck_effect(self, incident_id: str, key: str, now: datetime) -> None:
        """See `rearm.recheck_effect`."""
        rearm.recheck_effect(self._connection, incident_id, key, now)
        self._tell(INCIDENT_CHANGED_CHANNEL, incident_id)  # whoever attends it reads anew what stands there

    def rearm(self, now: datetime | None = None, *, team: str = "", channel: str = "") -> list[str]:
        """See `rearm.rearm`."""
        ids = rearm.rearm(self._connection, now, team, channel)
        for id in ids:
            self._tell(INCIDENT_CHANGED_CHANNEL, id)
        return ids

    def reconsider_open(self, now: datetime, team: str, deleted_channels: Collection[str] = ()) -> list[str]:
        """See `rearm.reconsider_open`."""
        ids = rearm.reconsider_open(self._connection, now, team, deleted_channels)
        for id in ids:
            self._tell(INCIDENT_CHANGED_CHANNEL, id)
        return ids

    # -- people ---------------------------------------------------------------------------------------

    def save_person(self, team: str, user: str, body: Mapping[str, Any], at: datetime) -> None:
        """Keep what the directory says about a person; `body` holds JSON's own types."""
        self._connection.execute(_PERSON, {"team": team, "user": user, "body": codec.plain_text(body), "at": at})

    def notify_people_changed(self, team: str) -> None:
        """Let the other processes know that people or groups of this team have changed."""
        self._tell(PEOPLE_CHANGED_CHANNEL, team)

    def _tell(self, channel: str, what: str) -> None:
        if self._holder:
            self._connection.execute(NOTIFY_SQL, {"channel": channel, "what": f"{self._holder.owner}:{what}"})
