"""The words of the desk that its tables hold: enumerations only."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do at the desk. A person may have several."""

    OFFICER = "officer"
    ANALYST = "analyst"
    DATA_PROTECTION = "data_protection"
    ADMINISTRATOR = "administrator"


class LeadStatus(StrEnum):
    """Where a lead stands. A lead nobody decided on has no row and is new."""

    NEW = "new"
    SHORTLISTED = "shortlisted"
    NOT_NOW = "not_now"
    REJECTED = "rejected"
    IN_CONTACT = "in_contact"
    CLOSED = "closed"


class LeadAction(StrEnum):
    """What an officer does to a lead."""

    SHORTLIST = "shortlist"
    REJECT = "reject"
    NOT_NOW = "not_now"
    REOPEN = "reopen"
    ASSIGN = "assign"
    NOTE = "note"
    CONTACT = "contact"
    CLOSE = "close"
    UNDO = "undo"


class RejectReason(StrEnum):
    """Why a lead is rejected: what a proposal for new weights may learn from."""

    NOT_WILLING = "not_willing"
    NOT_OURS = "not_ours"
    NOT_A_GROUP = "not_a_group"
    ALREADY_KNOWN = "already_known"
    NO_FIT = "no_fit"
    NOT_WELCOME = "not_welcome"
    SENSITIVE = "sensitive"
    OTHER = "other"


class ContactStatus(StrEnum):
    """How far the contact with a network is."""

    DRAFT = "draft"
    WAITING = "waiting"
    SIGNED_OFF = "signed_off"
    SENT = "sent"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class HoldKind(StrEnum):
    """Why nobody writes for a while."""

    COOL_OFF = "cool_off"
    DO_NOT_CONTACT = "do_not_contact"


class RequestOrigin(StrEnum):
    """Where a request came in: the public page, or by letter, e-mail or telephone."""

    PUBLIC = "public"
    STAFF = "staff"


class RequestOutcome(StrEnum):
    """How a request ended."""

    REMOVED = "removed"
    KEPT_OUT = "kept_out"
    MESSAGE_REMOVED = "message_removed"
    COPY_GIVEN = "copy_given"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
