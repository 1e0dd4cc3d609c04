"""Facts behind a score, as plain sentences."""

from collections.abc import Callable, Mapping

Facts = Mapping[str, float | None]

PART_NAMES = {
    "willingness": "Willingness",
    "contribution": "Substance of contribution",
    "ability": "Ability",
    "purpose": "Shared purpose",
    "connectedness": "Connectedness",
    "freshness": "Freshness",
    "fit": "Fit for co-production",
    "under_exploration": "Under-explored area",
}


def count_of(number: float | None, one: str, many: str | None = None) -> str:
    """A number and its noun.

    Examples
    --------
    >>> count_of(1, "message"), count_of(1200, "voice")
    ('1 message', '1,200 voices')
    """
    whole = round(number or 0)
    return f"{whole:,} {one if whole == 1 else many or one + 's'}"


def _willingness(facts: Facts) -> str:
    messages, voices = count_of(facts["willing"], "message"), count_of(facts["voices"], "voice")
    return f"{messages} by {voices} offer, organise, ask to join or say they already help."


def _contribution(facts: Facts) -> str:
    share = (facts["substance"] or 0) / max(1.0, facts["willing"] or 0)
    words = (
        "mostly continuing or bringing others along"
        if share >= 0.75
        else "mostly concrete offers"
        if share >= 0.5
        else "mostly first questions"
    )
    return f"What they say they do or would do is {words}."


def _ability(facts: Facts) -> str:
    return f"{count_of(facts['ability'], 'message')} of theirs name a skill, trade, asset or experience that bears on it."


def _purpose(facts: Facts) -> str:
    return f"{count_of(facts['purpose'], 'message')} of theirs speak for a shared purpose or place."


def _connectedness(facts: Facts) -> str:
    return (
        f"{count_of(facts['connected'], 'voice')} of {count_of(facts['voices'], 'voice')} have answered or met another of them in a thread."
    )


def _freshness(facts: Facts) -> str:
    if not facts["timed"]:
        return "Not known: their messages carry no time."
    share = (facts["fresh"] or 0) / facts["timed"]
    return f"On average their messages still count for {share:.0%} of a message posted at the end of the period."


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


SENTENCES: dict[str, Callable[[Facts], str]] = {
    "willingness": _willingness,
    "contribution": _contribution,
    "ability": _ability,
    "purpose": _purpose,
    "connectedness": _connectedness,
    "freshness": _freshness,
    "fit": _fit,
    "under_exploration": _under_exploration,
}
