"""The command `localslack`: starts a local Slack on this machine and serves it until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from localslack.clock import WorkspaceClock
from localslack.extension import Extension
from localslack.standalone import serve

SAMPLE_MANIFEST = Path(__file__).parent / "sample_manifest.yaml"
"""An app with every scope and event that the local Slack knows."""

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Embedding:
    """What another program sets when it offers this command under a name of its own."""

    manifest: Path
    clock: WorkspaceClock
    extensions: Sequence[Extension]


def main(
    arguments: Sequence[str] | None = None, *, name: str = "localslack", manifest: Path = SAMPLE_MANIFEST,
    clock: WorkspaceClock | None = None, extensions: Sequence[Extension] = (),
) -> None:  # fmt: skip
    """Run the command and end the process with its status.

    `arguments`: None means those of the process. `name`: the command as people type it. `manifest`: the file that is
    read where --manifest is not given.
    """
    embedding = Embedding(manifest, clock or WorkspaceClock(), extensions)
    cli(args=None if arguments is None else list(arguments), prog_name=name, obj=embedding)


@cli.command()
def start(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 takes a free one.")] = 8400,
    http: Annotated[str, typer.Option(help="Deliver by signed HTTP to this address instead of Socket Mode.")] = "",
    manifest: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The app's manifest (YAML or JSON), instead of this command's own."
        ),
    ] = None,
    tour: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file with the page's “Try this”.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict/--lenient", help="Rate limits at Slack's numbers, sockets renewed; or neither.")
    ] = True,
    workspace: Annotated[
        list[str] | None, typer.Option(help="Another workspace, where the app can be installed. Repeatable.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print addresses and tokens as one line of JSON.")] = False,
) -> None:
    """Start a local Slack, for anybody's Bolt app."""
    embedding: Embedding = context.obj
    described = yaml.safe_load((manifest or embedding.manifest).read_text(encoding="utf-8"))
    work = serve(
        described, port, http=http, tour=tour, strict=strict, workspaces=tuple(workspace or ()), as_json=json_,
        clock=embedding.clock, extensions=embedding.extensions,
    )  # fmt: skip
    try:
        asyncio.run(_until_signal(work))
    except OSError as taken:
        print(f"Port {port} cannot be used ({taken.strerror}). Try --port 0, which takes a free one.", file=sys.stderr)
        raise typer.Exit(1) from None


async def _until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends or the process is told to stop."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
