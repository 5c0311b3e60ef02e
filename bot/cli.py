"""Every command-line verb. The command line acts as `cli:<os user>`, and never confirms or approves.

A command imports what it needs when it runs. The local Slack and `--help` need neither the bot nor its libraries, and
those take longer to load than either takes to answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import __version__

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.domain.actor import Actor
    from bot.domain.policy import Policy
    from bot.store import SqlStore

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
    """The settings, or a message with every problem at once and exit status 2; from here on no secret is logged."""
    from bot import config, logs

    try:
        settings = config.read()
        logs.configure(settings.log_level, config.secrets_to_hide(settings))
        logs.log_uncaught(config.secrets_to_hide(settings))
        return settings
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


def cli_actor() -> Actor:
    """Who types here."""
    import getpass

    from bot.domain.actor import Actor, ActorKind

    return Actor(team="", user=f"cli:{getpass.getuser()}", name=getpass.getuser(), kind=ActorKind.CLI)


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
    """Run the bot. On SIGTERM or Ctrl-C it finishes what is under way, then stops."""
    settings = _settings()
    policy = _policy(settings)

    from bot.app import serve
    from bot.config import Misconfigured
    from bot.ports import CallRefused
    from bot.store import StoreRefused

    try:
        asyncio.run(_until_signal(serve(settings, policy)))
    except (StoreRefused, Misconfigured) as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(2) from None
    except CallRefused as refusal:
        print(f"Slack refuses this bot: {refusal.code}. `python -m bot doctor` says what to do.", file=sys.stderr)
        raise typer.Exit(2) from None


@cli.command(name="migrate")
def migrate_() -> None:
    """Bring the database to the shape that this version needs."""
    settings = _settings()

    from bot.store import migrate

    _folder_of(settings.database_url)
    with _store_errors():
        new = migrate(settings.database_url)
    print("The database is new, and ready." if new else "The database is up to date.")


def _folder_of(url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and str(path) not in ("", ":memory:"):
        path.parent.mkdir(parents=True, exist_ok=True)


@cli.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The page's port; 0 takes a free one.")] = 8400,
    mode: Annotated[str, typer.Option(help="How the local Slack reaches the bot: socket or http.")] = "socket",
    keep: Annotated[Path | None, typer.Option(help="Keep the demo's database in this folder.")] = None,
) -> None:
    """Start a local Slack and the bot, both on this machine, with sample people. No account anywhere."""
    _need_local_slack()

    from bot.demo import demo as demonstration

    raise typer.Exit(demonstration.run(port=port, mode=mode, folder=keep))


@cli.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sandbox(context: typer.Context) -> None:
    """Start the local Slack alone, for this bot or anybody's Bolt app."""
    _need_local_slack()

    from bot.demo.horizon_stand_in import HorizonStandIn
    from localslack.cli import main as local_slack
    from localslack.clock import WorkspaceClock

    clock = WorkspaceClock()
    local_slack(
        context.args, name="bot sandbox", manifest=MANIFEST, clock=clock, extensions=[HorizonStandIn(clock)]
    )  # fmt: skip


def _need_local_slack() -> None:
    """A sentence and exit status 2 where the package `localslack` is not installed."""
    spec = importlib.util.find_spec("localslack")
    if spec is None or spec.origin is None:  # a folder of that name is found too, as a namespace package
        print(
            "The local Slack is not installed; install it with pip install 'incident-commander[demo]', "
            "or with pip install ./localslack in a checkout.",
            file=sys.stderr,
        )
        raise typer.Exit(2)


@contextlib.contextmanager
def _store_errors() -> Iterator[None]:
    from bot.store import StoreRefused

    try:
        yield
    except StoreRefused as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(2) from None


def _exit_with(work: Callable[[Settings], int]) -> None:
    """End as this command's work says."""
    settings = _settings()
    with _store_errors():
        raise typer.Exit(work(settings))


def _open(settings: Settings) -> SqlStore:
    from bot.store import SqlStore

    return SqlStore.open(settings.database_url, settings.chain_key.get_secret_value().encode())


@cli.command()
def verify(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    witness: Annotated[
        Path | None, typer.Option(help="A file that says where timelines ended: compare with it, then renew it.")
    ] = None,
) -> None:
    """Check every timeline against its chain, find rows that belong to nothing, and list what was not sent yet.

    Ends with 0, with 1 where something was damaged or changed, with 2 where that cannot be told.
    """
    from bot import data_commands

    _exit_with(lambda settings: data_commands.verify(settings, json_, witness))


@cli.command()
def backup(
    target: Annotated[Path | None, typer.Argument(help="A new file, or a folder. Without it: BACKUP_DIR.")] = None,
    keep: Annotated[int, typer.Option(min=0, help="How many of the folder's backups to keep; 0 keeps all.")] = 0,
) -> None:
    """Write a backup, also while the bot runs, and check it. Ends with 1 if a timeline in it was changed."""
    from bot import data_commands

    _exit_with(lambda settings: data_commands.back_up(settings, target, keep))


@cli.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A backup, or an export of everything.")],
    replace: Annotated[bool, typer.Option("--replace", help="Move the database that is there aside.")] = False,
) -> None:
    """Put a backup in the place of the database. Stop every bot first."""
    from bot import data_commands

    _exit_with(lambda settings: data_commands.restore(settings, source, replace))


@cli.command(name="import")
def import_(
    source: Annotated[Path, typer.Argument(help="What `export --all` wrote, from either database.")],
) -> None:
    """Fill an empty database with everything that another one held."""
    from bot import data_commands

    _exit_with(lambda settings: data_commands.import_all(settings, source))


@cli.command()
def doctor(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Check settings, content, database and Slack. Say of each problem what to do."""
    settings = _settings()

    import json

    from bot.doctor import examine
    from bot.logs import escape_control

    findings = asyncio.run(examine(settings))
    if json_:
        print(json.dumps([{"ok": one.ok, "what": one.summary, "do": one.advice} for one in findings]))
    else:
        for one in findings:
            print(escape_control(f"{'ok  ' if one.ok else 'FAIL'} {one.summary}"))
            if one.advice:
                print(escape_control(f"     {one.advice}"))
    if not all(one.ok for one in findings):
        raise typer.Exit(1)


@cli.command()
def rearm() -> None:
    """Let the running bot try every parked call again now. It also does so at its start and from time to time."""
    settings = _settings()

    from bot.data_commands import rearm_all

    with _store_errors():
        count = asyncio.run(rearm_all(settings))
    many = "1 duty is" if count == 1 else f"{count} duties are"
    print(f"{many} tried again by the running bot." if count else "No duty is parked.")


@cli.command()
def export(
    incident: Annotated[str, typer.Argument(help="The incident: INC-7, or 7.")] = "",
    folder: Annotated[Path, typer.Option(help="Where the files go.")] = Path(),
    everything: Annotated[Path | None, typer.Option("--all", help="Everything into this file, for `import`.")] = None,
    team: Annotated[str, typer.Option(help="The workspace's id, T…. Without it the command asks Slack.")] = "",
) -> None:
    """Write an incident's postmortem (Markdown) and timeline (JSON) to files; or, with --all, everything to one."""
    from bot import data_commands
    from bot.export import write

    settings = _settings()
    if everything is not None:
        with _store_errors():
            raise typer.Exit(data_commands.export_all(settings, everything))
    if not (digits := incident.upper().removeprefix("INC-")).isdecimal():
        raise typer.BadParameter("Name the incident, INC-7, or --all FILE.")
    policy, number = _policy(settings), int(digits)

    async def work() -> tuple[list[Path], bool]:
        store = _open(settings)
        try:
            where, names = await _workspace(settings, team)
            id = await store.find(where, number)
            known = await store.incident(id) if id else None
            paths = await write(store, where, number, folder, names, policy)
            return paths, known is not None and known.private
        finally:
            await store.close()

    with _store_errors():
        paths, private = asyncio.run(work())
    if not paths:
        print(f"There is no INC-{number} in this database.", file=sys.stderr)
        raise typer.Exit(1)
    if private:
        print(f"INC-{number} is private: keep these files among those who are in its channel.", file=sys.stderr)
    for path in paths:
        print(path)


@cli.command()
def redact(
    incident: Annotated[str, typer.Argument(help="The incident: INC-7, or 7.")],
    reason: Annotated[str, typer.Option(help="Why. The record keeps the reason, and not the words.")],
    find: Annotated[str, typer.Option(help="`-` reads the words from standard input; else the command asks.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")] = False,
    public_too: Annotated[bool, typer.Option("--public-too", help="Delete our posts to customers as well.")] = False,
    backups: Annotated[Path | None, typer.Option(help="Name the backups of this folder that hold the words.")] = None,
    team: Annotated[str, typer.Option(help="The workspace's id, T…, if several have that number.")] = "",
) -> None:
    """Take a secret that somebody pasted out of an incident's record and out of Slack, for good."""
    from bot import redact_command

    wish = redact_command.read_request(incident, find, reason, cli_actor(), team, public_too, backups, yes)
    _exit_with(lambda settings: redact_command.run(settings, wish))


async def _workspace(settings: Settings, team: str) -> tuple[str, dict[str, str]]:
    """The workspace's id, and names for ids; without an answer from Slack ids stay ids. Raises StoreRefused."""
    import aiohttp

    from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
    from bot.slack.outbound.web_api import web_client
    from bot.slack.workspace.directory import Directory
    from bot.store import StoreRefused
    from bot.token_commands import list_installations

    if settings.slack_bot_token is not None:
        token = settings.slack_bot_token.get_secret_value()
    else:
        rows = {one.team: one.token for one in await list_installations(settings)}
        team = team or (next(iter(rows)) if len(rows) == 1 else "")
        if not team:
            raise StoreRefused(f"Say which workspace with --team: {', '.join(rows) or 'none is installed'}.")
        token = rows.get(team, "")
        if not token:
            return team, {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        directory = Directory(web_client(token, settings.slack_api_url, session))
        with contextlib.suppress(CallRefused, RetryAfter, OutcomeUnknown):
            await directory.warm()
        if not (team or directory.team):
            raise StoreRefused("Slack did not say which workspace this is. Say it with --team T….")
        return team or directory.team, dict(directory.names)


tokens = typer.Typer(help="The keys that encrypt the workspaces' tokens (TOKEN_KEYS).", no_args_is_help=True)
cli.add_typer(tokens, name="tokens")


@tokens.command()
def key() -> None:
    """Print a new key: put it in front of TOKEN_KEYS, separated by a comma."""
    from bot.token_commands import fresh_key

    print(fresh_key())


@tokens.command()
def rotate() -> None:
    """Encrypt every workspace's token anew with the first of TOKEN_KEYS. You can then delete the other keys."""
    settings = _settings()

    from bot.token_commands import rotate as rotated

    with _store_errors():
        count = asyncio.run(rotated(settings))
    print(f"{count} {'token is' if count == 1 else 'tokens are'} encrypted with the first key.")


@cli.command()
def version() -> None:
    """Print the version."""
    print(__version__)
