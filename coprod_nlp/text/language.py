"""Is a post in English? Function words settle most posts, common words most headlines; a language detector settles the rest."""

import re
from functools import cache
from pathlib import Path

from lingua import IsoCode639_1, LanguageDetector, LanguageDetectorBuilder

ENGLISH = "en"
UNKNOWN = "und"
MAX_CHARS = 300
# Where much is blanked out, a text's own words may come late.
MAX_LOOKED_AT = 5_000
MIN_WORDS = 4
SHORT_WORDS = 12
MIN_CONFIDENCE = 0.75
MIN_SHORT_CONFIDENCE = 0.99
# Different common words, and their share of all words, from which on a text counts as English.
MIN_KNOWN, MIN_KNOWN_SHARE = 3, 0.5
COMMON_WORDS = Path(__file__).parent / "english_words.txt"

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# Common English words that are not common words of the other languages below.
_ENGLISH_WORDS = frozenset(
    """
    the of and to that it is for are with his they be at this have from had by but what some we can out other were there when
    use your how said each she which their time if way about many then them would write like these her him more could my than
    who now find did get made may been you i'm i've don't it's that's not just our any because why where does too very really
    should here's there's can't won't didn't isn't you're in on a
    """.split()
)
# Languages spoken at home in British and Singaporean towns, and their neighbours'; a wider choice only adds false alarms.
_LANGUAGES = (
    "EN CY GA PL RO PA UR PT ES AR BN GU IT FR DE NL LT LV TR ZH TA MS ID HI SO FA HU CS SK BG EL RU UK TL VI SQ SV DA KO JA"
).split()


def language_of(text: str) -> str:
    """ISO 639-1 code of the language of a text; "und" where it is too short or too mixed to tell.

    Parameters
    ----------
    text
        Prose, best without code and addresses (`coprod_nlp.text.clean.prose`). Its first 300 characters are judged.

    Examples
    --------
    >>> language_of("Where did they put the new recycling bins?")
    'en'
    """
    text = " ".join(text[:MAX_LOOKED_AT].split())[:MAX_CHARS]
    words = _WORD.findall(text.lower())
    english = sum(map(_ENGLISH_WORDS.__contains__, words))
    if english >= 2 and english * 5 >= len(words):
        return ENGLISH
    known = len(_common_words().intersection(words))
    if known >= MIN_KNOWN and known >= MIN_KNOWN_SHARE * len(words):
        return ENGLISH
    if not words or (len(words) < MIN_WORDS and text.isascii()):
        return UNKNOWN
    best = _detector().compute_language_confidence_values(text)[0]
    code = best.language.iso_code_639_1.name.lower()
    wanted = MIN_SHORT_CONFIDENCE if len(words) < SHORT_WORDS else MIN_CONFIDENCE
    return code if code == ENGLISH or best.value >= wanted else UNKNOWN


def is_readable_language(code: str) -> bool:
    """English, or too short to say otherwise: only a confident other language is set aside."""
    return code in {ENGLISH, UNKNOWN}


@cache
def _common_words() -> frozenset[str]:
    """English words that several messages of the project's corpus use, less those that neighbouring languages use too."""
    return frozenset(COMMON_WORDS.read_text(encoding="utf-8").split())


@cache
def _detector() -> LanguageDetector:
    codes = [getattr(IsoCode639_1, code) for code in _LANGUAGES]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()
