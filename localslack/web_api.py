"""The Web API's HTTP edge: /api/<method>, response URLs, file uploads and downloads."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from pathlib import Path

from aiohttp import web

from localslack import request_parsing
from localslack.clock import WorkspaceClock
from localslack.errors import SlackError, invalid_arguments
from localslack.faults import Faults
from localslack.install import APP_SCOPES, Grant, Install
from localslack.journal import Call, Journal
from localslack.methods import METHODS, Method, Request
from localslack.rate_limits import RateLimits
from localslack.records import Json
from localslack.sockets import Sockets
from localslack.workspace import Workspace

_IN_PASSING = ("off", "missing_scope", "expired_ticket")
"""Faults that are not in the transport: the call goes its way and fails, or lies, at its own place."""


_BESIDE = ("response_url", "upload")
"""What programs call that is no method of the Web API."""

_SECRETIVE = ("oauth.v2.access",)
_SECRET = ("_basic", "client_secret", "code")


class _Limited(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class WebApi:
    """Answers the program's calls. `under_way` counts calls not answered yet, hanging ones apart."""

    def __init__(
        self,
        install: Install,
        journal: Journal,
        faults: Faults,
        limits: RateLimits,
        clock: WorkspaceClock,
        sockets: Sockets,
    ) -> None:
        self.install = install
        self.journal = journal
        self.faults = faults
        self.limits = limits
        self.clock = clock
        self.sockets = sockets
        self.latency = 0.0
        self.files_dir: Path | None = None
        self.under_way = 0
        self.last_activity = time.monotonic()
        self.closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/{method}", self.call),
            web.get("/api/{method}", self.call, allow_head=False),
            web.post("/commands/{team}/{key}", self.respond),
            web.post("/actions/{team}/{key}", self.respond),
            web.post("/app/{team}/{key}", self.respond),
            web.post("/upload/v1/{ticket}", self.upload),
            web.get("/files/{which}/{name}", self.download),
            web.get("/files/{which}/download/{name}", self.download),
        ]

    # --- /api --------------------------------------------------------------------------------------------------

    async def call(self, http: web.Request) -> web.StreamResponse:
        name = http.match_info["method"]
        self.under_way += 1
        try:
            try:
                args, warnings = await request_parsing.arguments(http)
                token = request_parsing.token(http, args)
            except SlackError as error:
                return self._reply({"ok": False, "error": error.code}, None)
            grant = self.install.grants.get(token)
            shown = {key: value for key, value in args.items() if key not in _SECRET} if name in _SECRETIVE else args
            call = self.journal.begin(name, shown, self.clock.now(), None)
            if grant is not None:
                call.team = grant.workspace.team_id
            fault = await self._delayed(name)
            if fault is not None and fault not in _IN_PASSING and not fault.endswith("_after"):
                return await self._spoiled(http, call, fault)
            try:
                answer = self._answer(name, args, token, call, fault)
            except _Limited as limited:
                self.journal.end(call, self.clock.now(), "error", "ratelimited")
                return _too_many(limited.seconds)
            if fault is not None and fault.endswith("_after"):
                return await self._spoiled(http, call, fault)
            request_parsing.warn(answer, warnings)
            outcome = "fault" if fault else "ok" if answer["ok"] else "error"
            self.journal.end(call, self.clock.now(), outcome, fault or answer.get("error"))
            return self._reply(answer, grant, METHODS.get(name))
        finally:
            self.under_way -= 1
            self.last_activity = time.monotonic()

    def _answer(self, name: str, args: Json, token: str, call: Call, fault: str | None) -> Json:
        try:
            body = self._handled(name, args, token, call, fault)
        except SlackError as error:
            return {"ok": False, "error": error.code, **error.more}
        call.answer = {key: body[key] for key in ("ts", "message_ts") if key in body}
        # conversations.leave answers ok: false without an error.
        return {"ok": True, **body}

    def _handled(self, name: str, args: Json, token: str, call: Call, fault: str | None) -> Json:
        method = METHODS.get(name)
        if method is None or fault == "off":
            raise SlackError("unknown_method", req_method=name)  # SR-TOK-06
        workspace, granted = self._bearer(method, token)
        world = workspace.world
        call.caller = world.bot.id
        # Refused calls count as well, those without a good token apart.
        if self.limits.on:
            where = str(args.get("channel") or "")
            where = world.names.get(where.removeprefix("#"), where)
            # A person's id stands for the direct message with that person.
            where = world.ims.get((min(world.bot.id, where), max(world.bot.id, where)), where)
            wait = self.limits.take(name, method.tier, where, world.team_id)
            if wait:
                raise _Limited(wait)
        if fault == "missing_scope":
            granted = granted.difference(method.scopes)
        if fault == "missing_scope" or (method.scopes and granted.isdisjoint(method.scopes)):
            # SR-TOK-04
            raise SlackError("missing_scope", needed=",".join(method.scopes), provided=",".join(sorted(granted)))
        missing = [each for each in method.required if args.get(each) in (None, "")]
        if missing:
            raise invalid_arguments(*(f"missing required field: {each}" for each in missing))
        body = method.handler(
            Request(workspace.interactivity, name, args, world.bot, method, granted, self.install, token)
        )
        if fault == "expired_ticket":
            self.sockets.expire_tickets()
        return body

    def _bearer(self, method: Method, token: str) -> tuple[Workspace, frozenset[str]]:
        """Whom the token stands for and what it may do (SR-TOK-01 to SR-TOK-03, SR-TOK-08). Raises SlackError."""
        main = self.install.workspaces[0]
        if method.holder == "anyone":
            return main, frozenset()
        if not token:
            raise SlackError("not_authed")
        is_app = token == self.install.app_token
        grant = self.install.grants.get(token)
        if grant is None and not is_app:
            raise SlackError("invalid_auth")
        if grant is not None and grant.revoked:
            raise SlackError("token_revoked")
        if grant is not None and not grant.workspace.world.installed:
            raise SlackError("account_inactive")
        if method.holder != ("app" if is_app else "bot"):
            raise SlackError("not_allowed_token_type")
        return (main, APP_SCOPES) if grant is None else (grant.workspace, grant.scopes)

    def _reply(self, answer: Json, grant: Grant | None, method: Method | None = None) -> web.Response:
        """SR-TOK-13: beside the answer, what the token may do and what the method asks for."""
        response = web.Response(body=json.dumps(answer).encode(), content_type="application/json", charset="utf-8")
        if grant is not None:
            response.headers["x-oauth-scopes"] = ",".join(sorted(grant.scopes))
            if method is not None and method.scopes:
                response.headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
        response.headers["x-slack-req-id"] = secrets.token_hex(8)
        return response

    async def _delayed(self, name: str) -> str | None:
        """Let the set latency pass, and a planted delay; the other fault that is planted for this call, if any."""
        if self.latency:
            await asyncio.sleep(self.latency)
        fault = self.faults.take(name)
        if fault in _IN_PASSING and name in _BESIDE:
            return None
        if fault is None or not fault.startswith("slow:"):
            return fault
        await asyncio.sleep(float(fault.partition(":")[2]))
        return None

    async def _spoiled(self, http: web.Request, call: Call, fault: str) -> web.StreamResponse:
        """Carry out a planted fault; what was to be done is done already for the *_after kinds."""
        self.journal.end(call, self.clock.now(), "fault", fault)
        kind, _, detail = fault.partition(":")
        if kind == "error":
            return _not_taken(detail) if call.method in _BESIDE else self._reply({"ok": False, "error": detail}, None)
        if kind == "429":
            return _too_many(int(detail))
        if kind == "404":
            return web.Response(status=404, text="Not Found")
        if kind.startswith("500"):
            return web.Response(status=500, text="Internal Server Error")
        if kind == "hang":
            self.under_way -= 1
            try:
                await self.closing.wait()
            finally:
                self.under_way += 1
        if http.transport is not None:
            http.transport.abort()
        raise ConnectionResetError("cut by a planted fault")

    # --- response_url ------------------------------------------------------------------------------------------

    async def respond(self, http: web.Request) -> web.StreamResponse:
        """docs: interactivity, "Using response_url": JSON, answered with ok in words."""
        self.under_way += 1
        workspace = self.install.team(http.match_info["team"]) or self.install.workspaces[0]
        call = self.journal.begin("response_url", {}, self.clock.now(), workspace.world.bot.id)
        call.team = workspace.team_id
        error: str | None = None
        try:
            try:
                body = await http.json()
                if not isinstance(body, dict):
                    raise SlackError("invalid_payload")
                call.args = body
                fault = await self._delayed("response_url")
                if fault is not None and not fault.endswith("_after"):
                    return await self._spoiled(http, call, fault)
                workspace.user_actions.respond(http.match_info["key"], body)
                if fault is not None:
                    return await self._spoiled(http, call, fault)
            except ValueError:
                error = "invalid_payload"
            except SlackError as refused:
                error = refused.code
            if error is not None:
                return _not_taken(error)
            return web.Response(text="ok")
        finally:
            if call.outcome == "pending":
                self.journal.end(call, self.clock.now(), "error" if error else "ok", error)
            self.under_way -= 1
            self.last_activity = time.monotonic()

    # --- files -------------------------------------------------------------------------------------------------

    async def upload(self, http: web.Request) -> web.StreamResponse:
        """The second step of an upload: raw bytes, or a multipart form with one file. In the journal it is `upload`."""
        self.under_way += 1
        call = self.journal.begin("upload", {}, self.clock.now(), None)
        try:
            fault = await self._delayed("upload")
            if fault is not None and not fault.endswith("_after"):
                return await self._spoiled(http, call, fault)
            refused = self._take_in(http.match_info["ticket"], await _sent(http), call)
            if fault is not None:
                return await self._spoiled(http, call, fault)
            self.journal.end(call, self.clock.now(), "error" if refused else "ok", refused)
            return _not_taken(refused) if refused else web.Response(text="OK")
        finally:
            if call.outcome == "pending":
                self.journal.end(call, self.clock.now(), "error", "the bytes did not come")
            self.under_way -= 1
            self.last_activity = time.monotonic()

    def _take_in(self, ticket: str, content: bytes, call: Call) -> str | None:
        """Keep an upload's bytes; what is wrong with it, if anything."""
        workspace = next((each for each in self.install.workspaces if ticket in each.interactivity.uploads), None)
        if workspace is None:
            return "unknown_upload"
        file = workspace.world.files[workspace.interactivity.uploads.pop(ticket)]  # SR-FIL-01
        call.team, call.caller = workspace.team_id, workspace.world.bot.id
        call.args = {"file": file.id, "filename": file.name, "length": len(content)}
        if len(content) != file.size:  # SR-FIL-02
            return "length_mismatch"
        file.content = content
        if self.files_dir is not None:
            self.files_dir.mkdir(parents=True, exist_ok=True)
            safe = re.sub(r"[^A-Za-z0-9._-]", "_", file.name).lstrip(".")
            (self.files_dir / f"{file.id}-{safe}").write_bytes(content)
        return None

    async def download(self, http: web.Request) -> web.StreamResponse:
        """A file's bytes; sent so that a browser saves it rather than running what may be in it."""
        team, _, which = http.match_info["which"].rpartition("-")
        workspace = self.install.team(team) or self.install.workspaces[0]
        file = workspace.world.files.get(which)
        if file is None or file.content is None:
            return web.Response(status=404)
        headers = {
            "Content-Disposition": "attachment" if not file.mimetype.startswith("text/plain") else "inline",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        return web.Response(body=file.content, content_type=file.mimetype, headers=headers)


async def _sent(http: web.Request) -> bytes:
    if not http.content_type.startswith("multipart/"):
        return await http.read()
    parts = [part for part in (await http.post()).values() if isinstance(part, web.FileField)]
    return parts[0].file.read() if parts else b""


def _not_taken(error: str) -> web.Response:
    """What a response URL and an upload say no with: not 200, as a method would."""
    status = 404 if error in ("expired_url", "used_url", "unknown_upload") else 400
    return web.json_response({"ok": False, "error": error}, status=status)


def _too_many(seconds: int) -> web.Response:
    """SR-RAT-07."""
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)})
