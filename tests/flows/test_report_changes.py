"""Changes since the last report: new, grown and gone networks are told, in the page and in the exports."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.job import Job
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report

Row = dict[str, Any]
PARK = (
    "I can help plant trees in the park on Saturday, happy to bring my own tools.",
    "Happy to help in the park on Saturday, I can bring spades and gloves.",
    "I already volunteer with the Friends of the park every Sunday, we plant bulbs.",
    "I can help in the park on Saturday too, happy to bring bulbs for planting.",
)
LIBRARY = (
    "I can help run the library on Tuesdays, happy to volunteer at the desk.",
    "Happy to volunteer at the library, I can read to children there.",
    "I already volunteer at the library every week and help with the books.",
)


def thread(said: tuple[str, ...], name: str) -> list[Row]:
    same = {"subreddit": "madeup", "link_id": f"t3_{name}", "created_utc": 1_780_000_000, "permalink": f"https://x.example/{name}"}
    return [
        same | {"name": f"t1_{name}{n}", "parent_id": f"t1_{name}{n - 1}", "author": f"{name}-{n % len(said)}", "body": said[n % len(said)]}
        for n in range(2 * len(said))
    ]


@pytest.fixture
def run(make_job: Callable[..., Job], tmp_path: Path) -> Callable[[list[Row]], Job]:
    """A whole run over the same archive, whose content may have changed."""

    def make(lines: list[Row]) -> Job:
        (tmp_path / "made-up.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        job = make_job(str(tmp_path / "made-up.ndjson"))
        for step in (collect, read, link, rank, report):
            step(job)
        job.update(status="finished", finished_at=job.run().started_at)
        return job

    return make


def told(job: Job) -> Row:
    content: Row = json.loads((job.out / "leads.json").read_text(encoding="utf-8"))
    return content


def test_a_first_report_calls_nothing_new(run: Callable[[list[Row]], Job]) -> None:
    job = run(thread(PARK[:3], "park"))
    assert told(job)["changes"] == {"since": None, "groups": [], "same": 0}
    page = (job.out / "report.html").read_text(encoding="utf-8")
    assert "This is the first report of these communities" in page
    assert 'name="change"' not in page


def test_the_next_report_says_what_is_new_and_what_has_grown(run: Callable[[list[Row]], Job]) -> None:
    first = run(thread(PARK[:3], "park"))
    again = run([*thread(PARK, "park"), *thread(LIBRARY, "library")])
    content = told(again)
    assert content["changes"]["since"] == first.run().started_at.isoformat()
    groups = {group["key"]: group["networks"] for group in content["changes"]["groups"]}
    assert [network["area"] for network in groups["new"]] == ["Libraries, arts and heritage"]
    assert [network["sentence"] for network in groups["grown"]] == ["The same network, grown by 1 voice."]
    ranks = {lead["lead_id"]: lead["rank"] for lead in content["leads"]}
    assert all(network["rank"] == ranks[network["lead_id"]] for networks in groups.values() for network in networks)
    page = (again.out / "report.html").read_text(encoding="utf-8")
    assert "Since the last report" in page
    assert 'name="change"' in page
    assert "Grown: 1" in (again.out / "summary.html").read_text(encoding="utf-8")


def test_writing_the_same_report_again_does_not_change_what_has_changed(run: Callable[[list[Row]], Job]) -> None:
    run(thread(PARK[:3], "park"))
    again = run([*thread(PARK, "park"), *thread(LIBRARY, "library")])
    before = told(again)["changes"]
    report(again)
    assert told(again)["changes"] == before
