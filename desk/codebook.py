"""The codebook as the label page shows it: what each signal means, what it is not, and the rulings."""

from coprod_nlp.vocabulary import Signal

# What the author does; what does not count; the key that ticks it.
SIGNAL_HELP = {
    Signal.OFFER: ("would give time, skill, goods or space to others or a shared purpose", "selling; advice alone; friendly chat", "1"),
    Signal.ACTIVE: ("already gives: volunteers, runs a group, picks litter", "being paid for it; one-off or ended giving", "2"),
    Signal.SEEK: ("asks how or where to take part, join, donate or be heard", "asking for help or information for themselves", "3"),
    Signal.ORGANISE: (
        "invites others to act together for a shared purpose",
        "a purely social meet-up; an appeal for one named person or pet",
        "4",
    ),
    Signal.PROPOSE: ("puts forward a concrete improvement that could be taken up", "a vague wish; a goal without a measure", "5"),
    Signal.ABILITY: ("has a skill, profession, asset or experience that could serve the matter", "a skill with no bearing on it", "6"),
    Signal.BARRIER: ("would give but is held back, or says what holds people back", "not getting a service for themselves", "7"),
    Signal.UNWILLING: ("declines or rejects contributing", "disagreeing with a policy", "8"),
    Signal.PURPOSE: ("identifies with a shared purpose or place", "liking a product, a team or a photo", "9"),
    Signal.COMPLAINT: ("complains of a service, a decision or local conditions", "mild irony with no grievance", "0"),
    Signal.REQUEST: ("asks for help, goods or information for themselves or their household", "asking how to take part", "r"),
}
SENSITIVE_HELP = (
    "The message reveals health, religion, sexuality, ethnicity, party politics, union membership, immigration status or criminal "
    "history of a private person (the author, relatives and friends count; public figures do not), or its author seems to be under "
    "18."
)
RULINGS = (
    "Judge the message alone: what it says, not what its author may be like.",
    "An appeal for one named person, family or pet asks for help; it does not organise.",
    "Inviting to act needs a shared purpose; pointing somebody to a charity as advice is neither.",
    "“X should …” proposes something when it names a measure, nothing when it names a goal.",
    "An area counts when the message is about it; a passing mention, a joke or a photo is none. At most three.",
    "Flat-hunting, travel and “which neighbourhood” questions have no area.",
    "When in doubt about a signal, do not tick it.",
)
