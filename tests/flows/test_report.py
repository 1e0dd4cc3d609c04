"""The report: one page that asks for nothing and five files that say the same, safe to open whatever strangers wrote."""

import csv
import io
import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from sqlalchemy import select, text
from sqlmodel import col

from config.settings import author_key, load_author_key
from coprod_nlp.records import PostText
from coprod_nlp.vocabulary import PolicyArea
from flows.job import Job
from flows.reports.exports import table
from flows.reports.files import FILES as MAY_BE_WRITTEN
from flows.reports.files import KEYS, TEMPLATES
from flows.sources.base import Problems
from flows.sources.table import open_source
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report
from models import queries
from models.post import Post
from models.run import Run
from models.session import open_engine, unit_of_work

FILES = tuple(sorted(set(MAY_BE_WRITTEN) - {KEYS}))
HOSTILE = "<script>alert('geese')</script> \"><img src=x onerror=alert(1)> {{ 7 * 7 }} &lt;b&gt;"
COLUMNS = ("posts", "willing", "proposing", "complaining", "asking")
CHAT = "Nice photo of the heron."
SAID = (
    "I can help plant trees in the park on Saturday, happy to bring my own tools.",
    "Happy to help in the park on Saturday, I can bring spades and gloves.",
    "I already volunteer with the Friends of the park every Sunday, we plant bulbs.",
)
Row = dict[str, Any]


class Page(HTMLParser):
    """A page as its tags, its attributes and the text in each tag; cells of a table row are split by tabs."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.texts.setdefault(tag, []).append("")
        if tag in {"td", "th"}:
            self.texts["tr"][-1] += "\t"
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data

    def values(self, name: str, *, tag: str = "") -> list[str]:
        return [value for on, called, value in self.attributes if called == name and (not tag or on == tag)]

    def links(self) -> list[str]:
        return [href for href in self.values("href", tag="a") if not href.startswith("#")]


class Report:
    """The files of a finished run, and what they say."""

    def __init__(self, job: Job) -> None:
        self.job = job
        assert sorted(path.name for path in job.out.iterdir()) == list(FILES)
        self.files = {name: (job.out / name).read_text(encoding="utf-8") for name in FILES}
        self.page = Page(self.files["report.html"])
        self.told: Row = json.loads(self.files["leads.json"])
        self.leads: list[Row] = self.told["leads"]
        self.table, self.map = (
            list(csv.DictReader(io.StringIO(self.files[name]), strict=True)) for name in ("leads.csv", "opportunity.csv")
        )  # fmt: skip
        with job.engine.connect() as connection:
            self.evidence = [(lead, queries.lead_evidence(connection, lead["lead_id"])) for lead in self.leads]
        self.quotes: list[Row] = [quote for lead in self.leads for quote in lead["quotes"]]


@pytest.fixture(scope="module")
def sample(sample_run: Job) -> Report:
    return Report(sample_run)


@pytest.fixture
def sample_copy(sample_run: Job, tmp_path: Path) -> Iterator[Job]:
    """The finished run in a store of its own, to be changed at will."""
    with sample_run.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM INTO :path"), {"path": str(tmp_path / "copy.sqlite3")})
    engine = open_engine(f"sqlite:///{(tmp_path / 'copy.sqlite3').as_posix()}")
    yield replace(sample_run, engine=engine, out=tmp_path / "again")
    engine.dispose()


def test_opening_the_page_asks_for_nothing(sample: Report) -> None:
    page = sample.page
    assert not page.texts.keys() & set("link img image iframe object embed audio video source base use".split())
    requests = set("src srcset data poster background action xlink:href ping formaction".split())
    assert page.texts["script"] == [(TEMPLATES / "report.js").read_text(encoding="utf-8")]
    assert not re.search(r"fetch|XMLHttp|import|https?:|Beacon|WebSocket|innerHTML|eval", page.texts["script"][0])
    assert not [name for _, name, _ in page.attributes if name in requests or name.startswith("on")]
    assert {tag for tag, name, _ in page.attributes if name == "href"} == {"a"}
    assert page.values("http-equiv") == ["Content-Security-Policy"]
    (policy,) = [content for content in page.values("content", tag="meta") if "default-src" in content]
    digest = b64encode(sha256(page.texts["script"][0].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"@import|url\s*\(", " ".join([*page.texts["style"], *page.values("style")]), re.IGNORECASE)


def test_the_sample_is_said_to_be_made_up(sample: Report) -> None:
    assert sample.told["is_sample"] is True
    assert any("Sample data." in words and "made up by the coprod project" in words for words in sample.page.texts["p"])


def test_leads_come_by_rank_with_parts_that_add_up_to_their_score(sample: Report) -> None:
    assert len(sample.leads) > 3
    on_merit = [lead["score"] for lead in sample.leads if not lead["kept"]]
    assert on_merit == sorted(on_merit, reverse=True)
    for place, lead in enumerate(sample.leads, start=1):
        assert lead["rank"] == place
        known = [part for part in lead["parts"] if part["points"] is not None]
        total = 100 * sum(part["points"] for part in known) / sum(part["weight"] for part in known)
        assert lead["score"] == pytest.approx(total, abs=0.006)
        assert 0 <= lead["low"] <= lead["score"] <= lead["high"] <= 100


def test_page_and_table_print_the_same_leads_scores_and_parts(sample: Report) -> None:
    assert sample.page.values("id", tag="article") == [lead["lead_id"] for lead in sample.leads]
    for article, row, lead in zip(sample.page.texts["article"], sample.table, sample.leads, strict=True):
        words = " ".join(article.split())
        assert f"{lead['score']:.0f} of 100 likely {lead['low']:.0f} to {lead['high']:.0f}" in words
        cells = words.partition("Because")[2]
        for part in lead["parts"]:
            cells = cells.replace(part["sentence"], "")
        points = re.findall(r"([\d.]+) of \d+", cells)
        assert sum(map(float, points)) == pytest.approx(sum(part["points"] or 0 for part in lead["parts"]), abs=0.5)
        facts = [row["rank"], row["lead"], row["area"], row["score"], row["voices"]]
        assert facts == [str(lead[name]) for name in ("rank", "lead_id", "area", "score", "voices")]
        for part in lead["parts"]:
            assert part["sentence"] in words
            told = row[f"points_{part['key']}"]
            assert (float(told) if told else None) == (None if part["points"] is None else pytest.approx(part["points"], abs=0.006))


def test_no_lead_has_fewer_than_three_willing_voices(sample: Report) -> None:
    for lead, messages in sample.evidence:
        assert len({row.author_key for row in messages if row.is_willing}) == lead["voices"] >= 3


def test_evidence_is_marked_where_the_reader_found_it(sample: Report) -> None:
    assert sample.page.texts["mark"] == [quote["marked"] for quote in sample.quotes]
    spans, words = {}, {}
    for row in (row for _, messages in sample.evidence for row in messages):
        words[row.permalink] = PostText(row.post_id, row.title, row.body).text
        spans[row.permalink] = {words[row.permalink][start:end] for _, start, end in row.evidence}
    for quote in sample.quotes:
        assert quote["marked"] in spans[quote["link"]]
        assert quote["before"].removeprefix("… ") + quote["marked"] + quote["after"].removesuffix(" …") in words[quote["link"]]


def test_every_quote_leads_back_to_its_place_by_https_and_every_link_on_the_page_goes_somewhere(sample: Report) -> None:
    assert {quote["link"] for quote in sample.quotes} <= set(sample.page.links())
    links = [*(set(sample.page.links()) - {"summary.html"}), *(row["strongest_message"] for row in sample.table)]
    assert all(link.startswith("https://marlowick.example/") for link in links)
    ids = Counter(sample.page.values("id"))
    assert {href[1:] for href in sample.page.values("href") if href.startswith("#")} <= {name for name, count in ids.items() if count == 1}


def test_no_file_tells_a_voice_by_key_or_by_name(sample: Report) -> None:
    posts = [post for post, _, _ in open_source("sample", columns={}).posts(Problems())]
    names = {post.author_id for post in posts if post.author_id}
    with sample.job.engine.connect() as connection:
        stored = {str(key) for key in connection.scalars(select(col(Post.author_key)).where(col(Post.author_key).is_not(None)))}
    assert stored <= {author_key(load_author_key(sample.job.settings), platform="sample", author_id=author) for author in names}
    # Names that people call each other by stay in what they wrote; they may stand nowhere else.
    written = "\n".join(f"{post.title}\n{post.body}\n{post.permalink}" for post in posts).lower()
    unspoken = {author for author in names if author.lower() not in written}
    assert min(len(stored), len(unspoken)) > 50
    for name, content in sample.files.items():
        assert not [one for one in stored | unspoken if one.lower() in content.lower()], name


def test_graphs_hold_the_same_numbered_voices_and_ties(sample: Report) -> None:
    one, other = nx.read_graphml(sample.job.out / "networks.graphml"), nx.read_gexf(sample.job.out / "networks.gexf")
    assert dict(one.nodes(data="willing")) == dict(other.nodes(data="willing"))
    assert all(re.fullmatch(r"network \d+ voice \d+", node) for node in one)
    edges = [{frozenset((a, b)): weight for a, b, weight in graph.edges(data="weight")} for graph in (one, other)]
    assert edges[0] == edges[1] != {}
    with sample.job.engine.connect() as connection:
        networks = queries.networks(connection, sample.job.scope_id())
        voices = sorted(len(queries.network_voices(connection, row.network_id)) for row in networks)
    assert sorted(Counter(network for _, network in one.nodes(data="network")).values()) == voices


def test_the_opportunity_map_counts_what_was_read_and_says_the_same_everywhere(sample: Report) -> None:
    counted = {area.value: [0] * 5 for area in PolicyArea}
    with sample.job.engine.connect() as connection:
        for row in queries.read_messages(connection, sample.job.scope(), version=sample.told["versions"]["reading"]):
            facts = [True, row.is_willing, *(signal in json.loads(row.signals) for signal in ("propose", "complaint", "request"))]
            for area in json.loads(row.areas):
                counted[area] = [total + fact for total, fact in zip(counted[area], facts, strict=True)]
    assert counted["parks"][1] > 0
    for told in (sample.told["opportunity"], sample.map):
        assert {row["key"]: [int(row[name]) for name in COLUMNS] for row in told} == counted
    printed = [[cell.strip() for cell in row.split("\t")[1:7]] for row in sample.page.texts["tr"]]
    assert all([row["area"], *(f"{row[name]:,}" for name in COLUMNS)] in printed for row in sample.told["opportunity"])


def test_reporting_again_gives_the_same_bytes(sample: Report, sample_copy: Job) -> None:
    report(sample_copy)
    for name in FILES:
        assert (sample_copy.out / name).read_bytes() == (sample.job.out / name).read_bytes(), name


def test_a_graph_tells_no_other_day_than_that_of_its_run(sample_copy: Job) -> None:
    with unit_of_work(sample_copy.engine) as session:
        session.get_one(Run, sample_copy.run_id).started_at = datetime(2031, 2, 3, tzinfo=UTC)
    report(sample_copy)
    assert set(re.findall(r'lastmodifieddate="([^"]*)"', Report(sample_copy).files["networks.gexf"])) <= {"2031-02-03"}


def told_by(said: tuple[str, ...] = SAID, **changed: Any) -> list[Row]:
    """A thread of some people who answer each other in turn, as a Reddit archive tells it."""
    thread = {"subreddit": "madeup", "link_id": "t3_m", "created_utc": 1_780_000_000, "permalink": "https://x.example/"}
    names = [{"name": f"t1_m{n}", "parent_id": f"t1_m{n - 1}", "author": f"made-up-{n % len(said)}"} for n in range(2 * len(said))]
    return [thread | name | {"body": said[n % len(said)]} | changed for n, name in enumerate(names)]


@pytest.fixture
def make_report(make_job: Callable[..., Job], tmp_path: Path) -> Callable[[list[Row]], Report]:
    def make(lines: list[Row]) -> Report:
        (tmp_path / "made-up.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        job = make_job(str(tmp_path / "made-up.ndjson"))
        for step in (collect, read, link, rank, report):
            step(job)
        return Report(job)

    return make


def test_hostile_words_names_and_links_are_shown_as_words_or_not_at_all(make_report: Callable[[list[Row]], Report]) -> None:
    lines = told_by(tuple(f"{words} The park and its trees need us all. {HOSTILE}" for words in SAID), subreddit="<i>=cmd|' /C calc'!A0")
    escaped = 'https://x.example/"><script>alert(1)</script>'
    for line, bad in zip(lines, ("javascript:alert(1)", "data:text/html,x", "//x.example/x", "ftp://x.example", escaped, ""), strict=True):
        line["permalink"] = bad
    made = make_report(lines)
    assert HOSTILE in made.page.texts["blockquote"][0]
    assert {"img", "i", "b"}.isdisjoint(made.page.texts)
    assert len(made.page.texts["script"]) == 1
    assert not [name for _, name, _ in made.page.attributes if name.startswith("on")]
    assert {quote["link"] for quote in made.quotes} == {"", escaped}
    assert set(made.page.links()) == {escaped, "summary.html"}


@pytest.mark.parametrize(
    ("permalink", "link"),
    [("http://x.example/1", ""), ("/r/madeup/comments/m/", "https://www.reddit.com/r/madeup/comments/m/")],
    ids=["not encrypted", "as in Reddit's dumps"],
)
def test_links_are_https_and_reddits_own_short_form_is_made_whole(
    make_report: Callable[[list[Row]], Report], permalink: str, link: str
) -> None:
    assert {quote["link"] for quote in make_report(told_by(permalink=permalink)).quotes} == {link}


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        pytest.param([], "No post came from these sources", id="empty archive"),
        pytest.param(told_by(author="[unknown]"), "None of the 6 posts says who wrote it", id="no authors"),
        pytest.param(told_by((CHAT,) * 3), "none offers, organises, asks to join", id="nobody willing"),
        pytest.param(told_by(SAID[:2], link_id=None, parent_id=None), "whether they answer each other or not", id="nobody answers"),
        pytest.param(told_by((*SAID[:2], CHAT)), "no network has 3 or more different voices", id="too few willing"),
    ],
)
def test_a_report_without_leads_says_why(make_report: Callable[[list[Row]], Report], lines: list[Row], why: str) -> None:
    made = make_report(lines)
    assert (made.leads, made.table) == ([], [])
    assert why in made.told["why_empty"]
    assert any("There are no leads in this report." in words and made.told["why_empty"] in words for words in made.page.texts["p"])
    assert "Sample data." not in "".join(made.page.texts["p"])
    assert len(nx.read_graphml(made.job.out / "networks.graphml")) == len(nx.read_gexf(made.job.out / "networks.gexf")) == 0
    assert len(made.map) == len(PolicyArea)


@pytest.mark.parametrize("start", [*"=+-@\t\r", pytest.param("\n="), pytest.param("＝")], ids=repr)
def test_a_cell_that_a_spreadsheet_would_take_for_a_formula_is_text(start: str) -> None:
    words = f'{start}HYPERLINK("https://x.example","a, b")'
    (cells,) = csv.DictReader(
        io.StringIO(table([{"words": words, "number": -3.5, "unknown": None}], ["words", "number", "unknown"]), newline=""), strict=True
    )
    assert cells == {"words": f"'{words}", "number": "-3.5", "unknown": ""}
