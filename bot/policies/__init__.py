"""The team's policy file -> Policy, or everything that is wrong with it.

`load` reads a TOML file whose keys are the fields of `Policy`; what it leaves out stays at its default.
Three files to begin with are in `profiles/`.
"""

from __future__ import annotations

from pathlib import Path

from bot.policies.load import BadPolicy, load

__all__ = ["PROFILES", "BadPolicy", "load"]

_FOLDER = Path(__file__).resolve().parent / "profiles"

#: the shipped policies: name -> file, to be copied or named in POLICY_FILE as they are
PROFILES: dict[str, Path] = {
    "default": _FOLDER / "default.toml",
    "small-team": _FOLDER / "small-team.toml",
    "regulated": _FOLDER / "regulated.toml",
}
