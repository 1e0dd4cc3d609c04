"""Places that a text names, by a gazetteer of wards and landmarks. A place is of the text, never of its author."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

# A word, with an apostrophe inside it; curly ones are made straight before.
_WORD = re.compile(r"\w+(?:'\w+)*")


@dataclass(frozen=True, slots=True)
class GazetteerPlace:
    """A place with every name it goes by; `ward` is the code of the ward it is, or lies in, and None where it lies in several."""

    name: str
    names: tuple[str, ...]
    ward: str | None


class Gazetteer:
    """Finds the places of a council in texts, whatever their number: each text is gone through once, word by word.

    Names of several words count in any case. A name of one word counts only where it is written with a capital letter, so
    that "rec" the word is not "Rec" the park. Of names that overlap the longest counts.

    Examples
    --------
    >>> weir = GazetteerPlace("Kettle Weir", ("Kettle Weir", "Weir"), "E1")
    >>> [place.name for place in Gazetteer([weir]).find("Rubbish below kettle weir, and at a weir upstream")]
    ['Kettle Weir']
    """

    def __init__(self, places: Iterable[GazetteerPlace]) -> None:
        self._by_first: defaultdict[str, list[tuple[tuple[str, ...], GazetteerPlace]]] = defaultdict(list)
        for place in places:
            for name in place.names:
                if words := tuple(_words(name.casefold())):
                    self._by_first[words[0]].append((words, place))
        for candidates in self._by_first.values():
            candidates.sort(key=lambda candidate: (-len(candidate[0]), candidate[1].name))

    def find(self, text: str) -> list[GazetteerPlace]:
        """Places named in a text, each once, in the order in which they come."""
        written = _words(text)
        folded = [word.casefold() for word in written]
        found: dict[str, GazetteerPlace] = {}
        at = 0
        while at < len(folded):
            step = 1
            for words, place in self._by_first.get(folded[at], ()):
                is_there = tuple(folded[at : at + len(words)]) == words
                if is_there and (len(words) > 1 or written[at][0].isupper()):
                    found.setdefault(place.name, place)
                    step = len(words)
                    break
            at += step
        return list(found.values())


def _words(text: str) -> list[str]:
    return _WORD.findall(text.replace("’", "'"))
