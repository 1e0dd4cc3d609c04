"""How the desk says things: dates and numbers as people write them, and a plain sentence for each word of the tables."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from coprod_nlp.vocabulary import Right
from models.desk_words import ContactStatus, LeadAction, LeadStatus, RejectReason, RequestOrigin, RequestOutcome, Role

LOCAL = ZoneInfo("Europe/London")

ROLES = {
    Role.OFFICER: ("Officer", "Looks at leads, decides and prepares contact."),
    Role.ANALYST: ("Analyst", "Labels messages and looks after the classifiers."),
    Role.DATA_PROTECTION: ("Data protection", "Answers objections and requests, reads the audit log."),
    Role.ADMINISTRATOR: ("Administrator", "Makes accounts and gives roles."),
}
STATUSES = {
    LeadStatus.NEW: ("New", "blue"),
    LeadStatus.SHORTLISTED: ("Shortlisted", "green"),
    LeadStatus.NOT_NOW: ("Not now", "yellow"),
    LeadStatus.REJECTED: ("Rejected", "grey"),
    LeadStatus.IN_CONTACT: ("In contact", "purple"),
    LeadStatus.CLOSED: ("Closed", "grey"),
}
ACTIONS = {
    LeadAction.SHORTLIST: "shortlisted this lead",
    LeadAction.REJECT: "rejected this lead",
    LeadAction.NOT_NOW: "put this lead off",
    LeadAction.REOPEN: "opened this lead again",
    LeadAction.ASSIGN: "gave this lead to somebody",
    LeadAction.NOTE: "wrote a note",
    LeadAction.CONTACT: "recorded that a message was sent",
    LeadAction.CLOSE: "closed this lead",
    LeadAction.UNDO: "took the last decision back",
}
REASONS = {
    RejectReason.NOT_WILLING: "They do not offer to take part",
    RejectReason.NOT_A_GROUP: "These people are no group",
    RejectReason.NOT_OURS: "Not our area, or not our service",
    RejectReason.NO_FIT: "Not a service residents could share in",
    RejectReason.ALREADY_KNOWN: "We already work with them",
    RejectReason.NOT_WELCOME: "We would not be welcome there",
    RejectReason.SENSITIVE: "Too personal or sensitive to follow up",
    RejectReason.OTHER: "Another reason (say which in the note)",
}
CONTACT_STATUSES = {
    ContactStatus.DRAFT: ("Draft", "blue"),
    ContactStatus.WAITING: ("Waits for sign-off", "yellow"),
    ContactStatus.SIGNED_OFF: ("Signed off, not sent", "green"),
    ContactStatus.SENT: ("Sent", "purple"),
    ContactStatus.CLOSED: ("Closed", "grey"),
    ContactStatus.CANCELLED: ("Cancelled", "grey"),
}
RIGHTS = {
    Right.OBJECTION: ("Objection", "Stop: remove what I wrote, and do not read it again."),
    Right.ERASURE: ("Erasure", "Remove everything of mine, or one message."),
    Right.ACCESS: ("Access", "Give me a copy of what you hold about me."),
}
ORIGINS = {RequestOrigin.PUBLIC: "the public page", RequestOrigin.STAFF: "letter, e-mail or telephone"}
OUTCOMES = {
    RequestOutcome.REMOVED: "Everything removed and kept out",
    RequestOutcome.KEPT_OUT: "Nothing found to remove; kept out",
    RequestOutcome.MESSAGE_REMOVED: "One message removed and kept out",
    RequestOutcome.COPY_GIVEN: "A copy was given",
    RequestOutcome.NOT_FOUND: "Nothing is held",
    RequestOutcome.REFUSED: "Refused",
}
# Rows of these tables under the names that people use for them.
TABLES = {
    "post": "messages", "post_reading": "readings of messages", "label": "labels of messages",
    "interaction": "answers and shared threads",
    "network_voice": "places in networks",
    "network": "networks that became too small", "lead": "leads withdrawn until the next ranking",
    "lead_message": "messages that supported leads", "lead_community": "lines of filters",
    "provenance": "records of where a message came from",
    "post_notice": "records of notices", "request_key": "keys of this request", "voice_view": "counts of who looked",
}  # fmt: skip


def role_options() -> list[tuple[str, str, str]]:
    """Roles as a form offers them."""
    return [(role.value, *text) for role, text in ROLES.items()]


def reason_options() -> list[tuple[str, str]]:
    """Why a lead may be rejected, as a form offers it."""
    return [(reason.value, text) for reason, text in REASONS.items()]


def right_options() -> list[tuple[str, str, str]]:
    """What a person may ask for, as a form offers it."""
    return [(right.value, *text) for right, text in RIGHTS.items()]


def outcome_options(kind: str) -> list[tuple[str, str, str]]:
    """How a request may end without removal, as a form offers it."""
    offered = [RequestOutcome.NOT_FOUND, RequestOutcome.REFUSED]
    offered = [RequestOutcome.COPY_GIVEN, *offered] if kind == Right.ACCESS else offered
    return [(outcome.value, OUTCOMES[outcome], "") for outcome in offered]


def check_options(checks: dict[str, str]) -> list[tuple[str, str, str]]:
    """A checklist as a form offers it."""
    return [(key, text, "") for key, text in checks.items()]


def day(value: datetime | date | None) -> str:
    """A date as people write it: 3 May 2026."""
    if value is None:
        return "date not known"
    local = value.astimezone(LOCAL) if isinstance(value, datetime) else value
    return f"{local.day} {local:%B %Y}"


def moment(value: datetime | None) -> str:
    """Date and time in the United Kingdom: 3 May 2026 at 2:05pm."""
    if value is None:
        return "never"
    local = value.astimezone(LOCAL)
    return f"{day(local)} at {local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"


def number(value: float) -> str:
    return f"{value:,.0f}"
