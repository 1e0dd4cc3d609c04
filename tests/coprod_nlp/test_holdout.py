"""Hold-out: never one author on both sides, nothing lost, the newest held back."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coprod_nlp.records import PostText
from coprod_nlp.training.corpus import LabelledPost
from coprod_nlp.training.holdout import (
    LARGEST_PART,
    NO_TIME,
    RECENT_SHARE,
    Case,
    HeldBack,
    RetrainingError,
    folds,
    hold_back,
    may_be_seen,
    require_enough,
    without_seen,
)

THEN = datetime(2026, 5, 1, tzinfo=UTC)


def case(number: int, author: str | None = None, *, hours: float | None = 0, community: str = "archive:town") -> Case:
    post = PostText(f"p{number:03}", "", "words")
    written_at = None if hours is None else THEN + timedelta(hours=hours)
    return Case(LabelledPost(post, frozenset(), (), is_sensitive=False, part=""), author, community, written_at)


cases = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", None]), st.one_of(st.none(), st.integers(0, 50)), st.sampled_from(["x:1", "x:2"])),
    max_size=40,
).map(lambda rows: [case(number, author, hours=hours, community=community) for number, (author, hours, community) in enumerate(rows)])


def ids(some: Sequence[Case]) -> list[str]:
    return [one.labelled.post.post_id for one in some]


@given(cases)
def test_no_author_is_on_both_sides_and_no_message_is_lost(some: list[Case]) -> None:
    held = hold_back(some)
    assert not {one.voice for one in held.learned} & {one.voice for one in held.recent}
    assert sorted([*ids(held.learned), *ids(held.recent)]) == sorted(ids(some))


@given(cases, st.randoms())
def test_the_order_in_which_messages_come_does_not_matter(some: list[Case], random: object) -> None:
    mixed = list(some)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert hold_back(mixed) == hold_back(some)


@given(cases)
def test_whatever_is_newer_than_all_that_is_learned_from_is_held_back_and_so_is_the_newest_author(some: list[Case]) -> None:
    held = hold_back(some)
    homes: dict[str, str] = {}
    totals: defaultdict[str, int] = defaultdict(int)
    for one in sorted(some, key=lambda one: one.age_order):
        homes[one.voice] = one.community
    for one in some:
        totals[homes[one.voice]] += 1
    for community, total in totals.items():
        back = [one for one in held.recent if homes[one.voice] == community]
        assert len(back) <= LARGEST_PART * total
        newest: defaultdict[str, list[Case]] = defaultdict(list)
        for one in some:
            if homes[one.voice] == community:
                newest[one.voice].append(one)
        last = max(newest.values(), key=lambda messages: max(one.age_order for one in messages))
        assert (last[0].voice in {one.voice for one in back}) == (len(last) <= LARGEST_PART * total)


def test_the_newest_third_of_many_authors_is_held_back() -> None:
    some = [case(number, f"author {number}", hours=number) for number in range(100)]
    held = hold_back(some)
    assert ids(held.recent) == [f"p{number:03}" for number in range(70, 100)]
    assert len(held.recent) == RECENT_SHARE * len(some)


def test_each_community_holds_back_its_own_newest() -> None:
    old = [case(number, f"o{number}", hours=number, community="archive:old") for number in range(10)]
    new = [case(50 + number, f"n{number}", hours=500 + number, community="archive:new") for number in range(10)]
    held = hold_back([*old, *new])
    assert ids(held.recent) == ["p007", "p008", "p009", "p057", "p058", "p059"]


def test_an_author_who_wrote_most_of_a_community_is_learned_from() -> None:
    some = [case(number, "prolific", hours=number) for number in range(60)]
    some += [case(100 + number, f"other {number}", hours=number) for number in range(40)]
    held = hold_back(some)
    assert "author prolific" in {one.voice for one in held.learned}
    assert len(held.recent) == 30


def test_a_message_without_a_time_is_taken_for_the_oldest() -> None:
    some = [case(0, "undated", hours=None), *(case(number, f"a{number}", hours=number) for number in range(1, 10))]
    held = hold_back(some)
    assert "p000" in ids(held.learned)
    assert held.learned[0].age_order[0] == NO_TIME


@given(cases)
def test_no_author_is_in_two_folds_and_every_message_is_in_one(some: list[Case]) -> None:
    parts = folds(some)
    assert sorted(row for part in parts for row in part) == list(range(len(some)))
    voices = [{some[row].voice for row in part} for part in parts]
    assert sum(map(len, voices)) == len({one.voice for one in some})


def test_what_a_champion_may_have_learned_from_is_no_test_of_it() -> None:
    some = [case(number, f"author {number}", hours=number) for number in range(100)]
    held = hold_back(some)
    assert len(without_seen(held, THEN + timedelta(hours=79)).recent) == 20
    assert len(without_seen(held, None).recent) == 30
    assert without_seen(held, THEN + timedelta(hours=95)) == held, "too few would be left"
    assert may_be_seen(case(1, hours=None), THEN)
    assert not may_be_seen(case(1, hours=None), None)


def test_too_few_messages_are_refused_with_what_is_wanted() -> None:
    few = [case(number, f"author {number}", hours=number) for number in range(20)]
    with pytest.raises(RetrainingError, match=r"14 labelled messages to learn from and 6 by other authors.*at least 30 and 10"):
        require_enough(hold_back(few))
    require_enough(HeldBack(few * 2, few))
