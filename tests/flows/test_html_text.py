"""What a reader sees of a piece of HTML, and nothing of what others wrote in it."""

import pytest

from flows.sources.html_text import html_text

PIECES = [
    pytest.param("I can help", "I can help", id="no mark-up"),
    pytest.param(
        "<p>I can help<br>on Saturday.</p><p>&amp; bring a spade</p>", "I can help\non Saturday.\n\n& bring a spade", id="paragraphs"
    ),
    pytest.param(
        "<p>Yes.</p><blockquote>Who? <blockquote>You?</blockquote> Me?</blockquote><p>I can.</p>", "Yes.\n\nI can.", id="quotations"
    ),
    pytest.param('<aside class="quote"><p>Who?</p></aside><p>I can.</p>', "I can.", id="Discourse quotation"),
    pytest.param('<p class="quote-inline">RE: x</p><p>I can.</p>', "I can.", id="Mastodon quotation"),
    pytest.param('<a href="x"><span class="invisible">https://</span><span>river.example</span></a>', "river.example", id="shortened link"),
    pytest.param('<p>One<img class="invisible" alt="x"> two</p>', "One two", id="invisible picture"),
    pytest.param("<script>alert(1)</script><style>p{}</style><p>Two</p>", "Two", id="scripts and styles"),
    pytest.param("<ul><li>spade</li><li>rake</li></ul>", "spade\n\nrake", id="list"),
    pytest.param("1 < 2 & 3", "1 < 2 & 3", id="signs that are no mark-up"),
    pytest.param("", "", id="nothing"),
]


@pytest.mark.parametrize(("html", "text"), PIECES)
def test_html_is_read_as_people_see_it(html: str, text: str) -> None:
    assert html_text(html) == text
