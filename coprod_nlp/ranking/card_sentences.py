"""What a card knows of a network, as plain sentences: numbers of voices, never who."""

from collections.abc import Iterable

from coprod_nlp.ranking.approach import Readiness
from coprod_nlp.ranking.card import Roles
from coprod_nlp.ranking.reasons import count_of


def readiness_sentence(ready: Readiness) -> str:
    """Ability and willingness, read apart: what they call for, and the numbers behind it."""
    if not ready.willing:
        return "Nobody says here that they are willing."
    if 2 * ready.held_back >= ready.willing:
        calls_for = "Willing but held back: take away what stands in the way first"
    elif 2 * ready.able >= ready.willing:
        calls_for = "Willing and able: ask, and let them lead"
    else:
        calls_for = "Willing, ability not yet shown: teach, and give kit and company"
    able = f"{ready.able} of {count_of(ready.willing, 'willing voice')} also name a skill or already do it"
    held = f"{count_of(ready.held_back, 'voice')} {'says' if ready.held_back == 1 else 'say'} what holds them or others back"
    return f"{calls_for}. {able}; {held if ready.held_back else 'none says what holds people back'}."


def role_sentences(roles: Roles) -> Iterable[str]:
    """How the network hangs together, never who: numbers of voices in each role."""
    if roles.apart == roles.voices:
        yield "None of these voices has met another yet: they are gathered because they say alike things in the same community."
        return
    if roles.connectors:
        yield (
            f"{count_of(roles.connectors, 'voice')} {'holds' if roles.connectors == 1 else 'hold'} the parts together: without "
            f"{'it' if roles.connectors == 1 else 'them'} the network falls into {count_of(roles.parts, 'part')}."
        )
    elif roles.parts == 1:
        yield "No single voice holds it together: it stays whole whoever leaves."
    else:
        yield f"It is in {roles.parts} parts that have not met each other."
    if roles.core:
        yield f"{count_of(roles.core, 'voice')} form its core: each has met at least {roles.core_ties} others of the core."
    if roles.edge:
        yield f"{count_of(roles.edge, 'voice')} at its edge {'has' if roles.edge == 1 else 'have'} met one other so far."
    if roles.apart:
        yield f"{count_of(roles.apart, 'voice')} {'has' if roles.apart == 1 else 'have'} met no other yet."
    if roles.bridging:
        yield f"{count_of(roles.bridging, 'voice')} {'writes' if roles.bridging == 1 else 'write'} in more than one of these communities."
