"""The copy that somebody is owed who asked for access at the desk: `python -m flows.answer REQUEST --by NAME` writes it.

The desk starts this as a process of its own: it shows pages, and what belongs into a copy is known here.
"""

import argparse

from config.handles import permalink_forms
from config.load import load_config
from config.settings import Settings, load_settings
from flows.access import write_access
from flows.job import RequestError
from flows.rights import Person
from flows.terminal import plain_errors
from models import right_queries
from models.request import RightsRequest
from models.request_queries import keys_of_request
from models.session import open_engine, unit_of_work

FOLDER = "answers"


def answer(settings: Settings, request_id: str, *, by: str) -> dict[str, int]:
    """Write `access.json` and `access.html` for an open request into its folder below `COPROD_HOME`; returns counts.

    Raises
    ------
    RequestError
        Where there is no such request, or it is not known whose posts are meant.
    """
    engine = open_engine(settings.address())
    try:
        with unit_of_work(engine) as session:
            request = session.get(RightsRequest, request_id)
            if request is None or request.closed_at is not None:
                raise RequestError(f"{request_id}: no open request of this reference")
            connection = session.connection()
            keys = keys_of_request(connection, request_id)
            found = right_queries.post_at(connection, permalink_forms(request.link)) if request.link else None
        keys |= {found.author_key} if found is not None and found.author_key else set()
        if not keys:
            raise RequestError(f"{request_id}: it is not known whose posts are meant; ask for the account's name and where it is used")
        out = settings.home / FOLDER / request_id
        return write_access(engine, Person(frozenset(keys)), case=request_id, by=by, out=out, config=load_config(settings.config_dir))
    finally:
        engine.dispose()


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description="Write the copy for a request for access.")
    parser.add_argument("request_id")
    parser.add_argument("--by", required=True)
    given = parser.parse_args()
    with plain_errors():
        answer(load_settings(), given.request_id, by=given.by)


if __name__ == "__main__":
    main()
