"""Names of accounts that a message speaks to: `u/name` as on Reddit, `@name` as on forums, `@name@host` as in the fediverse."""

import re

# Not more letters than a platform allows.
NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,38}[A-Za-z0-9_-])?"
HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
# Not inside an address or an e-mail.
MENTION = re.compile(rf"(?<![\w/.@-])(?:/?u/|@)({NAME}(?:@{HOST})?)(?![\w@]|[.-]\w)")
# A message that names more people than this is a list, not a conversation.
MOST_NAMES = 10


def names_mentioned(text: str) -> tuple[str, ...]:
    """Account names as they are written, each once; none where there are more than `MOST_NAMES`.

    Examples
    --------
    >>> names_mentioned("thanks u/canal_kate, @ben.b and @ann@town.example! mail me at me@example.org")
    ('canal_kate', 'ben.b', 'ann@town.example')
    """
    names = tuple(dict.fromkeys(MENTION.findall(text)))
    return names if len(names) <= MOST_NAMES else ()
