"""Every command-line verb. The command line acts as `cli:<os user>`, and never confirms or approves.

A command imports what it needs when it runs: the local Slack and `--help` do without the bot and its libraries, which
take longer to load than either takes to answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import __version__

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.domain.actor import Actor
    from bot.domain.policy import Policy
    from bot.store import Store

MANIFEST = Path(__file__).resolve().parent.parent / "manifest.yaml"
"""The app's own manifest, which the local Slack goes by unless it is given another."""

cli = typer.Typer(
    name="bot",
    help="Incident Commander: a Slack bot that commands incidents for teams that move money.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """The entry point of `python -m bot`."""
    cli()


def _settings() -> Settings:
    """The settings, or a message with every problem at once and exit status 2."""
    from bot import config

    try:
        return config.read()
    except config.Misconfigured as wrong:
        print("The settings do not let the bot start:", file=sys.stderr)
        for problem in wrong.problems:
            print(f"  {problem}", file=sys.stderr)
        raise typer.Exit(2) from None


def _policy(settings: Settings) -> Policy:
    """The team's policy, or a message with every problem at once and exit status 2."""
    from bot.policies import BadPolicy, load

    try:
        return load(settings.policy_file)
    except BadPolicy as bad:
        print("The policy file does not let the bot start:", file=sys.stderr)
        for problem in bad.problems:
            print(f"  {problem}", file=sys.stderr)
        raise typer.Exit(2) from None


def operator() -> Actor:
    """Who types here."""
    import getpass

    from bot.domain.actor import Actor, Kind

    return Actor(team="", user=f"cli:{getpass.getuser()}", name=getpass.getuser(), kind=Kind.CLI)


async def _until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends or the process is told to stop."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


@cli.command()
def run() -> None:
    """Run the bot. SIGTERM and Ctrl-C finish what is under way and stop."""
    settings = _settings()
    policy = _policy(settings)

    from bot import logs
    from bot.app import bot
    from bot.ports import NotDone
    from bot.store import StoreRefused

    logs.configure(settings.log_level)

    async def work() -> None:
        async with bot(settings, policy).running():
            await asyncio.Event().wait()

    try:
        asyncio.run(_until_signal(work()))
    except StoreRefused as refused:
        print(f"{refused}\nRun `python -m bot migrate` first.", file=sys.stderr)
        raise typer.Exit(2) from None
    except NotDone as refusal:
        print(f"Slack refuses this bot: {refusal.code}. `python -m bot doctor` says what to do.", file=sys.stderr)
        raise typer.Exit(2) from None


@cli.command(name="migrate")
def migrate_() -> None:
    """Bring the database to the shape that this version needs."""
    settings = _settings()

    from bot.store import migrate

    _folder_of(settings.database_url)
    migrate(settings.database_url)
    print("The database is up to date.")


def _folder_of(url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and str(path) not in ("", ":memory:"):
        path.parent.mkdir(parents=True, exist_ok=True)


@cli.command()
def demo(
    port: Annotated[int, typer.Option(help="The page's port; 0 takes a free one.")] = 8400,
    mode: Annotated[str, typer.Option(help="How the local Slack reaches the bot: socket or http.")] = "socket",
    keep: Annotated[Path | None, typer.Option(help="Keep the demo's database in this folder.")] = None,
) -> None:
    """Start a local Slack and the bot, both on this machine, with sample people. No account anywhere."""
    from bot.demo import demo as demonstration

    raise typer.Exit(demonstration.run(port=port, mode=mode, folder=keep))


@cli.command()
def sandbox(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes a free one.")] = 8400,
    http: Annotated[str, typer.Option(help="Deliver by signed HTTP to this address instead of Socket Mode.")] = "",
    manifest: Annotated[Path | None, typer.Option(help="The app's manifest (YAML or JSON); none: this bot's.")] = None,
    tour: Annotated[Path | None, typer.Option(help="A file with the page's “Try this”.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict/--lenient", help="Rate limits at Slack's numbers, sockets renewed; or neither.")
    ] = True,
    workspace: Annotated[
        list[str] | None, typer.Option(help="Another workspace, where the app can be installed. Repeatable.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print addresses and tokens as one line of JSON.")] = False,
) -> None:
    """Start the local Slack alone, for this bot or anybody's Bolt app."""
    import json

    import yaml

    from bot.sandbox import Sandbox, SandboxClock

    described = yaml.safe_load((manifest or MANIFEST).read_text())

    async def work() -> None:
        local = Sandbox(described, SandboxClock(), event_url=http or None, tour=tour, strict=strict)
        for name in workspace or []:
            local.add_workspace(name)
        await local.start(port)
        facts = {
            "url": local.url,
            "api_url": local.api_url,
            "bot_token": local.bot_token,
            "app_token": local.app_token,
            "signing_secret": local.signing_secret,
            "client_id": local.client_id,
            "client_secret": local.client_secret,
            "authorize_url": local.authorize_url,
        }
        if json_:
            print(json.dumps(facts), flush=True)
        else:
            for name, value in facts.items():
                print(f"{name:15} {value}", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await local.stop()

    try:
        asyncio.run(_until_signal(work()))
    except OSError as taken:
        print(f"Port {port} cannot be used ({taken.strerror}). Try --port 0, which takes a free one.", file=sys.stderr)
        raise typer.Exit(1) from None


@contextlib.contextmanager
def _store_errors() -> Iterator[None]:
    from bot.store import StoreRefused

    try:
        yield
    except StoreRefused as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(2) from None


def _open(settings: Settings) -> Store:
    from bot.store import Store

    return Store.open(settings.database_url, settings.chain_key.get_secret_value().encode())


@cli.command()
def verify() -> None:
    """Check every timeline against its chain: any changed byte, gap or cut tail is named."""
    settings = _settings()

    async def work() -> list[str]:
        store = _open(settings)
        try:
            return await store.verify()
        finally:
            await store.close()

    with _store_errors():
        problems: list[str] = asyncio.run(work())
    for problem in problems:
        print(problem)
    if problems:
        raise typer.Exit(1)
    print("Every timeline is as it was written.")


@cli.command()
def doctor(
    json_: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Check settings, content, database and Slack, and list duties that wait for somebody; each with what to do."""
    settings = _settings()

    import json

    from bot.doctor import examine

    findings = asyncio.run(examine(settings))
    if json_:
        print(json.dumps([{"ok": one.ok, "what": one.what, "do": one.do} for one in findings]))
    else:
        for one in findings:
            print(f"{'ok  ' if one.ok else 'FAIL'} {one.what}")
            if one.do:
                print(f"     {one.do}")
    if not all(one.ok for one in findings):
        raise typer.Exit(1)


async def rearm_all(settings: Settings) -> int:
    """Let every parked duty be tried again by the running bot; how many there were."""
    from dataclasses import replace

    from bot.domain.effect import EffectState

    store = _open(settings)
    try:
        parked = await store.parked()
        for effect in parked:
            again = replace(effect, state=EffectState.WAITING, attempts=0, next_try_at=None, error="")

            def job(tx: Any, again: Any = again) -> None:
                tx.save_effect(again)
                incident = tx.incident(again.incident_id)
                if incident is not None:
                    tx.set_due(incident.id, incident.seq, incident.last_at)

            await store.write(job)
        return len(parked)
    finally:
        await store.close()


@cli.command()
def rearm() -> None:
    """Try parked duties again, once their cause is gone (a scope added, a channel made)."""
    settings = _settings()
    with _store_errors():
        count = asyncio.run(rearm_all(settings))
    many = "1 duty is" if count == 1 else f"{count} duties are"
    print(f"{many} tried again by the running bot." if count else "No duty is parked.")


@cli.command()
def export(
    number: Annotated[int, typer.Argument(help="The incident's number: 42 for INC-42.")],
    folder: Annotated[Path, typer.Option(help="Where the files go.")] = Path(),
    team: Annotated[str, typer.Option(help="The workspace's id, T…; asked from Slack where it is not given.")] = "",
) -> None:
    """Write an incident's postmortem (Markdown) and timeline (JSON) to files."""
    from bot.export import write

    settings = _settings()
    policy = _policy(settings)

    async def work() -> list[Path]:
        store = _open(settings)
        try:
            where, names = await _workspace(settings)
            return await write(store, team or where, number, folder, names, policy)
        finally:
            await store.close()

    with _store_errors():
        paths = asyncio.run(work())
    if not paths:
        print(f"There is no INC-{number} in this database.", file=sys.stderr)
        raise typer.Exit(1)
    for path in paths:
        print(path)


async def _workspace(settings: Settings) -> tuple[str, dict[str, str]]:
    """The workspace's id, and names for ids; without an answer from Slack ids stay ids."""
    import aiohttp

    from bot.ports import NotDone, TryLater, Unsure
    from bot.slack.directory import Directory
    from bot.slack.room import web_client

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        directory = Directory(web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session))
        with contextlib.suppress(NotDone, TryLater, Unsure):
            await directory.warm()
        return directory.team, dict(directory.names)


@cli.command()
def version() -> None:
    """Print the version."""
    print(__version__)
