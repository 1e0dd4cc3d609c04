"""The answer to an access request: everything here about one person, as JSON for machines and as a page for people."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import Connection, Engine

from config.schema import Config
from coprod_nlp.records import whole_text
from coprod_nlp.vocabulary import Right
from flows.certificate import unwritable
from flows.job import RequestError
from flows.rights import Person, checked_case, checked_name
from models import right_actions, right_queries, written_actions
from models.base import Table, utc_now
from models.post import Post, PostReading
from models.removal import key_columns
from models.session import unit_of_work
from models.written import ACCESS

TEMPLATES = Path(__file__).parent / "reports" / "templates"
# Who of the council or its helpers wrote a row down is not the requester's data.
STAFF = frozenset({"labeller", "labelled_by", "decided_by", "account_id"})
PURPOSES = ("find groups of residents who would help run public services", "answer requests such as this one")


def write_access(engine: Engine, person: Person, *, case: str, by: str, out: Path, config: Config) -> dict[str, int]:
    """Write `access.json` and `access.html` into a new folder; returns counts.

    The files are known to the store before a word is in them: when what they hold is erased, they go too. Where they cannot be made,
    nothing is noted; where they cannot be filled, as on a full disk, nothing is left of them.

    Raises
    ------
    RequestError
        Where the folder cannot be written, or holds an answer already.
    """
    case, by = checked_case(case), checked_name(by)
    paths = {name: out.resolve() / name for name in ("access.json", "access.html")}
    if any(path.exists() for path in paths.values()):
        raise RequestError(f"--out {out}: holds an answer already; choose another folder")
    with engine.connect() as connection:
        bundle = gather(connection, person, config=config)
    post_ids = [post["post_id"] for post in bundle["messages"]]
    contents = {"access.json": json.dumps(bundle, ensure_ascii=False, indent=1) + "\n", "access.html": _page(bundle)}
    with _removed_on_failure(out, paths.values()):
        _make_empty(out, paths.values())
    with unit_of_work(engine) as session:
        for path in paths.values():
            written_actions.record_export(session, path=str(path), kind=ACCESS, post_ids=post_ids, by=by)
    try:
        with _removed_on_failure(out, paths.values()):
            for name, content in contents.items():
                paths[name].write_text(content, encoding="utf-8")
    except RequestError:
        with unit_of_work(engine) as session:
            for path in paths.values():
                written_actions.forget_export(session, str(path), by=by)
        raise
    counts = {"messages": len(post_ids), "rows": sum(map(len, bundle["other_records"].values()))}
    with unit_of_work(engine) as session:
        right_actions.record_access(session, case=case, counts=counts, by=by)
    return counts


def gather(connection: Connection, person: Person, *, config: Config) -> dict[str, Any]:
    """Everything about a person: each table with personal columns is asked, as each of them is when somebody is erased."""
    posts = right_queries.posts_of_keys(connection, person.keys)
    texts = {post.post_id: whole_text(post.title, post.body) for post in posts}
    records: dict[str, list[dict[str, Any]]] = {}
    for table, row in right_queries.rows_about(connection, keys=person.keys, post_ids=list(texts)):
        records.setdefault(str(table.__tablename__), []).append(_record(table, row, texts, person))
    platforms = sorted({post.platform for post in posts})
    return {
        "made_at": utc_now().isoformat(timespec="seconds"),
        "right": Right.ACCESS.value,
        "about_this_answer": {
            "purposes": list(PURPOSES),
            "campaigns": [
                {
                    "purpose": campaign.purpose, "lawful_basis": campaign.lawful_basis, "statutory_function": campaign.statutory_function,
                    "privacy_notice": str(campaign.privacy_notice),
                }
                for campaign in config.campaigns.values()
            ],
            "source": "messages that were public on the platforms named below",
            "shown_to": "officers of the council, as evidence beside a network of at least three voices",
            "no_automated_decision": "Networks and messages are scored, never persons; people decide.",
            "your_rights": "You may object, have everything erased, have what is wrong corrected at its source, and complain to the "
            "Information Commissioner's Office (ico.org.uk).",
        },
        "platforms": [{"platform": name, "kept_days": config.kept_days(name)} for name in platforms],
        "objections_on_file": [
            {"reason": row.reason, "since": row.suppressed_at.isoformat()} for row in right_queries.suppressions(connection, person.keys)
        ],
        "messages": [_message(post, config) for post in posts],
        "other_records": records,
    }  # fmt: skip


def _make_empty(out: Path, paths: Iterable[Path]) -> None:
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in paths:
        path.touch(mode=0o600)


@contextmanager
def _removed_on_failure(out: Path, paths: Iterable[Path]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        for path in paths:
            with suppress(OSError):
                path.unlink()
        raise unwritable(out, error) from None


def _message(post: Any, config: Config) -> dict[str, Any]:
    expires = post.fetched_at + timedelta(days=config.kept_days(post.platform))
    names = sorted((Post.personal | Post.not_personal) - {"content_hash"})
    return {name: _plain(getattr(post, name)) for name in names} | {"removed_at_the_latest": expires.date().isoformat()}


def _record(table: type[Table], row: Any, texts: dict[str, str], person: Person) -> dict[str, Any]:
    """A row as its owner may see it: keys of others and names of staff are left out, evidence carries its words."""
    others = {name for name in key_columns(table) if getattr(row, name) not in person.keys}
    shown = {
        name: "another person" if name in others else _plain(getattr(row, name))
        for name in sorted(table.personal | table.not_personal)
        if name not in STAFF and name not in {"content_hash", "text_hash"}
    }
    if table is PostReading:
        text = texts.get(row.post_id, "")
        shown["evidence"] = [{"signal": signal, "words": text[start:end]} for signal, start, end in row.evidence]
    return shown


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _page(bundle: dict[str, Any]) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    counts = Counter({name: len(rows) for name, rows in bundle["other_records"].items()})
    return environment.get_template("access.html").render(bundle=bundle, counts=sorted(counts.items()))
