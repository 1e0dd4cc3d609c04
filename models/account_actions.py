"""What changes about accounts and sessions: named actions, each in the caller's one transaction and with one audit row."""

from collections.abc import Collection
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from models.account import Account, DeskSession
from models.account_queries import account_by_username
from models.actions import audit
from models.base import utc_now
from models.classifier_actions import RefusedError
from models.decision_actions import forget_views
from models.desk_words import Role

FAILURES_BEFORE_LOCK = 5
LOCKED_FOR = timedelta(minutes=15)
INVITED_FOR = timedelta(hours=48)
SESSIONS_KEPT_FOR = timedelta(days=1)


def create_account(
    session: Session, *, username: str, display_name: str, council: str, roles: Collection[str], by: str, password_hash: str | None = None
) -> Account:
    """A new account. Without a password it can do nothing until its owner sets one by invitation, or signs in at the provider."""
    username, display_name = username.strip().lower(), display_name.strip()
    held = _known_roles(roles)
    if not username or not display_name or not by:
        raise RefusedError("an account needs a user name, a name to show and who made it")
    if account_by_username(session, username):
        raise RefusedError(f"{username}: this user name is taken; choose another")
    account = Account(
        account_id=f"a-{uuid4().hex[:16]}", username=username, display_name=display_name, council=council, roles=held,
        password_hash=password_hash, created_at=utc_now(), created_by=by,
    )  # fmt: skip
    session.add(account)
    audit(session, by=by, action="create_account", subject=account.account_id, counts={"roles": held})
    return account


def invite(session: Session, account_id: str, *, setup_hash: str, by: str) -> None:
    """Let the owner set a password once, within two days. The old password ends, and every session with it."""
    account = session.get_one(Account, account_id)
    account.setup_hash, account.setup_until, account.password_hash = setup_hash, utc_now() + INVITED_FOR, None
    end_sessions(session, account_id)
    audit(session, by=by, action="invite", subject=account_id, counts={})


def set_password(session: Session, account_id: str, *, password_hash: str, by: str) -> None:
    """A new password: the invitation is used up, the lock is off, other sessions end."""
    account = session.get_one(Account, account_id)
    account.password_hash, account.setup_hash, account.setup_until = password_hash, None, None
    account.failures, account.locked_until = 0, None
    end_sessions(session, account_id)
    audit(session, by=by, action="set_password", subject=account_id, counts={})


def change_account(session: Session, account_id: str, *, display_name: str, roles: Collection[str], is_active: bool, by: str) -> Account:
    """Roles, name, active or not. A council's last administrator stays one. Sessions end, so that a role that is gone is gone at once."""
    account = session.get_one(Account, account_id)
    held = _known_roles(roles)
    keeps = is_active and Role.ADMINISTRATOR.value in held
    colleagues = select(Account).where(col(Account.council) == account.council, col(Account.account_id) != account_id)
    others = session.scalars(colleagues.where(col(Account.is_active)))
    if not keeps and not any(Role.ADMINISTRATOR.value in other.roles for other in others):
        raise RefusedError("this is the last administrator of this council; make another person administrator first")
    if not display_name.strip():
        raise RefusedError("an account needs a name to show")
    account.display_name, account.roles, account.is_active = display_name.strip(), held, is_active
    end_sessions(session, account_id)
    audit(session, by=by, action="change_account", subject=account_id, counts={"roles": held, "active": int(is_active)})
    return account


def record_sign_in(session: Session, account: Account, *, token_hash: str, way: str) -> None:
    """Open a session under a token that was never used before. Sessions that ended long ago are cleared on the way."""
    now = utc_now()
    session.execute(delete(DeskSession).where(col(DeskSession.started_at) < now - SESSIONS_KEPT_FOR))
    forget_views(session)
    account.failures, account.locked_until = 0, None
    account.last_visit_at, account.visit_at = account.visit_at, now
    session.add(DeskSession(token_hash=token_hash, account_id=account.account_id, started_at=now, seen_at=now))
    audit(session, by=account.username, action="sign_in", subject=account.account_id, counts={"way": way})


def record_failure(session: Session, account: Account | None) -> None:
    """Count a failed sign-in; from the fifth on the account is locked for a while. A name that nobody has is only counted."""
    if account is None:
        audit(session, by="nobody", action="sign_in_failed", subject="unknown account", counts={})
        return
    account.failures += 1
    if account.failures >= FAILURES_BEFORE_LOCK:
        account.locked_until = utc_now() + LOCKED_FOR
    audit(session, by="nobody", action="sign_in_failed", subject=account.account_id, counts={"failures": account.failures})


def link_subject(session: Session, account: Account, *, subject: str) -> None:
    """Remember which person of the provider this account is; from then on no other may use it."""
    account.subject = subject
    audit(session, by=account.username, action="link_provider", subject=account.account_id, counts={})


def sign_out(session: Session, token_hash: str, *, by: str) -> None:
    session.execute(delete(DeskSession).where(col(DeskSession.token_hash) == token_hash))
    audit(session, by=by, action="sign_out", subject="session", counts={})


def end_session(session: Session, token_hash: str) -> None:
    """One session ends because another takes its place; the sign-in has the audit row."""
    session.execute(delete(DeskSession).where(col(DeskSession.token_hash) == token_hash))


def touch(session: Session, token_hash: str) -> None:
    """The session was used. No audit row: this is no decision."""
    session.execute(update(DeskSession).where(col(DeskSession.token_hash) == token_hash).values(seen_at=utc_now()))


def end_sessions(session: Session, account_id: str) -> None:
    session.execute(delete(DeskSession).where(col(DeskSession.account_id) == account_id))


def _known_roles(roles: Collection[str]) -> list[str]:
    held = [role.value for role in Role if role.value in roles]
    if unknown := sorted(set(roles) - set(held)):
        raise RefusedError(f"{unknown[0]}: no such role; there are {', '.join(Role)}")
    if not held:
        raise RefusedError("an account needs at least one role")
    return held
