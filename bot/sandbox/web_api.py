"""The Web API's HTTP edge: /api/<method>, response URLs, file uploads and downloads."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.desk import Desk
from bot.sandbox.errors import SlackError
from bot.sandbox.faults import Faults
from bot.sandbox.gestures import Gestures
from bot.sandbox.journal import Call, Journal
from bot.sandbox.limits import Limits
from bot.sandbox.methods import METHODS, Request
from bot.sandbox.records import Json
from bot.sandbox.world import World


class WebApi:
    """Answers the program's calls. `under_way` counts calls not answered yet, hanging ones apart."""

    def __init__(
        self, world: World, desk: Desk, gestures: Gestures, journal: Journal, faults: Faults, limits: Limits,
        bot_token: str, app_token: str,
    ) -> None:  # fmt: skip
        self.world = world
        self.desk = desk
        self.gestures = gestures
        self.journal = journal
        self.faults = faults
        self.limits = limits
        self.bot_token = bot_token
        self.app_token = app_token
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
                args = await _arguments(http)
            except SlackError as error:
                return self._reply({"ok": False, "error": error.code})
            token = _token(http, args)
            call = self.journal.begin(name, args, self.world.clock.now(), None)
            if self.latency:
                await asyncio.sleep(self.latency)
            fault = self.faults.take(name)
            if fault is not None and not fault.endswith("_after"):
                return await self._spoiled(http, call, fault)
            wait = self._wait(name, args)
            if wait:
                self.journal.end(call, self.world.clock.now(), "error", "ratelimited")
                return _too_many(wait)
            answer = self._answer(name, args, token, call)
            if fault is not None:
                return await self._spoiled(http, call, fault)
            failed = not answer["ok"]
            self.journal.end(call, self.world.clock.now(), "error" if failed else "ok", answer.get("error"))
            return self._reply(answer)
        finally:
            self.under_way -= 1
            self.last_activity = time.monotonic()

    def _answer(self, name: str, args: Json, token: str, call: Call) -> Json:
        try:
            body = self._handled(name, args, token, call)
        except SlackError as error:
            return {"ok": False, "error": error.code, **error.more}
        call.answer = {key: body[key] for key in ("ts", "message_ts") if key in body}
        return {"ok": True, **body}

    def _handled(self, name: str, args: Json, token: str, call: Call) -> Json:
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        granted = self.world.app.scopes
        if method.holder != "anyone":
            if not token:
                raise SlackError("not_authed")
            if token not in (self.bot_token, self.app_token):
                raise SlackError("invalid_auth")
            if not self.world.installed and token == self.bot_token:
                raise SlackError("account_inactive")
            is_app = token == self.app_token
            if is_app != (method.holder == "app"):
                raise SlackError("not_allowed_token_type")
            if is_app:
                granted = frozenset({"connections:write"})
        call.caller = self.world.bot.id
        if method.scopes and granted.isdisjoint(method.scopes):
            raise SlackError("missing_scope", needed=",".join(method.scopes), provided=",".join(sorted(granted)))
        request = Request(self.desk, name, args, self.world.bot, method, granted)
        return method.handler(request)

    def _wait(self, name: str, args: Json) -> int:
        if not self.limits.on or name not in METHODS:
            return 0
        return self.limits.take(name, METHODS[name].tier, str(args.get("channel") or ""))

    def _reply(self, answer: Json) -> web.Response:
        response = web.Response(body=json.dumps(answer).encode(), content_type="application/json", charset="utf-8")
        response.headers["x-oauth-scopes"] = ",".join(sorted(self.world.app.scopes))
        response.headers["x-slack-req-id"] = self.world.hex(16)
        return response

    async def _spoiled(self, http: web.Request, call: Call, fault: str) -> web.StreamResponse:
        """Carry out a planted fault; what was to be done is done already for the *_after kinds."""
        self.journal.end(call, self.world.clock.now(), "fault", fault)
        kind, _, detail = fault.partition(":")
        if kind == "error":
            return self._reply({"ok": False, "error": detail})
        if kind == "429":
            return _too_many(int(detail))
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
        call = self.journal.begin("response_url", {}, self.world.clock.now(), self.world.bot.id)
        error: str | None = None
        try:
            try:
                body = await http.json()
                if not isinstance(body, dict):
                    raise SlackError("invalid_payload")
                call.args = body
                if self.latency:
                    await asyncio.sleep(self.latency)
                fault = self.faults.take("response_url")
                if fault is not None and not fault.endswith("_after"):
                    error = fault
                    return await self._spoiled(http, call, fault)
                self.gestures.respond(http.match_info["key"], body)
                if fault is not None:
                    error = fault
                    return await self._spoiled(http, call, fault)
            except ValueError:
                error = "invalid_payload"
            except SlackError as refused:
                error = refused.code
            if error is not None:
                status = 404 if error in ("expired_url", "used_url") else 400
                return web.json_response({"ok": False, "error": error}, status=status)
            return web.Response(text="ok")
        finally:
            if call.outcome == "pending":
                self.journal.end(call, self.world.clock.now(), "error" if error else "ok", error)
            self.under_way -= 1
            self.last_activity = time.monotonic()

    # --- files -------------------------------------------------------------------------------------------------

    async def upload(self, http: web.Request) -> web.StreamResponse:
        """The second step of an upload: raw bytes, or a multipart form with one file."""
        file = self.world.files.get(self.desk.uploads.pop(http.match_info["ticket"], ""))
        if file is None:
            return web.Response(status=404, text="unknown upload")
        if http.content_type.startswith("multipart/"):
            form = await http.post()
            parts = [part for part in form.values() if isinstance(part, web.FileField)]
            content = parts[0].file.read() if parts else b""
        else:
            content = await http.read()
        if len(content) != file.size:
            return web.Response(status=400, text="length does not match")
        file.content = content
        if self.files_dir is not None:
            self.files_dir.mkdir(parents=True, exist_ok=True)
            safe = re.sub(r"[^A-Za-z0-9._-]", "_", file.name).lstrip(".")
            (self.files_dir / f"{file.id}-{safe}").write_bytes(content)
        return web.Response(text=f"OK - {len(content)}")

    async def download(self, http: web.Request) -> web.StreamResponse:
        """A file's bytes; sent so that a browser saves it rather than running what may be in it."""
        file = self.world.files.get(http.match_info["which"].rpartition("-")[2])
        if file is None or file.content is None:
            return web.Response(status=404)
        headers = {
            "Content-Disposition": "attachment" if not file.mimetype.startswith("text/plain") else "inline",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        return web.Response(body=file.content, content_type=file.mimetype, headers=headers)


def _too_many(seconds: int) -> web.Response:
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)})


async def _arguments(http: web.Request) -> Json:
    """Arguments of a query string, a form or a JSON body, as Slack takes them."""
    args: Json = dict(http.query)
    if http.method == "POST":
        if http.content_type == "application/json":
            raw = await http.read()
            try:
                body: Any = json.loads(raw) if raw else {}
            except (ValueError, RecursionError):
                raise SlackError("invalid_json") from None
            if not isinstance(body, dict):
                raise SlackError("json_not_object")
            args |= body
        else:
            args |= {key: value for key, value in (await http.post()).items() if isinstance(value, str)}
    return args


def _token(http: web.Request, args: Json) -> str:
    """The token, taken out of the arguments so that it reaches neither a handler nor the journal."""
    inside = args.pop("token", "")
    kind, _, token = http.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token else str(inside)
