"""Who may see what: every route, with every wrong credential."""

import hashlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from httpx import Response
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.testclient import TestClient

from recograph.errors import RecographError
from recograph.graph.queries import questions
from recograph.serve.access import FileAccess, Loopback, _Proxy, make_token, session_secret
from recograph.serve.asking import Asking
from recograph.serve.content import OWNED
from recograph.serve.guard import same_origin
from recograph.serve.server import open_access
from recograph.settings import PROJECT_DIR
from recograph_tests.serve.conftest import Open

ONE, ALL, OLD = "token-of-one", "token-of-all", "token-that-expired"
PROXY = "what the proxy knows"
Make = Callable[[dict[str, Any]], FileAccess]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


TOKENS: dict[str, list[dict[str, Any]]] = {
    "tokens": [
        {"name": "one", "sha256": digest(ONE), "customers": ["customer_1"]},
        {"name": "all", "sha256": digest(ALL), "customers": "all"},
        {"name": "old", "sha256": digest(OLD), "customers": "all", "expires": "2020-01-01"},
    ]
}
GROUPS = {
    "proxy": {
        "secret_sha256": digest(PROXY),
        "groups": {"team one": ["customer_1"], "analysts": "all", "nobody": []},
    }
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def make(folder: Path) -> Make:
    def make_(content: dict[str, Any]) -> FileAccess:
        path = folder / f"{len(list(folder.iterdir()))}.yaml"
        path.write_text(yaml.safe_dump(content))
        return FileAccess(path, b"secret" * 6)

    return make_


@pytest.fixture(scope="module")
def tokens(opened: Open, make: Make) -> TestClient:
    return opened(make(TOKENS))


@pytest.fixture(scope="module")
def proxied(opened: Open, make: Make) -> TestClient:
    return opened(make(GROUPS))


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def addresses(routes: list[Route], customer: str, *, brief: bool = False) -> list[str]:
    """An address for each route, each form, each question and kind of thing, of a customer; with a parameter too.

    Where brief, one for each route and form.
    """
    values: dict[str, list[str]] = {
        "customer": [customer],
        "form": ["", ".json", ".csv"],
        "key": ["1", "10", "99"],
        "word": list(OWNED),
        "name": [*questions(), "nothing"],
        "digest": ["0"],
        "file": ["site.css"],
    }
    if brief:
        values = {name: options if name == "form" else options[:1] for name, options in values.items()}
    addresses = [""]
    for route in routes:
        grown = [""]
        for part in re.split(r"(\{\w+(?::\w+)?\})", route.path):
            options = values[part.strip("{}").split(":")[0]] if part.startswith("{") else [part]
            grown = [start + option for start in grown for option in options]
        addresses += grown
    with_parameters = [f"{path}?{name}=1" for path in addresses for name in ("limit", "user") if "questions" in path]
    return [address for address in addresses + with_parameters if address]


WRONG_TOKENS: list[dict[str, str]] = [
    {},
    bearer(""),
    bearer("wrong"),
    bearer(OLD),
    bearer(digest(ALL)),
    bearer(ALL + "x"),
    bearer(ALL[:-1]),
    {"authorization": ALL},
    {"authorization": f"Basic {ALL}"},
    {"cookie": f"recograph={ALL}"},
    {"cookie": f"recograph={b'all'.hex()}.9999999999.{'0' * 64}"},
    {"x-forwarded-user": "ann", "x-forwarded-groups": "analysts", "x-recograph-secret": PROXY},
]
WRONG_PROXIES: list[dict[str, str]] = [
    {},
    bearer(ALL),
    {"x-forwarded-user": "ann", "x-forwarded-groups": "analysts"},
    {"x-forwarded-user": "ann", "x-forwarded-groups": "analysts", "x-recograph-secret": "wrong"},
    {"x-forwarded-user": "ann", "x-forwarded-groups": "analysts", "x-recograph-secret": digest(PROXY)},
    {"x-forwarded-user": "", "x-forwarded-groups": "analysts", "x-recograph-secret": PROXY},
    {"x-forwarded-groups": "analysts", "x-recograph-secret": PROXY},
    {"x-forwarded-user": "ann", "x-recograph-secret": PROXY},
    {"x-forwarded-user": "ann", "x-forwarded-groups": "team", "x-recograph-secret": PROXY},
    {"x-forwarded-user": "ann", "x-forwarded-groups": "nobody", "x-recograph-secret": PROXY},
    {"x-forwarded-user": "ann", "x_forwarded_groups": "analysts", "x-recograph-secret": PROXY},
]
PUBLIC = ("/-/health", "/-/login", "/-/static/0/site.css")


def routes(client: TestClient) -> list[Route]:
    routes: list[Route] = client.app.routes  # type: ignore[attr-defined]
    return routes


@pytest.mark.parametrize("number", range(len(WRONG_TOKENS)))
def test_no_route_says_anything_to_who_has_no_token(tokens: TestClient, number: int) -> None:
    for address in addresses(routes(tokens), "customer_1", brief=number > 0):
        if address not in PUBLIC:
            assert_nothing(tokens.get(address, headers=WRONG_TOKENS[number]), address)


@pytest.mark.parametrize("number", range(len(WRONG_PROXIES)))
def test_no_route_says_anything_to_who_does_not_come_from_the_proxy(proxied: TestClient, number: int) -> None:
    for address in addresses(routes(proxied), "customer_1", brief=number > 0):
        if address not in PUBLIC:
            assert_nothing(proxied.get(address, headers=WRONG_PROXIES[number]), address)


def test_a_header_that_comes_twice_is_nobody_s(proxied: TestClient) -> None:
    right = [("x-forwarded-user", "ann"), ("x-forwarded-groups", "team one"), ("x-recograph-secret", PROXY)]
    assert proxied.get("/customer_1", headers=right).status_code == 200
    for name, _ in right:
        twice = proxied.get("/customer_1", headers=[*right, (name, "analysts")])
        assert twice.status_code == 401


def assert_nothing(answer: Response, address: str) -> None:
    assert answer.status_code == 401, address
    said = (
        answer.text.replace("customer_1", "") if "/customer_1" in answer.text else answer.text
    )  # the address asked for
    assert not re.search(r"customer_\d|Étude|Data Science|Negotiation|English", said), address


@pytest.mark.parametrize("other", ["customer_2", "customer_9"])
def test_a_customer_that_one_may_not_see_does_not_exist(tokens: TestClient, other: str) -> None:
    """Neither does one that doesn't: both get the same bytes, on every route."""
    headers = bearer(ONE)
    for address in addresses(routes(tokens), other, brief=other == "customer_9"):
        if other not in address or address in PUBLIC:
            continue
        answer = tokens.get(address, headers=headers)
        unknown = tokens.get(address.replace(other, "customer_8"), headers=headers)
        assert (answer.status_code, answer.content) == (404, unknown.content), address
        assert dict(answer.headers) == dict(unknown.headers)


def test_not_seeing_takes_as_long_as_not_existing(tokens: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither asks the graph, which is all that takes time; both end at the same look-up in memory."""

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Asking, "_place", never)
    for customer in ("customer_2", "customer_8"):
        for rest in ("", "/users/1", "/users/99", "/search?q=data", "/questions/popular_courses", "/questions/nothing"):
            assert tokens.get(f"/{customer}{rest}", headers=bearer(ONE)).status_code == 404


def test_who_sees_one_customer_sees_that_customer(tokens: TestClient) -> None:
    headers = bearer(ONE)
    assert [entry["customer"] for entry in tokens.get("/index.json", headers=headers).json()["customers"]] == [
        "customer_1"
    ]
    assert "customer_2" not in tokens.get("/", headers=headers).text
    assert tokens.get("/customer_1", headers=headers).status_code == 200
    assert tokens.get("/-/questions/customers", headers=headers).status_code == 404
    assert len(tokens.get("/index.json", headers=bearer(ALL)).json()["customers"]) == 2
    assert tokens.get("/-/questions/customers", headers=bearer(ALL)).status_code == 200
    results = tokens.get("/customer_1/search.json?q=data", headers=headers).json()["results"]
    assert {row["address"].split("/")[1] for row in results} == {"customer_1"}


def test_groups_of_a_proxy(proxied: TestClient) -> None:
    def seen(groups: str) -> list[str]:
        headers = {"x-forwarded-user": "ann", "x-forwarded-groups": groups, "x-recograph-secret": PROXY}
        return [entry["customer"] for entry in proxied.get("/index.json", headers=headers).json()["customers"]]

    assert seen("team one, other") == ["customer_1"]
    assert seen("other,analysts") == ["customer_1", "customer_2"]
    assert proxied.post("/-/login", data={"token": ALL}).status_code == 401


def test_logging_in_and_out(tokens: TestClient) -> None:
    form = tokens.get("/customer_1/users/1")
    assert form.status_code == 401
    assert '<input type="hidden" name="next" value="/customer_1/users/1">' in form.text
    assert tokens.post("/-/login", data={"token": "wrong"}).status_code == 401
    entered = tokens.post("/-/login", data={"token": ONE, "next": "/customer_1/users/1"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/customer_1/users/1")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert ONE not in cookie
    session = {"cookie": cookie.split(";")[0]}
    tokens.cookies.clear()
    assert tokens.get("/customer_1", headers=session).status_code == 200
    assert "Log out" in tokens.get("/customer_1", headers=session).text
    assert tokens.get("/customer_2", headers=session).status_code == 404
    assert tokens.get("/", headers={"cookie": session["cookie"][:-1] + "0"}).status_code in (401, 200)
    left = tokens.post("/-/logout", headers=session)
    assert (left.status_code, left.headers["location"]) == (303, "/")
    assert 'recograph=""' in left.headers["set-cookie"]
    tokens.cookies.clear()


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil", "/a\r\nX: 1", "evil", ""])
def test_a_login_leads_nowhere_else(tokens: TestClient, address: str) -> None:
    assert tokens.post("/-/login", data={"token": ONE, "next": address}).headers["location"] == "/"
    tokens.cookies.clear()


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_another_page_can_send_no_form(tokens: TestClient, headers: dict[str, str]) -> None:
    for address in ("/-/login", "/-/logout"):
        answer = tokens.post(address, data={"token": ONE}, headers={**bearer(ONE), **headers})
        assert answer.status_code == 400
        assert "set-cookie" not in answer.headers


def test_a_login_by_https_has_a_cookie_for_https_only(tokens: TestClient) -> None:
    entered = tokens.post("/-/login", data={"token": ONE}, headers={"x-forwarded-proto": "https"})
    assert "Secure" in entered.headers["set-cookie"]
    tokens.cookies.clear()


def test_a_form_that_is_too_long_is_not_read(tokens: TestClient) -> None:
    assert tokens.post("/-/login", content=b"token=" + b"x" * 10_000).status_code == 400


def test_a_token_that_is_taken_out_of_the_file_ends_with_its_sessions(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = make(TOKENS)
    session = access.session(ONE)
    cookie = Headers({"cookie": f"other=1; recograph={session}"})
    assert access.viewer(cookie)
    assert access.viewer(Headers(bearer(ONE)))
    access._path.write_text(yaml.safe_dump({"tokens": TOKENS["tokens"][1:]}))
    access._looked -= 2
    assert access.viewer(cookie) is None
    assert access.viewer(Headers(bearer(ONE))) is None
    assert access.viewer(Headers(bearer(ALL)))
    access._path.write_text("nonsense")
    access._looked -= 2
    assert access.viewer(Headers(bearer(ALL))) is None


@pytest.mark.parametrize("content", ["tokens: [", "nonsense", None, b"\xff\xfe"])
def test_a_file_that_went_wrong_is_said_once_without_its_content(
    make: Make, caplog: pytest.LogCaptureFixture, content: str | bytes | None
) -> None:
    access = make(TOKENS)
    if content is None:
        access._path.unlink()
    else:
        access._path.write_bytes(content if isinstance(content, bytes) else f'{content} "{ONE}'.encode())
    for _ in range(2):
        access._looked -= 2
        assert access.viewer(Headers(bearer(ALL))) is None
    assert caplog.text.count("Nobody is known any more.") == 1
    assert str(access._path) in caplog.text
    assert ONE not in caplog.text
    access._path.write_text(yaml.safe_dump(TOKENS))
    access._looked -= 2
    assert access.viewer(Headers(bearer(ALL)))


def test_names_of_groups_and_secrets_may_be_in_any_language(make: Make) -> None:
    secret, group = "Schlüssel für 学", "Büro 学"
    proxy = {"secret_sha256": digest(secret), "groups": {group: ["customer_1"]}}
    names = ("x-recograph-secret", "x-forwarded-user", "x-forwarded-groups")
    raw = [(name.encode(), value.encode()) for name, value in zip(names, (secret, "ann", f"a, {group}"), strict=True)]
    viewer = make({"proxy": proxy}).viewer(Headers(raw=raw))
    assert viewer
    assert viewer.customers == frozenset({"customer_1"})
    token = make({"tokens": [{"name": "a", "sha256": digest(secret), "customers": "all"}]})
    assert token.viewer(Headers(raw=[(b"authorization", f"Bearer {secret}".encode())]))


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"origin": "https://graph.example.com:8443", "sec-fetch-site": "same-origin"}, True),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-site"}, False),
        ({"origin": "https://graph.example.com"}, True),
        ({"origin": "https://graph.example.com.evil.example"}, False),
        ({}, True),
    ],
)
def test_a_proxy_s_other_port_is_ours_where_the_browser_says_so(headers: dict[str, str], ours: bool) -> None:
    assert same_origin(Headers({"host": "graph.example.com", **headers})) == ours


def test_services_beside_each_other_share_sessions_by_their_secret(folder: Path) -> None:
    path = folder / "shared.yaml"
    path.write_text(yaml.safe_dump(TOKENS))
    cookie = Headers({"cookie": f"recograph={FileAccess(path, b'one').session(ONE)}"})
    assert FileAccess(path, b"one").viewer(cookie)
    assert FileAccess(path, b"another").viewer(cookie) is None


def test_a_session_ends_by_itself(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    access = make(TOKENS)
    cookie = Headers({"cookie": f"recograph={access.session(ONE)}"})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 13 * 3600)
    assert access.viewer(cookie) is None


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", ""])
def test_without_a_file_only_this_machine_by_its_own_name_sees_anything(opened: Open, host: str) -> None:
    client = opened(Loopback())
    refused = client.get("/", headers={"host": host})
    assert refused.status_code == 401
    assert "http://127.0.0.1 or http://localhost" in refused.text
    assert "Log in" not in refused.text
    for own in ("127.0.0.1:8080", "localhost", "[::1]:8080", "localhost:80", "LOCALHOST"):
        assert client.get("/", headers={"host": own}).status_code == 200


def test_without_a_file_nobody_listens_to_other_machines(tmp_path: Path) -> None:
    with pytest.raises(RecographError, match=r"everybody who reaches 0\.0\.0\.0 would see everything"):
        open_access(None, "0.0.0.0", tmp_path)
    assert isinstance(open_access(None, "127.0.0.1", tmp_path), Loopback)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "give either tokens or proxy"),
        ({**TOKENS, **GROUPS}, "give either tokens or proxy"),
        ({"tokens": [{"name": "a", "sha256": ONE, "customers": "all"}]}, r"tokens\.0\.sha256: "),
        ({"tokens": [{"name": "a", "sha256": digest(ONE)}]}, r"tokens\.0\.customers: Field required"),
        ({"tokens": [TOKENS["tokens"][0]] * 2}, "must be different"),
        ({"proxy": {"secret_sha256": digest(PROXY)}}, r"proxy\.groups: Field required"),
        ({"tokens": [], "other": 1}, "other: Extra inputs"),
    ],
)
def test_a_file_that_is_wrong_is_said_without_its_values(make: Make, content: dict[str, Any], message: str) -> None:
    with pytest.raises(RecographError, match=message) as refused:
        make(content)
    assert ONE not in str(refused.value)


def test_a_made_token_opens_the_door(tmp_path: Path) -> None:
    token, entry = make_token("ann", ["customer_1"])
    path = tmp_path / "access.yaml"
    path.write_text("tokens:\n" + entry)
    viewer = FileAccess(path, session_secret(tmp_path)).viewer(Headers(bearer(token)))
    assert viewer
    assert viewer.customers == frozenset({"customer_1"})
    assert token not in path.read_text()
    assert session_secret(tmp_path) == session_secret(tmp_path)
    assert (tmp_path / "serve" / "secret").stat().st_mode & 0o077 == 0


def test_tomorrow_a_token_still_holds(make: Make) -> None:
    tomorrow = str((datetime.now(UTC) + timedelta(days=1)).date())
    access = make({"tokens": [TOKENS["tokens"][0] | {"expires": tomorrow}]})
    assert access.viewer(Headers(bearer(ONE)))


def test_the_example_of_deploy_is_a_file_of_access() -> None:
    folder = PROJECT_DIR / "deploy" / "serve"
    assert FileAccess(folder / "access.yaml", b"").has_tokens
    commented = re.sub(r"^# ?", "", (folder / "access.yaml").read_text().split("nginx.conf):\n")[1], flags=re.M)
    proxy = yaml.safe_load(commented.replace('"..."', digest(PROXY)))
    headers = set(re.findall(r"proxy_set_header (X-\S+) ", (folder / "nginx.conf").read_text()))
    assert {proxy["proxy"][f"{name}_header"] for name in ("user", "groups", "secret")} <= headers
    assert _Proxy.model_validate(proxy["proxy"]).user_header == _Proxy.model_fields["user_header"].default
