"""Attacks on the desk, by the headings of OWASP ASVS 5.0; `docs/security.md` lists them with what happened."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy
from sqlalchemy import func, select

from coprod_nlp.cells import guarded
from desk.auth import cookie_name, form_token
from desk.shield import HEADERS, MOST_BYTES
from models.decision import LeadDecision
from models.desk_words import Role
from tests.desk.conftest import Browser, RunningDesk, running
from tests.desk.stock import HOSTILE, lead_id, stock

LEAD = f"/leads/{lead_id(1)}"
EVERYBODY = frozenset(Role)
PUBLIC = frozenset(
    {
        "/sign-in", "/sign-out", "/first-run", "/set-password/{token}", "/brand/{council}.css", "/oidc/start", "/oidc/callback",
        "/your-posts", "/your-posts/status",
    }
)  # fmt: skip
# Every page that is not public, and whose it is.
PAGES: dict[str, frozenset[Role]] = {
    "/": EVERYBODY, "/help": EVERYBODY, "/account": EVERYBODY, "/account/password": EVERYBODY,
    "/leads": frozenset({Role.OFFICER}), "/leads.csv": frozenset({Role.OFFICER}), "/leads/{lead_id}": frozenset({Role.OFFICER}),
    "/leads/{lead_id}/decide": frozenset({Role.OFFICER}), "/leads/{lead_id}/undo": frozenset({Role.OFFICER}),
    "/leads/{lead_id}/contact": frozenset({Role.OFFICER}), "/leads/{lead_id}/hold": frozenset({Role.OFFICER}),
    "/leads/{lead_id}/network": frozenset({Role.OFFICER}), "/leads/{lead_id}/picture.svg": frozenset({Role.OFFICER}),
    "/contacts": frozenset({Role.OFFICER}), "/contacts/{contact_id}": frozenset({Role.OFFICER}),
    "/holds/{hold_id}/lift": frozenset({Role.OFFICER}),
    **dict.fromkeys(
        ("/labels", "/labels/agreement", "/classifiers", "/classifiers/retrain", "/classifiers/rollback", "/classifiers/{version}",
         "/classifiers/{version}/compare", "/classifiers/{version}/promote", "/runs", "/runs/{run_id}"),
        frozenset({Role.ANALYST}),
    ),
    **dict.fromkeys(
        ("/requests", "/requests/new", "/requests/{request_id}", "/requests/{request_id}/remove", "/requests/{request_id}/copy",
         "/requests/{request_id}/copy/{form}", "/requests/{request_id}/extend", "/requests/{request_id}/close", "/retention",
         "/retention/notices", "/records", "/records/{name}", "/records/{name}/{form}", "/audit", "/audit.csv"),
        frozenset({Role.DATA_PROTECTION}),
    ),
    "/accounts": frozenset({Role.ADMINISTRATOR}), "/accounts/new": frozenset({Role.ADMINISTRATOR}),
    "/accounts/{account_id}": frozenset({Role.ADMINISTRATOR}), "/accounts/{account_id}/invite": frozenset({Role.ADMINISTRATOR}),
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """One desk for all attacks: none may change it."""
    with running(tmp_path_factory.mktemp("attacked")) as running_desk:
        stock(running_desk.engine, leads=3, body=HOSTILE)
        yield running_desk


@pytest.fixture
def officer(desk: RunningDesk) -> Browser:
    return desk.sign_in(Role.OFFICER, username="amy")


def decisions(desk: RunningDesk) -> int:
    with desk.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(LeadDecision)) or 0


def own_token(desk: RunningDesk, browser: Browser) -> str:
    return form_token(browser.client.cookies[cookie_name(desk.office)])


def filled(path: str) -> str:
    ids = {
        "lead_id": lead_id(1), "contact_id": "c-1", "hold_id": "1", "account_id": "a-1", "version": "reading-1", "run_id": "r-marlowick",
        "request_id": "ABC", "name": "atrs", "form": "md",
    }  # fmt: skip
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def test_every_page_is_in_the_table_of_who_may_see_it(desk: RunningDesk) -> None:
    paths = desk.app.openapi()["paths"]
    assert set(paths) == set(PAGES) | PUBLIC


@pytest.mark.parametrize("role", Role)
def test_no_role_opens_another_roles_pages(desk: RunningDesk, role: Role) -> None:
    browser = desk.sign_in(role, username=f"only-{role}")
    browser.client.follow_redirects = False
    token = own_token(desk, browser)
    for path, methods in desk.app.openapi()["paths"].items():
        for method in methods if path in PAGES else ():
            answer = browser.client.request(method, filled(path), data={"form_token": token} if method == "post" else None)
            assert (answer.status_code == 403) == (role not in PAGES[path]), f"{method} {path}: {answer.status_code}"


def test_nobody_sees_anything_without_signing_in(desk: RunningDesk) -> None:
    browser = desk.nobody()
    browser.get("/sign-in")
    browser.client.follow_redirects = False
    token = own_token(desk, browser)
    for path, methods in desk.app.openapi()["paths"].items():
        for method in methods if path in PAGES else ():
            answer = browser.client.request(method, filled(path), data={"form_token": token} if method == "post" else None)
            assert answer.status_code == 303, f"{method} {path}: {answer.status_code}"
            assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("forged", ["no token", "made-up token", "somebody else's token", "another origin", "another site", "no cookie"])
def test_a_forged_form_changes_nothing(desk: RunningDesk, officer: Browser, forged: str) -> None:
    token = own_token(desk, officer)
    if forged == "somebody else's token":
        token = own_token(desk, desk.sign_in(Role.OFFICER, username="ben"))
    fields = {"action": "shortlist", "version": "0", "form_token": {"no token": "", "made-up token": "ab" * 32}.get(forged, token)}
    headers = {"another origin": {"Origin": "https://evil.example"}, "another site": {"Sec-Fetch-Site": "cross-site"}}.get(forged, {})
    if forged == "no cookie":
        officer.client.cookies.clear()
    answer = officer.client.post(f"{LEAD}/decide", data=fields, headers=headers)
    assert answer.status_code == 403
    assert decisions(desk) == 0


def test_markup_in_posts_is_shown_as_text(officer: Browser) -> None:
    page = officer.get(LEAD).text
    assert "&lt;script&gt;" in page
    for live in ("<script>alert", "<img src=x"):
        assert live not in page


@pytest.mark.parametrize("field", ["note", "action", "reason", "until", "assignee"])
def test_markup_in_what_is_typed_is_shown_as_text(officer: Browser, field: str) -> None:
    fields = {"version": "0", "action": "reject"} | {field: '"><script>alert(1)</script>'}
    page = officer.post(f"{LEAD}/decide", page=LEAD, **fields)
    assert page.status_code == 400
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("key", ["area", "ward", "community", "status", "assignee", "new", "done"])
@pytest.mark.parametrize(
    "value", ["' OR 1=1 --", '"; DROP TABLE lead; --', "parks') UNION SELECT 1 --", "%' OR '1'='1"], ids=["or", "drop", "union", "like"]
)
def test_sql_in_an_address_is_a_value_like_any_other(officer: Browser, key: str, value: str) -> None:
    page = officer.get("/leads", params={key: value})
    assert page.status_code == 200
    found = page.text.count('class="desk-lead"')
    assert found == (3 if key in {"status", "done"} else 0 if key != "new" else found)
    assert officer.get("/leads").text.count('class="desk-lead"') == 3


@pytest.mark.parametrize(
    "path",
    ["/leads/l-m1'--", "/leads/..%2f..%2fetc%2fpasswd", "/leads/%00", "/leads/" + "x" * 5_000, "/contacts/1%20OR%201=1", "/accounts/%27"],
    ids=["quote", "parent folder", "nul", "endless", "or", "quote for an account"],
)  # fmt: skip
def test_a_strange_id_is_an_id_that_there_is_not(officer: Browser, path: str) -> None:
    assert officer.get(path).status_code in {400, 403, 404}


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/openapi.json", "/docs"]
)
def test_files_outside_the_static_folder_and_the_description_of_the_pages_are_not_served(desk: RunningDesk, path: str) -> None:
    with httpx.Client(base_url=desk.address) as client:
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("way", ["said", "not said"])
def test_a_huge_body_is_refused_while_it_comes_in(desk: RunningDesk, officer: Browser, way: str) -> None:
    body = b"note=" + b"x" * MOST_BYTES
    sent = body if way == "said" else iter([body[:100], body[100:]])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = officer.client.post(f"{LEAD}/decide", content=sent, headers=headers)
    assert answer.status_code == 413
    assert decisions(desk) == 0


def test_headers_without_end_are_refused_while_they_come_in(desk: RunningDesk) -> None:
    try:
        status = desk.nobody().get("/sign-in", headers={"X-Long": "x" * 200_000}).status_code
    except httpx.TransportError:  # the rest was still on its way when the door closed
        status = 400
    assert status == 400


def test_another_host_name_is_refused(desk: RunningDesk) -> None:
    assert desk.nobody().get("/sign-in", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("path", ["/sign-in", "/nowhere", "/static/desk.css", "/leads", "/favicon.ico", "/oidc/start"])
def test_every_answer_carries_the_security_headers(desk: RunningDesk, path: str) -> None:
    answer = desk.nobody().get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "server" not in answer.headers or "uvicorn" not in answer.headers["server"]


def test_no_browser_keeps_a_page(officer: Browser) -> None:
    assert officer.get(LEAD).headers["cache-control"] == "no-store"


def test_no_page_asks_for_a_script_or_a_style_of_its_own(officer: Browser) -> None:
    for path in ("/leads", LEAD, f"{LEAD}/network", "/contacts", "/help", "/account", f"{LEAD}/hold"):
        page = officer.get(path).text
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page


def test_over_https_the_cookie_is_bound_to_the_host_and_to_https(tmp_path: Path) -> None:
    with running(tmp_path / "home", desk_address="https://127.0.0.1") as desk:
        answer = httpx.get(f"{desk.listening}/sign-in")
        assert answer.headers["set-cookie"].startswith("__Host-coprod=")
        assert "secure" in answer.headers["set-cookie"].lower()
        assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_what_breaks_says_nothing_of_the_inside(tmp_path: Path) -> None:
    with running(tmp_path / "home") as desk:
        browser = desk.sign_in(Role.OFFICER)
        with desk.engine.begin() as connection:
            connection.execute(sqlalchemy.text("DROP TABLE run_problem"))
            connection.execute(sqlalchemy.text("DROP TABLE run"))
        page = browser.get("/leads")
    assert page.status_code == 500
    assert "Reference:" in page.text
    for inside in ("sqlite", "SELECT", "Traceback", "no such table", "/work"):
        assert inside not in page.text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"], ids=["equals", "plus", "minus", "at", "tab", "return", "line"])
def test_no_cell_of_a_table_is_a_formula(start: str) -> None:
    assert guarded(f"{start}HYPERLINK(1)").startswith("'")


def test_an_export_holds_no_words_of_residents_and_is_in_the_audit_log(desk: RunningDesk, officer: Browser) -> None:
    answer = officer.get("/leads.csv")
    assert answer.status_code == 200
    assert answer.text.count("\n") == 4
    assert "van" not in answer.text
    assert "voice" not in answer.text
    assert ("amy", "export_leads", "r-marlowick") in desk.audited()


def test_exports_without_end_are_stopped(desk: RunningDesk) -> None:
    browser = desk.sign_in(Role.OFFICER, username="hungry")
    assert [browser.get("/leads.csv").status_code for _ in range(11)] == [200] * 10 + [429]


def test_the_store_holds_neither_passwords_nor_session_tokens(desk: RunningDesk, officer: Browser) -> None:
    token = officer.client.cookies[cookie_name(desk.office)]
    with desk.engine.connect() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names():
            rows = connection.execute(sqlalchemy.text(f"SELECT * FROM {table}")).all()  # a name the database gave
            assert token not in str(rows), table


def test_a_role_that_was_taken_away_is_gone_at_once(desk: RunningDesk) -> None:
    account_id = desk.account("leaver", Role.OFFICER)
    leaver, admin = desk.sign_in(Role.OFFICER, username="leaver"), desk.sign_in(Role.ADMINISTRATOR, username="boss")
    assert leaver.get("/leads").url.path == "/leads"
    fields: dict[str, Any] = {"display_name": "Leaver", "roles": ["analyst"], "active": "yes"}
    assert admin.post(f"/accounts/{account_id}", **fields).status_code == 200
    assert leaver.get("/leads").url.path == "/sign-in"


def test_an_administrator_reaches_no_account_of_another_council(desk: RunningDesk) -> None:
    account_id = desk.account("faraway", Role.OFFICER, council="elsewhere")
    admin = desk.sign_in(Role.ADMINISTRATOR, username="boss")
    assert admin.get(f"/accounts/{account_id}").status_code == 404
    assert admin.post(f"/accounts/{account_id}/invite", page="/accounts/new").status_code == 404
    assert "Faraway" not in admin.get("/accounts").text


def test_every_attack_in_the_documents_names_a_test_that_there_is() -> None:
    folder = Path(__file__).parent
    tests = {file.stem: " ".join(re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))) for file in folder.glob("test_*.py")}
    text = (folder.parents[1] / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [line.split("|")[-2] for line in text.splitlines() if re.match(r"\| V\d", line)]
    assert len(rows) > 30
    for row in rows:
        named = re.findall(r"`(test_\w+)`: ([^,]+)", row)
        assert named, row
        for file, words in named:
            assert words.strip().lower().replace(" ", "_") in tests[file].lower(), row
