"""Deletion, retention and people's rights on the command line. Imports wait until they are needed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from coprod_nlp.vocabulary import NoticeOutcome, Right
from flows.terminal import EXIT_FAILED, err_console, out_console, plain_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.schema import Config
    from config.settings import Settings
    from flows.rights import Answer, Person

HandleOption = Annotated[
    str | None,
    typer.Option(
        "--handle",
        help="The account: its name, with its server where there are several (ann@town.example), a link to its profile, or on Bluesky its "
        "DID; needs --on.",
        metavar="NAME",
    ),
]
OnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--on",
        help="Platform or community on which it is used, as reddit or archive:chess; archive alone is every archive. Can be given again.",
        metavar="PLACE",
    ),
]
PermalinkOption = Annotated[
    str | None, typer.Option("--permalink", help="In place of a name: the link to one of the person's messages, or its id.", metavar="LINK")
]
CaseOption = Annotated[
    str, typer.Option("--case", help="Reference under which the request is filed; it is kept, so no name.", metavar="REFERENCE")
]
ByOption = Annotated[str, typer.Option("--by", help="Who decides: a person's name, for the audit log.", metavar="NAME")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask again before anything is removed.")]
CertificateOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for the certificate; certificates in COPROD_HOME where left out.", file_okay=False)
]
# What counts say at the end, in words.
COUNT_WORDS = {
    "looked_at": "posts looked at", "requests": "requests", "unanswered": "whose server did not answer, for the next time",
    "late": "of them overdue", "deleted": "deleted by their author",
    "removed": "removed by a moderator", "filtered": "held back by a filter", "vanished": "no longer known to the platform",
    "changed": "edited, or back again", "expired": "posts whose time was over", "reports_rewritten": "reports written anew",
    "reports_withdrawn": "reports withdrawn", "exports_cut": "exported files cut", "exports_withdrawn": "exported files removed",
    "given_up": "said to be gone for good", "not_reached": "reports or files not reached",
}  # fmt: skip
NOT_FOUND = (
    "No message was found under this name{places}. It may be another than the one the person writes under: ask for a link to one of their "
    "messages (--permalink), or for the name with its server (ann@town.example)."
)
NOT_WIPED = (
    "The database is in use or its disk is full, so freed space still holds what was removed; give `coprod renew` when nothing else runs."
)

NOT_REACHED = "What was not reached may still show what was removed; `coprod renew` says where it is and what to do."


def reconcile(
    platform: Annotated[str | None, typer.Option("--platform", help="One live platform; all of them where left out.")] = None,
    within: Annotated[
        float, typer.Option("--within", help="Also look at what becomes due in so many hours: those until the next run.", min=0, max=720)
    ] = 24.0,
    by: ByOption = "command line",
) -> None:
    """Look again at their source at stored posts, and remove what is gone there.

    Run it once a day: no post then goes unlooked at for longer than its platform's recheck_hours. Killed, it goes on where it stopped.
    """
    with plain_errors(), _opened() as (engine, settings, config):
        from flows.console import TerminalListener
        from flows.progress import listening
        from flows.reconciliation import reconcile_all
        from flows.rights import checked_name

        by = checked_name(by)
        with TerminalListener(err_console) as terminal, listening(terminal):
            counts = reconcile_all(engine, settings=settings, config=config, by=by, platform=platform, within_hours=within)
        _print_counts(counts, nothing="no live platform has posts here")


def expire(by: ByOption = "command line") -> None:
    """Remove posts that have outlived the days in retention.toml, with everything made from them."""
    with plain_errors(), _opened() as (engine, settings, config):
        from flows.retention import expire_all
        from flows.rights import checked_name

        _print_counts(expire_all(engine, settings=settings, config=config, by=checked_name(by)), nothing="nothing has outlived its time")


def renew(
    by: ByOption = "command line",
    gone: Annotated[
        list[str] | None,
        typer.Option("--gone", help="Report or exported file that is gone for good and need not be waited for; can be given again."),
    ] = None,
) -> None:
    """Write reports and exports anew that may show what was removed, and wipe freed space. The other commands do so themselves.

    What is not found, as on a drive that is away, or cannot be changed is named and waits for the next time; the exit code is 1 then.
    """
    with plain_errors(), _opened() as (engine, settings, config):
        from flows.renewal import renew as renew_all
        from flows.rights import checked_name

        found = renew_all(engine, settings=settings, config=config, by=checked_name(by), gone=gone or [])
        _print_counts(
            found.as_counts() | {"not_reached": 0}, nothing="nothing else to be renewed" if found.unreached else "nothing to be renewed"
        )
        _print_unreached(found.unreached)
        if found.unreached:
            raise typer.Exit(EXIT_FAILED)


def object_(
    case: CaseOption, by: ByOption, handle: HandleOption = None, on: OnOption = None, permalink: PermalinkOption = None,
    out: CertificateOption = None, yes: YesOption = False,
) -> None:  # fmt: skip
    """Act on an objection: remove everything of a person and never collect, read, rank or export them again."""
    _keep_out(Right.OBJECTION, case=case, by=by, handle=handle, on=on, permalink=permalink, out=out, is_sure=yes)


def erase(
    case: CaseOption, by: ByOption, handle: HandleOption = None, on: OnOption = None, permalink: PermalinkOption = None,
    only_message: Annotated[bool, typer.Option("--only-message", help="With --permalink: that message alone.")] = False,
    out: CertificateOption = None, yes: YesOption = False,
) -> None:  # fmt: skip
    """Erase everything of a person, or one message of theirs, and keep it out from now on."""
    _keep_out(Right.ERASURE, case=case, by=by, handle=handle, on=on, permalink=permalink, out=out, is_sure=yes, is_one_message=only_message)


def access(
    case: CaseOption, by: ByOption,
    out: Annotated[Path, typer.Option("--out", help="New folder for the answer: a page and a JSON file.", file_okay=False)],
    handle: HandleOption = None, on: OnOption = None, permalink: PermalinkOption = None,
) -> None:  # fmt: skip
    """Write down everything that is held about a person, as a page and as JSON."""
    with plain_errors(), _opened() as (engine, settings, config):
        from flows.access import write_access

        person = _person(engine, settings, config, handle=handle, on=on, permalink=permalink)
        counts = write_access(engine, person, case=case, by=by, out=out, config=config)
        out_console.print(escape(f"{counts['messages']:,} messages and {counts['rows']:,} records about them: {out}"), soft_wrap=True)
        if not counts["messages"]:
            _print_not_found(on)
        err_console.print(
            "Only you can read these files. Delete them when the answer was given; an erasure of this person removes them too."
        )


def notices(
    mark: Annotated[NoticeOutcome | None, typer.Option("--mark", help="Decide on every open notice in the given communities.")] = None,
    community: Annotated[
        list[str] | None, typer.Option("--community", help="A community, as reddit:marlowick; can be given again.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="How they were told, or why they need not be; for the record.")] = "",
    by: ByOption = "",
) -> None:
    """Show by community whose authors are to be told that their posts were collected, and by when; or note what was decided.

    The law gives one month from collection (UK GDPR, Article 14).
    """
    with plain_errors(), _opened() as (engine, _, _config):
        from flows.notices import mark_notices, notice_table

        if mark:
            count = mark_notices(engine, communities=community or [], outcome=mark, reason=reason, by=by)
            out_console.print(f"{count:,} posts: {mark.value}")
            return
        table = Table("community", "overdue", "due in 7 days", "later", "done", "exempt", "oldest due on", box=None, pad_edge=False)
        for line in notice_table(engine):
            table.add_row(*map(escape, line))
        out_console.print(table)


def rotate_key(by: ByOption) -> None:
    """Put a new secret over all author keys. Objections hold; a copy of the database is then of no use to who has the old secret."""
    with plain_errors(), _opened() as (engine, settings, _):
        from flows.keys import rotate_key as rotate
        from flows.rights import checked_name

        found = rotate(engine, settings, by=checked_name(by))
        out_console.print(f"{found.keys:,} author keys are under the new secret, which is number {found.secrets}.")
        err_console.print("Make a new backup copy of the secrets: with the old one alone, objections would not be found.")


RIGHTS_COMMANDS: dict[str, Callable[..., None]] = {
    "reconcile": reconcile, "expire": expire, "renew": renew, "object": object_, "erase": erase, "access": access, "notices": notices,
    "rotate-key": rotate_key,
}  # fmt: skip


@contextmanager
def _opened() -> "Iterator[tuple[Engine, Settings, Config]]":
    from config.load import load_config
    from config.settings import load_settings
    from models.session import open_engine

    settings = load_settings()
    config = load_config(settings.config_dir)
    engine = open_engine(settings.address())
    try:
        yield engine, settings, config
    finally:
        engine.dispose()


def _person(
    engine: "Engine", settings: "Settings", config: "Config", *, handle: str | None, on: list[str] | None, permalink: str | None
) -> "Person":
    from flows.rights import find_person

    return find_person(engine, settings=settings, config=config, handle=handle, on=on or [], permalink=permalink)


def _keep_out(
    right: Right, *, case: str, by: str, handle: str | None, on: list[str] | None, permalink: str | None, out: Path | None, is_sure: bool,
    is_one_message: bool = False,
) -> None:  # fmt: skip
    with plain_errors(), _opened() as (engine, settings, config):
        from flows.rights import checked_case, checked_name, count_posts, erase_message, keep_out

        checked_case(case), checked_name(by)
        person = _person(engine, settings, config, handle=handle, on=on, permalink=permalink)
        count = 1 if is_one_message else count_posts(engine, person)
        what = "one message" if is_one_message else f"{count:,} messages of this person, and everything made from them"
        if not is_sure:
            typer.confirm(f"Remove {what}, for good?", abort=True)
        given = {"case": case, "by": by, "out": out, "settings": settings, "config": config}
        answer = erase_message(engine, person, **given) if is_one_message else keep_out(engine, person, right=right, **given)  # type: ignore[arg-type]
        _print_answer(answer)
        if not count:
            _print_not_found(on)
            err_console.print("The account of exactly this name is kept out from now on.")


def _print_answer(answer: "Answer") -> None:
    rows = sum(answer.removal.counts.values())
    out_console.print(
        f"{answer.removal.counts['post']:,} messages and {rows - answer.removal.counts['post']:,} records about them removed."
    )
    if not answer.is_wiped:
        err_console.print(f"[yellow]{NOT_WIPED}[/yellow]", soft_wrap=True)
    _print_unreached(answer.unreached)
    out_console.print(f"Certificate: {escape(str(answer.certificate))}", soft_wrap=True)


def _print_unreached(lines: Iterable[str]) -> None:
    for line in lines:
        err_console.print(f"[yellow]Not reached, may still show what was removed: {escape(line)}[/yellow]", soft_wrap=True, highlight=False)


def _print_not_found(on: list[str] | None) -> None:
    places = f" on {', '.join(on)}" if on else ""
    err_console.print(f"[yellow]{escape(NOT_FOUND.format(places=places))}[/yellow]", soft_wrap=True)


def _print_counts(counts: Mapping[str, int], *, nothing: str) -> None:
    said = [f"{counts[name]:,} {words}" for name, words in COUNT_WORDS.items() if counts.get(name)]
    out_console.print("; ".join(said) or nothing, soft_wrap=True)
    if counts.get("space_not_wiped"):
        err_console.print(f"[yellow]{NOT_WIPED}[/yellow]", soft_wrap=True)
    if counts.get("not_reached"):
        err_console.print(f"[yellow]{NOT_REACHED}[/yellow]", soft_wrap=True)
