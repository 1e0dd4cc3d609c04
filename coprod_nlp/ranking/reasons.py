"""Facts behind a score, as plain sentences."""

from collections.abc import Callable, Mapping

from coprod_nlp.vocabulary import Change

Facts = Mapping[str, float | None]

PART_NAMES = {
    "willingness": "Willingness",
    "ability": "Ability",
    "identification": "Shared purpose",
    "substance": "Substance of contribution",
    "fit": "Fit for co-production",
    "connectedness": "Connectedness",
    "freshness": "Freshness",
    "under_exploration": "Under-explored area",
    "approachability": "Approachability",
    "variety": "Something new in the list",
}
MOSTLY, WELCOME, ASK_FIRST = 0.75, 0.75, 0.25


def count_of(number: float | None, one: str, many: str | None = None) -> str:
    """A number and its noun.

    Examples
    --------
    >>> count_of(1, "message"), count_of(1200, "voice")
    ('1 message', '1,200 voices')
    """
    whole = round(number or 0)
    return f"{whole:,} {one if whole == 1 else many or one + 's'}"


def change_sentence(change: str, *, joined: int, departed: int, origins: int = 0) -> str:
    """What became of a network since the list before.

    Examples
    --------
    >>> change_sentence("grown", joined=3, departed=0)
    'The same network, grown by 3 voices.'
    """
    moved = " and ".join(
        part
        for part in (
            f"{count_of(joined, 'voice')} joined" if joined else "",
            f"{count_of(departed, 'voice')} {'is' if departed == 1 else 'are'} not in it any more" if departed else "",
        )
        if part
    )
    return {
        Change.NEW: "New on this list.",
        Change.SAME: "The same network as before.",
        Change.GROWN: f"The same network, grown by {count_of(joined, 'voice')}." if not departed else f"The same network: {moved}.",
        Change.SHRUNK: f"The same network, smaller: {moved}.",
        Change.MERGED: f"{count_of(origins, 'network')} of the list before have come together in it.",
        Change.SPLIT: f"It came out of {'a larger network' if origins == 1 else f'{origins} larger networks'} of the list before.",
        Change.GONE: "Not found any more.",
    }[Change(change)]


def kept_sentence(kept_for: str, names: Mapping[str, str]) -> str:
    """Why a place in the list is kept; `names` are those of policy areas and communities by key."""
    kind, _, key = kept_for.partition(":")
    what = "the policy area" if kind == "area" else "the community"
    return f"A place kept for {what} {names.get(key, key)}: few people write about it here, and no lead above speaks for it."


def variety_sentence(*, heard: int, voices: int, same_area: int) -> str:
    """How much of a lead the list has said already.

    Examples
    --------
    >>> variety_sentence(heard=2, voices=5, same_area=1)
    '2 of 5 voices also stand in a lead above; 1 lead above is about the same area.'
    """
    if not heard and not same_area:
        return "No lead above is about this area or has any of these voices."
    above = f"{count_of(same_area, 'lead')} above {'is' if same_area == 1 else 'are'} about the same area" if same_area else ""
    also = f"{heard} of {count_of(voices, 'voice')} also stand in a lead above" if heard else ""
    return f"{'; '.join(filter(None, [also, above]))}."


def _willingness(facts: Facts) -> str:
    messages, voices = count_of(facts["willing"], "message"), count_of(facts["voices"], "voice")
    said = f"{messages} by {voices} offer, organise, ask to join or say they already help"
    others = round(facts["others"] or 0)
    if facts["is_gathered"]:
        return f"{said}; {count_of(others, 'other voice')} wrote about it there without doing so."
    return f"{said}; {count_of(others, 'other voice')} {'stands' if others == 1 else 'stand'} between them."


def _ability(facts: Facts) -> str:
    return f"{_of_voices(facts, 'ability')} name a skill, trade, asset or experience that bears on it."


def _identification(facts: Facts) -> str:
    return f"{_of_voices(facts, 'identification')} speak for a shared purpose or place."


def _of_voices(facts: Facts, key: str) -> str:
    return f"{round(facts[key] or 0):,} of {count_of(facts['voices'], 'voice')}"


def _substance(facts: Facts) -> str:
    share = (facts["substance"] or 0) / max(1.0, facts["voices"] or 0)
    words = (
        "mostly continuing or bringing others along"
        if share >= MOSTLY
        else "mostly concrete offers"
        if share >= 0.5
        else "mostly first questions"
    )
    return f"What they say they do or would do is {words}."


def _connectedness(facts: Facts) -> str:
    if facts["is_gathered"]:
        return "They have not met: each of them wrote about it in the same community."
    share = (facts["connected"] or 0) / max(1.0, facts["voices"] or 0)
    return f"Taken together, {share:.0%} of them have answered, mentioned or met another of them; old meetings count for less."


def _freshness(facts: Facts) -> str:
    if not facts["timed"]:
        return "Not known: their messages carry no time."
    share = (facts["fresh"] or 0) / facts["timed"]
    return f"On average their newest messages still count for {share:.0%} of a message posted at the end of the period."


def _fit(facts: Facts) -> str:
    done, needed = facts["substitutability"], facts["interdependence"]
    if done is None and needed is None:
        return "Not known: the council has not judged this area."
    said = [
        f"how far residents can do it: {done:.0%}" if done is not None else "",
        f"how far it needs residents: {needed:.0%}" if needed is not None else "",
    ]
    return f"The council's own view of the area: {', '.join(filter(None, said))}."


def _under_exploration(facts: Facts) -> str:
    programmes = facts["programmes"]
    if programmes is None:
        return "Not known: the council has not listed its programmes here."
    return (
        f"The council runs or funds {count_of(programmes, 'programme')} here."
        if programmes
        else "The council runs and funds nothing here yet."
    )


def _approachability(facts: Facts) -> str:
    share = (facts["open"] or 0) / max(1.0, facts["voices"] or 0)
    said = f"{'Most' if share >= MOSTLY else 'Some' if share > 0 else 'None'} of them offer, ask or invite, which opens a door"
    welcome = facts["welcome"]
    if welcome is None:
        return f"{said}; whether the council is welcome to write there is not known."
    words = "is welcome to write there" if welcome >= WELCOME else "must ask there first" if welcome >= ASK_FIRST else "may not write there"
    return f"{said}; the council {words}."


SENTENCES: dict[str, Callable[[Facts], str]] = {
    "willingness": _willingness,
    "ability": _ability,
    "identification": _identification,
    "substance": _substance,
    "fit": _fit,
    "connectedness": _connectedness,
    "freshness": _freshness,
    "under_exploration": _under_exploration,
    "approachability": _approachability,
}
