"""Whose posts are meant: from an account's name, as a person gives it, to author keys. The name is forgotten at once."""

from collections.abc import Sequence

from config.handles import HandleError, account_of, keys_of_handle, permalink_forms
from config.settings import load_author_key, mark_of
from desk.office import Office
from models import classifier_queries, right_queries
from models.classifier_actions import RefusedError
from models.request import RightsRequest
from models.request_queries import keys_of_request
from models.session import unit_of_work

HANDLE_CHARS = 200


class UnclearNameError(RefusedError):
    """It is not clear whose account a name means; the message says what to give."""


def places_of(office: Office, council: str) -> list[tuple[str, str]]:
    """Communities of a council: those it listens to, and those its runs were about, with their titles."""
    return [(name, office.community_title(name)) for name in sorted(known_communities(office, council))]


def known_communities(office: Office, council: str) -> set[str]:
    with unit_of_work(office.engine) as session:
        return communities_of(office, council) | set(classifier_queries.communities_listened_to(session, council=council))


def communities_of(office: Office, council: str) -> set[str]:
    return {community.community_id for community in office.config.communities if community.council == council}


def keys_of(office: Office, handle: str, places: Sequence[str], *, known: Sequence[str]) -> frozenset[str]:
    """Author keys that this account may have in these places; none for no name.

    Raises
    ------
    RefusedError
        Where it is not said where the name is used, or the secret behind the keys is not that of the store.
    UnclearNameError
        Where nobody would be found by this name.
    """
    if len(handle) > HANDLE_CHARS:
        raise UnclearNameError(f"the name has {len(handle):,} characters; account names have at most {HANDLE_CHARS}")
    try:
        if not account_of(handle)[0]:
            return frozenset()
        return _keys_of(office, handle, places, known=known)
    except HandleError as error:
        raise UnclearNameError(str(error)) from None


def person_of(office: Office, request: RightsRequest) -> tuple[frozenset[str], str | None]:
    """Author keys that an open request is about, and the stored message that its link leads to."""
    with office.engine.connect() as connection:
        keys = keys_of_request(connection, request.request_id)
        found = right_queries.post_at(connection, permalink_forms(request.link)) if request.link else None
    if found is None:
        return frozenset(keys), None
    return frozenset(keys | ({found.author_key} if found.author_key else set())), found.post_id


def _keys_of(office: Office, handle: str, places: Sequence[str], *, known: Sequence[str]) -> frozenset[str]:
    if not places or not set(places) <= set(known):
        raise RefusedError("choose where this name is used; nobody is looked for anywhere else")
    secrets = load_author_key(office.settings)
    with office.engine.connect() as connection:
        state = right_queries.key_state(connection)
    if state is not None and state.mark != mark_of(secrets):
        raise RefusedError("the desk does not hold the key that this store was made with, so nobody would be found; ask your administrator")
    return keys_of_handle(secrets, handle, on=sorted(places), communities=office.config.communities)
