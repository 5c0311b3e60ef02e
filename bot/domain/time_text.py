"""Times and durations in words, always UTC."""

from __future__ import annotations

from datetime import datetime, timedelta


def clock_time(at: datetime, now: datetime | None = None) -> str:
    """ "14:32 UTC", with the weekday when it is not the day of `now`, with the date when it is a week away."""
    if now is None or at.date() == now.date():
        return f"{at:%H:%M} UTC"
    if abs((at.date() - now.date()).days) < 7:
        return f"{at:%a %H:%M} UTC"
    return f"{at:%Y-%m-%d %H:%M} UTC"


def lasted(length: timedelta) -> str:
    """ "2 h 5 min", "4 min", "30 s", "3 d 4 h": two units at most, nothing negative."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes = rest // 60
    parts = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(parts[:2])
