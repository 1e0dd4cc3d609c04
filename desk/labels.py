"""Labels: one message at a time, with the codebook beside it; how far labellers agree, and what they dispute."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from coprod_nlp.records import PostText
from coprod_nlp.text.spans import characters, find_words
from coprod_nlp.training.agreement import compare_judgements, judgement_of
from coprod_nlp.vocabulary import PolicyArea, Signal
from coprod_nlp.words import SIGNAL_WORDS
from desk.auth import Acting, Analyst
from desk.codebook import RULINGS, SENSITIVE_HELP, SIGNAL_HELP
from desk.facts import manifest_in_use
from desk.label_queue import Asking
from desk.office import Office, TheOffice
from desk.pages import go, page
from desk.whose import known_communities
from models import account_queries, decision_actions, label_queries
from models.actions import store_labels
from models.classifier_actions import RefusedError
from models.label import text_hash
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

ORIGIN = "desk"
MOST_AREAS = 3
PostId = Annotated[str, Form(max_length=200)]
Asked = Annotated[str, Query(max_length=200)]
Text = Annotated[str, Form(max_length=10_000)]
Many = Annotated[list[str] | None, Form(max_length=200)]


@router.get("/labels")
def labels_page(request: Request, office: TheOffice, acting: Analyst, post: Asked = "") -> Response:
    communities = known_communities(office, acting.council)
    asking = Asking(acting.account_id, acting.username, acting.council, office.desk(acting.council).voice_views_a_week)
    with office.engine.connect() as connection:
        if post:
            found = label_queries.post_to_label(connection, post, communities=communities)
            if found is None:
                raise HTTPException(404)
            if not office.queues.may_see_voice(connection, asking, found):
                return page(request, "labels_held.html", title="Seen often enough", acting=acting, limit=asking.views_a_week, status=429)
        else:
            found = office.queues.next_post(connection, asking, communities=communities, manifest=manifest_in_use(office))
        counts = label_queries.label_counts(connection, communities=communities)
        names = account_queries.names(connection, acting.council)
    if found is None:
        return page(request, "labels_done.html", title="Labels", acting=acting, counts=counts, names=names)
    return _post_page(request, office, acting, found, counts=counts)


@router.post("/labels")
def label(
    request: Request, office: TheOffice, acting: Analyst, post_id: PostId = "", shown: Text = "", action: Text = "", areas: Many = None,
    signals: Many = None, sensitive: Text = "", mark: Many = None, words: Text = "",
) -> Response:  # fmt: skip
    communities = known_communities(office, acting.council)
    with office.engine.connect() as connection:
        post = label_queries.post_to_label(connection, post_id, communities=communities)
    if post is None:
        raise HTTPException(404)
    if action == "later":
        office.queues.leave(acting.account_id, post_id)
        return go("/labels", done="skipped")
    given = {"areas": areas or [], "signals": signals or [], "sensitive": sensitive, "mark": mark or [], "words": words}
    try:
        if shown != text_hash(post.title, post.body):
            raise RefusedError("the message was changed at its source while you read it; read it again")
        row = _judgement(post, acting, given, is_nothing=action == "none")
        with unit_of_work(office.engine) as session:
            store_labels(session, [row], by=acting.username, origin=ORIGIN)
    except RefusedError as error:
        return _post_page(request, office, acting, post, values=given, error=str(error))
    return go("/labels", done="labelled")


@router.get("/labels/agreement")
def agreement_page(request: Request, office: TheOffice, acting: Analyst) -> Response:
    communities = known_communities(office, acting.council)
    with office.engine.connect() as connection:
        here = (row for row in label_queries.labelled_posts(connection) if row.community_id in communities)
        found = compare_judgements(map(judgement_of, here))
        names = account_queries.names(connection, acting.council)
    return page(
        request,
        "labels_agreement.html",
        title="How far labellers agree",
        acting=acting,
        found=found,
        names=names,
        label_words=_label_words(office),
    )


def _post_page(
    request: Request, office: Office, acting: Acting, post: Any, *, counts: Sequence[Any] = (), values: dict[str, Any] | None = None,
    error: str = "",
) -> Response:  # fmt: skip
    """One message; that it was shown is counted and written down. What others said is shown where it has to be settled."""
    with unit_of_work(office.engine) as session:
        keys = [post.author_key] if post.author_key else []
        # The community stands in the audit log, not the message: the log outlives an erasure.
        decision_actions.record_views(session, acting.account_id, keys, lead_id=post.community_id, by=acting.username)
        given = label_queries.labels_of_post(session.connection(), post.post_id)
        names = account_queries.names(session.connection(), acting.council)
    others = [row for row in given if row.labeller != acting.username]
    own = next((row for row in given if row.labeller == acting.username), None)
    return page(
        request, "labels.html", title="Label a message", acting=acting, post=post, text=PostText("", post.title, post.body).text,
        shown=text_hash(post.title, post.body), title_of=office.community_title, signal_help=SIGNAL_HELP, sensitive_help=SENSITIVE_HELP,
        rulings=RULINGS, areas=[(area.value, office.config.policy_areas[area.value]) for area in PolicyArea], names=names,
        others=others if len(others) > 1 or own else [], label_words=_label_words(office),
        mine=sum(row.labels for row in counts if row.labeller == acting.username),
        values=values or _as_given(own, post), errors={"label": error} if error else {}, status=400 if error else 200,
    )  # fmt: skip


def _judgement(post: Any, acting: Acting, given: dict[str, Any], *, is_nothing: bool) -> dict[str, Any]:
    """What was ticked and marked, as a label.

    Raises
    ------
    RefusedError
        Where it says nothing, something that the codebook does not have, or words that are not in the message.
    """
    areas, signals = set(given["areas"]), set(given["signals"])
    evidence = _marks(given["mark"], post) + _lines(given["words"], post)
    signals |= {signal for signal, _, _ in evidence}
    if not areas <= set(PolicyArea) or not signals <= set(Signal):
        raise RefusedError("this label is not in the codebook; reload the page")
    if len(areas) > MOST_AREAS:
        raise RefusedError(f"{len(areas)} areas are ticked; a message has at most {MOST_AREAS}")
    is_sensitive = given["sensitive"] == "yes"
    says_something = bool(areas or signals or is_sensitive)
    if says_something == is_nothing:
        raise RefusedError(
            "something is ticked; untick it, or choose “Save”"
            if is_nothing
            else "nothing is ticked; tick what applies, or choose “Nothing applies”"
        )
    return {
        "post_id": post.post_id, "labeller": acting.username, "areas": sorted(areas), "signals": sorted(signals),
        "evidence": sorted(set(evidence)), "is_sensitive": is_sensitive,
    }  # fmt: skip


def _marks(marks: Sequence[str], post: Any) -> list[tuple[str, int, int]]:
    """What was selected in the page: a signal, a place in UTF-16 units, the words."""
    text = PostText("", post.title, post.body).text
    found = []
    for mark in marks:
        signal, _, rest = mark.partition(" ")
        place, _, words = rest.partition(" ")
        span = find_words(text, words, characters(text, int(place))) if place.isdecimal() and len(place) < 8 else None
        if signal not in set(Signal) or span is None:
            raise RefusedError("words were marked that are not in the message; mark them again")
        found.append((signal, *span))
    return found


def _lines(words: str, post: Any) -> list[tuple[str, int, int]]:
    """What was typed: a line each, as `offer: I can lend my van`."""
    text = PostText("", post.title, post.body).text
    found = []
    for line in filter(str.strip, words.splitlines()):
        signal, colon, part = line.partition(":")
        span = find_words(text, part)
        if not colon or signal.strip().lower() not in set(Signal):
            raise RefusedError("each line of evidence begins with a signal and a colon, as in “offer: I can lend my van”")
        if span is None:
            raise RefusedError(f"the words after “{signal.strip().lower()}:” are not in the message; copy them from it")
        found.append((signal.strip().lower(), *span))
    return found


def _as_given(own: Any, post: Any) -> dict[str, Any]:
    """One's own earlier label, to change."""
    if own is None:
        return {}
    text = PostText("", post.title, post.body).text
    lines = [f"{signal}: {' '.join(text[start:end].split())}" for signal, start, end in own.evidence]
    return {
        "areas": own.areas,
        "signals": own.signals,
        "sensitive": "yes" if own.is_sensitive else "",
        "words": "\n".join(lines),
        "mark": [],
    }


def _label_words(office: Office) -> dict[str, str]:
    """Every label in plain words."""
    areas = {area.value: office.config.policy_areas[area.value].name for area in PolicyArea}
    return areas | {signal.value: SIGNAL_WORDS[signal] for signal in Signal} | {"willing": "is willing", "sensitive": "sensitive"}
