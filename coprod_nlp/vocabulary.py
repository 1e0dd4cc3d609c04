"""The words every layer shares: enumerations and constants, standard library only. `codebook.md` and `design.md` define them."""

from enum import StrEnum


class PolicyArea(StrEnum):
    """Something a local council or its partners run, fund, regulate or could co-produce."""

    PARKS = "parks"
    ENVIRONMENT = "environment"
    WASTE = "waste"
    TRANSPORT = "transport"
    PLANNING = "planning"
    HOUSING = "housing"
    SOCIAL_CARE = "social_care"
    CHILDREN = "children"
    EDUCATION = "education"
    CULTURE = "culture"
    LEISURE = "leisure"
    HEALTH = "health"
    SAFETY = "safety"
    HARDSHIP = "hardship"
    ECONOMY = "economy"
    DIGITAL = "digital"
    DEMOCRACY = "democracy"
    ANIMALS = "animals"


class Signal(StrEnum):
    """What the author of a message does in it."""

    OFFER = "offer"
    ACTIVE = "active"
    SEEK = "seek"
    ORGANISE = "organise"
    PROPOSE = "propose"
    ABILITY = "ability"
    BARRIER = "barrier"
    UNWILLING = "unwilling"
    PURPOSE = "purpose"
    COMPLAINT = "complaint"
    REQUEST = "request"


WILLING_SIGNALS = (Signal.OFFER, Signal.ACTIVE, Signal.SEEK, Signal.ORGANISE)
# A stored link may hold two addresses of a post: its page's and, from here on, the one that programs ask by.
PROGRAMS_ADDRESS = "#at://"


class PostKind(StrEnum):
    SUBMISSION = "submission"
    COMMENT = "comment"


class PostState(StrEnum):
    """Whether the source still shows a post, and who took it away if not: its author, a moderator, a filter, or who knows whom.

    All but what its author deleted may come back.
    """

    VISIBLE = "visible"
    DELETED = "deleted"
    REMOVED = "removed"
    FILTERED = "filtered"
    VANISHED = "vanished"
    AUTOMATED = "automated"


class ReadingStatus(StrEnum):
    """What became of a post when it was read."""

    READ = "read"
    SENSITIVE = "sensitive"
    NOT_ENGLISH = "not_english"
    NOT_READ = "not_read"


class InteractionKind(StrEnum):
    REPLY = "reply"
    MENTION = "mention"
    THREAD = "thread"


class TieKind(StrEnum):
    """What joins two voices: what happened between them, or that both would help in the same area at about the same time."""

    REPLY = "reply"
    MENTION = "mention"
    THREAD = "thread"
    AREA = "area"


class Change(StrEnum):
    """What became of a network since the ranking before."""

    NEW = "new"
    SAME = "same"
    GROWN = "grown"
    SHRUNK = "shrunk"
    MERGED = "merged"
    SPLIT = "split"
    GONE = "gone"


class Stage(StrEnum):
    """Where in the life of a service its voices would join."""

    DECISION = "decision"
    PLANNING = "planning"
    DELIVERY = "delivery"


class Approach(StrEnum):
    """What the messages of a network call for, after Alford's criteria and the ability/willingness distinction."""

    CONVENIENCE = "convenience"
    PERSUASION = "persuasion"
    PURPOSE = "purpose"
    PARTNERSHIP = "partnership"
    PLANNING = "planning"


class RunStage(StrEnum):
    COLLECT = "collect"
    READ = "read"
    LINK = "link"
    RANK = "rank"
    REPORT = "report"


class RunStatus(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class PollOutcome(StrEnum):
    """How gathering from one community ended: killed in the middle, it stays running."""

    RUNNING = "running"
    FINISHED = "finished"
    SKIPPED = "skipped"
    UNAVAILABLE = "unavailable"
    STOPPED = "stopped"


class ClassifierRole(StrEnum):
    """What a classifier is: the one in use, one that wants its place, or one that had it."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"
    RETIRED = "retired"


class NoticeOutcome(StrEnum):
    """What became of the duty to tell an author that their post was collected."""

    DONE = "done"
    EXEMPT = "exempt"


class Right(StrEnum):
    """What somebody asked for under the UK GDPR."""

    OBJECTION = "objection"
    ERASURE = "erasure"
    ACCESS = "access"
