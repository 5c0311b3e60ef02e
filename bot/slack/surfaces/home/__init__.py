"""The app's Home: what waits for its reader, what is open, what ended lately. A pure function of its data."""

from __future__ import annotations

from bot.slack.surfaces.home.home import render_home

__all__ = ["render_home"]
