"""Stack Exchange archives: `Posts.xml` of a site's dump, read as a stream."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, cast
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import iterparse

from flows.sources.html_text import html_text
from flows.sources.lines import CountedFile, TruncatedError
from flows.sources.row import Row

FILE_NAME = "posts.xml"
QUESTION, ANSWER = "1", "2"


def is_dump(path: Path) -> bool:
    """Whether a file is what a dump calls its posts: other XML is not ours to read."""
    return path.name.lower().endswith(FILE_NAME)


def dump_rows(path: Path, file: CountedFile) -> Iterator[tuple[Row, int]]:
    """Questions and answers with the number of their row. The folder's name is the site's, as the dumps are packed.

    Raises
    ------
    TruncatedError
        After the last whole row of a file that breaks off or is no XML.
    """
    site = path.absolute().parent.name
    number = 0
    try:
        root = None
        for event, element in iterparse(cast(IO[bytes], file), events=("start", "end"), forbid_dtd=True):
            root = element if root is None else root
            if event == "end" and element.tag == "row":
                number += 1
                if element.get("PostTypeId") in {QUESTION, ANSWER}:
                    yield _row(element.attrib, site), number
                # What was read would else stay in memory until the end.
                root.clear()
    except (ParseError, ValueError) as error:
        raise TruncatedError(type(error).__name__) from None


def _row(values: Mapping[str, str], site: str) -> Row:
    is_question = values.get("PostTypeId") == QUESTION
    number, body = values.get("Id"), html_text(values.get("Body", ""))
    parent = None if is_question else f"t3_{values.get('ParentId')}"
    return Row(
        id=number,
        name=number and f"{'t3' if is_question else 't1'}_{number}",
        author=values.get("OwnerUserId") or values.get("OwnerDisplayName"),
        subreddit=site,
        created_utc=values.get("CreationDate"),
        title=values.get("Title", "") if is_question else None,
        selftext=body if is_question else None,
        body=None if is_question else body,
        parent_id=parent,
        link_id=parent,
        score=values.get("Score"),
        permalink=f"https://{site}/{'q' if is_question else 'a'}/{number}" if "." in site else None,
    )
