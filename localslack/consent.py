"""The page on which somebody lets the app into a workspace: /oauth/v2/authorize."""

from __future__ import annotations

import html

from aiohttp import web
from yarl import URL

from localslack.install import Install

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Install {app}</title>
<main style="font:16px/1.5 sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem">
<h1>{app} asks to be let in</h1><p>It asks for: {scopes}.</p>
<form method="post">{choices}<p><button name="answer" value="allow">Allow</button>
<button name="answer" value="cancel">Cancel</button></p></form></main></html>"""


class Consent:
    """GET shows the page, its form posts the answer, and the browser goes on to the app's redirect URL with a code."""

    def __init__(self, install: Install) -> None:
        self.install = install

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/oauth/v2/authorize", self.show, allow_head=False),
            web.post("/oauth/v2/authorize", self.answer),
        ]

    def _asked(self, http: web.Request) -> tuple[frozenset[str], str]:
        """(scopes, redirect_uri). Raises HTTPBadRequest with Slack's word for what is wrong (SR-OAU-03, SR-OAU-04)."""
        app = self.install.workspaces[0].world.app
        if http.query.get("client_id") != self.install.client_id:
            raise web.HTTPBadRequest(text="invalid_client_id")
        scopes = frozenset(each for each in http.query.get("scope", "").split(",") if each)
        if not scopes <= app.scopes:
            raise web.HTTPBadRequest(text=f"invalid_scope: {', '.join(sorted(scopes - app.scopes))}")
        redirect = http.query.get("redirect_uri", "") or next(iter(app.redirect_urls), "")
        # An app without registered URLs takes any on this machine, so that a test can use a free port.
        known = any(redirect.startswith(each) for each in app.redirect_urls)
        if not known and (app.redirect_urls or URL(redirect).host not in ("127.0.0.1", "localhost")):
            raise web.HTTPBadRequest(text="bad_redirect_uri")
        return scopes, redirect

    async def show(self, http: web.Request) -> web.Response:
        scopes, _ = self._asked(http)
        team = http.query.get("team", "")
        choices = "".join(
            f'<p><label><input type="radio" name="team" value="{each.team_id}"'
            f"{' checked' if each.team_id == team or (not team and not index) else ''}>"
            f" {html.escape(each.world.team_name)}</label></p>"
            for index, each in enumerate(self.install.workspaces)
        )
        page = _PAGE.format(
            app=html.escape(self.install.workspaces[0].world.app.name),
            scopes=html.escape(", ".join(sorted(scopes)) or "nothing"),
            choices=choices,
        )
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
        return web.Response(text=page, content_type="text/html", headers=headers)

    async def answer(self, http: web.Request) -> web.Response:
        scopes, redirect = self._asked(http)
        form = await http.post()
        state = {"state": http.query["state"]} if "state" in http.query else {}
        if form.get("answer") != "allow":
            raise web.HTTPFound(URL(redirect).update_query({"error": "access_denied", **state}))
        workspace = self.install.team(str(form.get("team") or http.query.get("team") or ""))
        workspace = workspace or self.install.workspaces[0]
        person = str(form.get("user") or next(iter(workspace.world.users)))
        code = self.install.new_code(workspace, person, scopes, http.query.get("redirect_uri", ""))
        raise web.HTTPFound(URL(redirect).update_query({"code": code, **state}))
