"""schemathesis against the desk's own description of its pages: whatever is sent, nothing breaks inside."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from desk.app import ROUTERS
from desk.auth import cookie_name, form_token
from models.desk_words import Role
from tests.desk.conftest import RunningDesk, running
from tests.desk.stock import lead_id, stock

EXAMPLES = 12
# Signing out would end the session that the rest is tried with; a retraining is a process of its own.
LEFT_OUT = {"/sign-out", "/classifiers/retrain"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    with running(tmp_path_factory.mktemp("schema")) as running_desk:
        stock(running_desk.engine, leads=2)
        yield running_desk


@pytest.fixture(scope="module")
def everybody(desk: RunningDesk) -> Iterator[httpx.Client]:
    """Somebody with every role, so that what is tried gets past the door."""
    token = desk.token("every-role", *Role)
    with httpx.Client(base_url=desk.address, cookies={cookie_name(desk.office): token}, timeout=60) as client:
        yield client


def operations() -> list[tuple[str, str]]:
    paths = [(route.path, method) for router in ROUTERS for route in router.routes for method in sorted(route.methods - {"HEAD"})]  # type: ignore[attr-defined]
    return [(path, method) for path, method in paths if path not in LEFT_OUT and path != "/favicon.ico"]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("path", "method"), operations(), ids=lambda value: str(value))
def test_nothing_that_is_sent_breaks_a_page(desk: RunningDesk, everybody: httpx.Client, path: str, method: str) -> None:
    schema = schemathesis.openapi.from_dict(desk.app.openapi())
    token = form_token(everybody.cookies[cookie_name(desk.office)])

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=schema[path][method].as_strategy())
    def send(case: schemathesis.Case[Any]) -> None:
        address = case.formatted_path.replace("%7Blead_id%7D", lead_id(1))
        fields = {**case.body, "form_token": token} if isinstance(case.body, dict) else {"form_token": token}
        known = {name: value for name, value in (case.query or {}).items() if isinstance(value, str | int)}
        answer = everybody.request(method, address, params=known, data=fields if method == "POST" else None)
        assert answer.status_code < 500, f"{method} {path}: {answer.status_code}"

    send()
