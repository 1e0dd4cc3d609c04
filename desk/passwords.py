"""Passwords: hashed with argon2, checked in equal time whoever asks, and never a weak one."""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

LEAST_CHARS, MOST_CHARS = 12, 128
LEAST_STRENGTH = 3
# The names of the place and of the product are the first things somebody would try.
OBVIOUS = ["coprod", "council", "password", "officer", "administrator"]

_hasher = PasswordHasher()
# Each hash takes 64 MB for a moment: more than a few at once would be a way to bring the desk down.
_at_once = BoundedSemaphore(2)
# What is checked where there is no such account, so that both take the same time.
_NOBODYS = _hasher.hash("the password of nobody at all")


def hash_password(password: str) -> str:
    with _at_once:
        return _hasher.hash(password)


def is_password(hashed: str | None, password: str) -> bool:
    """Whether the password is right. Takes as long where there is no account or no password."""
    with _at_once:
        try:
            return _hasher.verify(hashed or _NOBODYS, password[:MOST_CHARS]) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


def weakness(password: str, *, names: list[str]) -> str | None:
    """What is wrong with a new password, None where it will do."""
    if len(password) < LEAST_CHARS:
        return (
            f"Your password has {len(password)} characters. Use {LEAST_CHARS} or more. Three or four words in a row are easy to remember."
        )
    if len(password) > MOST_CHARS:
        return f"Your password has {len(password)} characters. Use {MOST_CHARS} at most."
    if zxcvbn(password, user_inputs=[*OBVIOUS, *names], max_length=MOST_CHARS)["score"] < LEAST_STRENGTH:
        return "This password is easy to guess. Use three or four words that do not belong together."
    return None
