"""What pages call things: every word of the vocabulary in plain English."""

from coprod_nlp.ranking.opportunity import Standing
from coprod_nlp.vocabulary import Approach, Signal, Stage

SIGNAL_WORDS = {
    Signal.OFFER: "offers to give time, skill, goods or space",
    Signal.ACTIVE: "already helps",
    Signal.SEEK: "asks how to take part",
    Signal.ORGANISE: "invites others to act together",
    Signal.PROPOSE: "proposes an improvement",
    Signal.ABILITY: "has a skill or asset that bears on it",
    Signal.BARRIER: "is held back, or says what holds people back",
    Signal.UNWILLING: "would rather not",
    Signal.PURPOSE: "speaks for a shared purpose",
    Signal.COMPLAINT: "complains",
    Signal.REQUEST: "asks for help",
}
APPROACH_WORDS = {
    Approach.PARTNERSHIP: ("Partner with those already active", "Ask what they need to do more of what they do, and let them lead it."),
    Approach.CONVENIENCE: ("Make it easy", "Give one small, dated, near first step with kit and insurance taken care of."),
    Approach.PERSUASION: ("Teach and show impact", "Show what came of it elsewhere, and offer somebody to learn from."),
    Approach.PURPOSE: ("Appeal to the shared purpose", "Speak of the place and the outcome, in their words, before the task."),
    Approach.PLANNING: ("Invite to plan", "Ask them in before the decision, and say what will be done with what they propose."),
}
STAGE_WORDS = {Stage.DECISION: "deciding", Stage.PLANNING: "planning", Stage.DELIVERY: "delivering"}
# By `Community.approach`: a short label, and what an officer does about it.
WELCOME_WORDS = {
    "welcome": ("Councils are welcome", "Write openly, for the council, under its own account."),
    "ask_first": ("Ask the moderators first", "Do not post before they have said yes."),
    "not_welcome": ("Councils are not welcome here", "Do not approach anyone here; find another open way, such as a public notice."),
    None: ("Not known whether councils are welcome", "Read the rules and ask the moderators before anything else."),
}
STANDING_WORDS = {
    Standing.READY_ABSENT: ("People are ready, the council is absent", "Willing people, and nothing run or funded yet. Look here first."),
    Standing.READY_PRESENT: ("People are ready, the council is there", "Willing people beside programmes they could join."),
    Standing.UNHEARD: ("The council is there, but unheard", "It runs or funds something, and hardly anybody here offers to join in."),
    Standing.QUIET: ("Quiet", "Few willing people in these sources, and nothing run or funded."),
    Standing.NOT_KNOWN: ("Not judged", "The council has not listed what it runs here."),
}
CATEGORY_WORDS = {
    "place": "places", "neighbourhood": "neighbourhoods", "interest": "interests", "environment": "nature and environment",
    "culture": "culture", "sport": "sport", "family": "families", "trade": "trades", "civic": "civic matters",
}  # fmt: skip
