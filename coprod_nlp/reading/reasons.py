"""Why a sentence is evidence for a signal, in a plain sentence of ours: "offers to lend their van for the clean-up"."""

from collections.abc import Iterator, Mapping

from spacy.tokens import Doc, Token

from coprod_nlp.text.pipeline import parsed
from coprod_nlp.vocabulary import Signal

MOST_WORDS = 12
# How each signal begins with a deed ("lend their van …"), or not; and what is said where the grammar shows none.
OPENINGS: dict[Signal, tuple[str, str]] = {
    Signal.OFFER: ("offers to", "offers something to others"),
    Signal.ACTIVE: ("says they already", "says they already give their time"),
    Signal.SEEK: ("asks how to", "asks how to take part"),
    Signal.ORGANISE: ("invites others to", "invites others to act together"),
    Signal.PROPOSE: ("", "puts forward a concrete measure"),
    Signal.ABILITY: ("says they", "names a skill or asset that could serve"),
    Signal.BARRIER: ("", "names what holds them or others back"),
    Signal.UNWILLING: ("", "declines to contribute"),
    Signal.PURPOSE: ("", "speaks for a shared purpose or place"),
    Signal.COMPLAINT: ("", "complains of a service, a decision or local conditions"),
    Signal.REQUEST: ("", "asks for help, goods or information for themselves"),
}
# Signals whose deed is the author's own; in the others somebody else, or nobody yet, does it.
OWN_DEEDS = frozenset({Signal.OFFER, Signal.ACTIVE, Signal.ABILITY})
# What is ready for a deed, or speaks of it: the deed is what follows.
READY = frozenset("able free game glad happy keen like look love mean need offer plan prepared try want willing wish would".split())
# Deeds that say so for a signal whose verbs could mean anything.
TELLING: dict[Signal, frozenset[str]] = {
    Signal.SEEK: frozenset(
        "adopt apply attend become contribute donate enlist enrol foster give help join offer register sign start volunteer".split()
    ),
    Signal.ABILITY: frozenset("build code drive fix have know own play repair run speak teach translate weld work".split()),
}
NEVER = frozenset("be do go say think".split())
NO_GIFT = frozenset("get have own need want".split())
FIRST_PERSONS = frozenset("i we".split())
# Parts of a deed that belong to its phrase; what else hangs on the verb is another thought.
KEPT = frozenset("acomp advmod agent attr dative dobj npadvmod obl oprd pobj prep prt xcomp".split())
THEIRS = {
    "i": "they", "we": "they", "me": "them", "us": "them", "my": "their", "our": "their", "mine": "theirs", "ours": "theirs",
    "myself": "themselves", "ourselves": "themselves", "your": "somebody's", "you": "somebody",
}  # fmt: skip
# Others are invited to do what "you" do, not to do it to somebody.
OTHERS = THEIRS | {"your": "their", "yours": "theirs", "you": "they"}


def reason_for(signal: Signal, sentence: str) -> str:
    """A plain sentence without a subject, about the author of a sentence.

    Examples
    --------
    >>> reason_for(Signal.OFFER, "I can lend my van for the clean-up on Saturday.")
    'offers to lend their van for the clean-up on Saturday'
    >>> reason_for(Signal.OFFER, "Van available.")
    'offers something to others'
    """
    opening, plain = OPENINGS[signal]
    deed = next(_deeds(parsed(" ".join(sentence.split())), signal), None) if opening else None
    phrase = _phrase(deed, OTHERS if signal is Signal.ORGANISE else THEIRS) if deed is not None else ""
    return f"{opening} {phrase}" if phrase else plain


def _deeds(doc: Doc, signal: Signal) -> Iterator[Token]:
    """Verbs that may be what the signal speaks of, the author's own first where it must be theirs."""
    verbs = [token for token in doc if token.pos_ == "VERB" or (token.dep_ == "ROOT" and token.pos_ in {"ADJ", "AUX"})]
    for verb in verbs:
        is_own = _is_own(verb)
        deed = _what_follows(verb)
        if deed is None or deed.pos_ != "VERB" or deed.lemma_.lower() in READY:
            continue
        if signal in OWN_DEEDS and not is_own:
            continue
        if signal is Signal.ORGANISE and not (verb.dep_ == "ROOT" and verb.tag_ == "VB" and _subject(verb) is None):
            continue
        if signal is Signal.OFFER and deed.lemma_.lower() in NO_GIFT:
            continue
        if deed.lemma_.lower() in NEVER or deed.lemma_.lower() not in TELLING.get(signal, {deed.lemma_.lower()}):
            continue
        yield deed


def _is_own(verb: Token) -> bool:
    """Whether the author does it: said with I or we, or without a subject by somebody who is ready to."""
    subject = _subject(verb)
    if subject is not None:
        return subject.lower_ in FIRST_PERSONS
    return verb.lemma_.lower() in READY and verb.dep_ == "ROOT"


def _subject(verb: Token) -> Token | None:
    """The subject of a verb, or the one it shares with the verb before it."""
    for child in verb.children:
        if child.dep_ in {"nsubj", "nsubjpass"}:
            return child
    return _subject(verb.head) if verb.dep_ in {"conj", "xcomp"} and verb.head is not verb else None


def _what_follows(verb: Token) -> Token | None:
    """The deed somebody is ready for, through any number of such words; the verb itself where it is one."""
    while verb.lemma_.lower() in READY:
        follows = next((child for child in verb.children if child.dep_ in {"xcomp", "ccomp", "advcl"} and child.pos_ == "VERB"), None)
        if follows is None:
            return None
        verb = follows
    return verb


def _phrase(deed: Token, persons: Mapping[str, str]) -> str:
    """The deed and what belongs to it, in the third person, at most `MOST_WORDS` long."""
    words = {deed.i}
    has_negation = any(child.dep_ == "neg" or child.lower_ in {"n't", "not", "never", "dont"} for child in deed.children)
    for child in deed.children:
        if child.i > deed.i and child.dep_ in KEPT:
            words |= {token.i for token in child.subtree}
    run = [deed.doc[place] for place in sorted(words)]
    if has_negation or len(run) == 1:
        return ""
    kept: list[Token] = []
    for token in run:
        if kept and (token.i != kept[-1].i + 1 or token.text in {",", ";", ":", "(", "…"}):
            break
        kept.append(token)
    is_cut = len(kept) > MOST_WORDS
    kept = kept[:MOST_WORDS]
    said = "".join(_third_person(token, deed, persons) + token.whitespace_ for token in kept).strip(" .!?")
    return f"{said} …" if is_cut else said


def _third_person(token: Token, deed: Token, persons: Mapping[str, str]) -> str:
    if token.i == deed.i:
        return token.lemma_.lower()
    return persons.get(token.lower_, token.text)
