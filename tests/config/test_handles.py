"""From what a person writes as their name to the keys that collecting made: what is found, what is refused and with which words."""

import pytest

from config.handles import HandleError, account_of, keys_of_handle, permalink_forms, without_name
from config.schema import Community
from config.settings import author_key

SECRET = (b"0123456789abcdef-a-key-for-tests-only",)
ADDRESSES = {
    "discourse:plots": "https://plots.example/c/trees", "mastodon:town": "https://town.example/tags/town",
    "lemmy:green": "https://green.example/c/town", "rss:news": "https://news.example/feed", "reddit:town": "https://www.reddit.com/r/town/",
    "bluesky:town": "https://bsky.app/profile/did:plc:list/feed/town", "discourse:other": "https://other.example/c/town",
}  # fmt: skip
COMMUNITIES = [
    Community(platform=key.split(":")[0], name=key.split(":")[1], title=key, council="thornby", category="place", url=url)
    for key, url in ADDRESSES.items()
]


STORED = ("archive:chess", "archive:bridge", "reddit:town")


def keys(handle: str, *on: str) -> frozenset[str]:
    return keys_of_handle(SECRET, handle, on=on, communities=COMMUNITIES, stored=STORED)


@pytest.mark.parametrize(
    ("handle", "place", "kept_as"),
    [
        ("Ann", "discourse:plots", "ann@plots.example"),
        ("@ann", "mastodon:town", "ann@town.example"),
        ("u/Ann", "lemmy:green", "Ann@green.example"),
        ("Ann Smith", "rss:news", "Ann Smith@news.example"),
        ("ann@mail.example", "rss:news", "ann@mail.example@news.example"),
        ("Ann", "discourse", "ann@other.example"),
        ("@ann@far.example", "mastodon:town", "ann@far.example"),
        ("https://far.example/@ann", "mastodon:town", "ann@far.example"),
        ("https://town.example/@ann@far.example/1234", "mastodon:town", "ann@far.example"),
        ("plots.example/u/Ann/summary", "discourse:plots", "Ann@plots.example"),
        ("https://green.example/u/ann", "lemmy", "ann@green.example"),
        ("https://www.reddit.com/user/Ann", "reddit:town", "Ann"),
        ("https://old.reddit.com/u/Ann/?sort=new", "reddit", "Ann"),
        ("HTTPS://www.reddit.com/user/Ann/", "reddit", "Ann"),
        ("https://bsky.app/profile/did:plc:ann", "bluesky:town", "did:plc:ann"),
        ("did:plc:ann", "bluesky", "did:plc:ann"),
    ],
)  # fmt: skip
def test_whoever_is_named_is_found_under_the_key_that_collecting_made(handle: str, place: str, kept_as: str) -> None:
    assert author_key(SECRET, platform=place.partition(":")[0], author_id=kept_as) in keys(handle, place)


def test_a_name_on_one_server_is_nobody_of_the_same_name_on_another() -> None:
    other = author_key(SECRET, platform="discourse", author_id="ann@other.example")
    assert other not in keys("ann", "discourse:plots")
    assert other not in keys("https://plots.example/u/ann", "discourse")
    assert other not in keys("ann@plots.example", "discourse")


def test_the_archive_is_every_archive_of_before_and_to_come_and_one_of_them_is_itself_alone() -> None:
    def kept(*places: str) -> set[str]:
        return {author_key(SECRET, platform=place, author_id="ann") for place in places}

    assert keys("Ann", "archive") == kept("archive", "archive:chess", "archive:bridge")
    assert keys("Ann", "archive:chess") == kept("archive:chess")


@pytest.mark.parametrize(
    ("handle", "place", "words"),
    [
        ("ann.bsky.social", "bluesky:town", r"link to a post of the account, or its DID"),
        ("https://bsky.app/profile/ann.bsky.social", "bluesky:town", r"link to a post of the account, or its DID"),
        ("https://www.reddit.com/r/town/comments/abc/", "reddit:town", "leads to no account"),
        ("https://town.example/@", "mastodon:town", "leads to no account"),
        ("https://[town/@ann", "mastodon:town", "cannot be read"),
        ("ann", "mastodon:gone", "with its server, as ann@town.example"),
    ],
)  # fmt: skip
def test_a_name_by_which_nobody_would_be_found_is_refused_with_what_to_give(handle: str, place: str, words: str) -> None:
    with pytest.raises(HandleError, match=words):
        keys(handle, place)


@pytest.mark.parametrize(
    ("link", "stored"),
    [
        ("/user/Ann/comments/b6/x/", "/comments/b6/x/"),
        ("https://www.reddit.com/u/Ann/comments/b6/x/c1/", "https://www.reddit.com/comments/b6/x/c1/"),
        ("/r/u_Ann/comments/b6/x/", "/comments/b6/x/"),
        ("/r/town/comments/b6/x/?u=ann", "/r/town/comments/b6/x/"),
        ("https://a.example/t/x/12?page=2&u=ann", "https://a.example/t/x/12?page=2"),
        ("https://a.example/view?author=ann&p=12", "https://a.example/view?p=12"),
        ("https://a.example/users/ann/posts/12", ""),
        ("https://a.example/@ann/12", ""),
        ("/r/user/comments/b6/x/", "/r/user/comments/b6/x/"),
        ("https://a.example/questions/12/users-of-the-park?tab=a", "https://a.example/questions/12/users-of-the-park?tab=a"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_link_is_stored_without_its_authors_name_and_found_by_either_form(link: str, stored: str) -> None:
    assert without_name(link) == stored
    assert not stored or {link, stored} <= set(permalink_forms(link))


@pytest.mark.parametrize("handle", ["Ann", " u/Ann ", "/u/Ann/", "@Ann", "user/Ann"])
def test_what_people_write_before_a_name_is_no_part_of_it(handle: str) -> None:
    assert account_of(handle) == ("Ann", "")
