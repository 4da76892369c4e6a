import codecs
import csv
import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import httpx
import neo4j
import pandas
import pytest
from markupsafe import escape
from starlette.testclient import TestClient

from recograph.graph.queries import ask, questions
from recograph.graph.reading import Answer
from recograph.graph.search import typed
from recograph.graph.values import plain
from recograph.serve import asking
from recograph.serve.access import Loopback
from recograph.serve.forms import static_address
from recograph.serve.guard import HEADERS
from recograph_tests.serve.conftest import Open, plant

PAGES = [
    "/",
    "/index",
    "/customer_1",
    "/customer_1/search?q=science",
    "/customer_1/users/1",
    "/customer_1/courses/10",
    "/customer_1/assets/20",
    "/customer_1/users/1/recommendations",
    "/customer_1/questions/popular_courses",
    "/customer_1/questions/user_history?user=1",
    "/-/questions/customers",
]
SOME = {
    "user": 1,
    "other_user": 2,
    "course": 10,
    "other_course": 11,
    "asset": 20,
    "language": "english",
    "words": "data",
}


def form(address: str, suffix: str) -> str:
    path, question, query = address.partition("?")
    return ("/index" if path == "/" else path) + suffix + question + query


@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_html_json_and_csv(client: TestClient, page: str) -> None:
    html, json, text = (client.get(form(page, suffix) if suffix else page) for suffix in ("", ".json", ".csv"))
    assert [answer.status_code for answer in (html, json, text)] == [200, 200, 200]
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    assert isinstance(json.json(), dict)
    assert text.content.startswith(codecs.BOM_UTF8)  # or Excel reads accents wrongly
    rows = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert not rows[0][0].startswith("\ufeff")
    assert len({len(row) for row in rows}) == 1
    assert len(rows) > 1
    for suffix in (".json", ".csv"):
        assert f'href="{form(page, suffix).replace("&", "&amp;")}"' in html.text


@pytest.mark.parametrize("name", questions())
def test_each_question_is_a_page_and_answers_as_the_command_does(
    client: TestClient, small: neo4j.Driver, name: str
) -> None:
    asked = questions()[name]
    needed = {name: SOME.get(name) for name, parameter in asked.parameters.items() if parameter.required}
    address = f"/customer_1/questions/{name}" if "customer" in asked.parameters else f"/-/questions/{name}"
    query = {key: value for key, value in needed.items() if key != "customer"}
    if query:
        empty = client.get(address)
        assert empty.status_code == 200
        assert all(f'name="{key}"' in empty.text for key in query)
    shown = client.get(address, params=query)
    assert asked.text.replace("'", "&#39;") in shown.text
    given = needed | ({"customer": "customer_1"} if "customer" in asked.parameters else {})
    if "words" in given:  # what people type is no syntax
        given |= typed(str(given["words"]))
    answer: Answer = ask(small, name, given)
    rows = client.get(f"{address}.json", params=query).json()["rows"]
    assert rows == [{key: plain(value) for key, value in row.items()} for row in answer.records()]


def test_the_dashboard_and_the_pages_of_nodes_show_what_the_graph_holds(client: TestClient) -> None:
    assert client.get("/customer_1.json").json()["answers"]["popular_courses"][0]["learners"] == 3
    (one, other) = client.get("/index.json").json()["customers"]
    assert (one["customer"], one["nodes"], one["growth"]) == (
        "customer_1",
        15,
        {"2026-11-01": 15 + one["relationships"]},
    )
    assert other["name"] == "customer_2 Ltd"
    user = client.get("/customer_1/users/1.json").json()
    assert user["properties"]["valid"] is True
    assert user["answers"]["recommendations"][0]["reason"] == "because you took Étude d'anglais"
    assert {node["key"] for node in user["neighbourhood"]["nodes"]} >= {"User:1", "Course:10", "Asset:20"}
    course = client.get("/customer_1/courses/10")
    assert "<h1>" in course.text
    assert "Étude d&#39;anglais" in course.text
    assert 'href="/customer_1/users/1"' in course.text


def test_recommendations_as_a_learning_platform_asks_for_them(client: TestClient) -> None:
    answer = client.get("/customer_1/users/1/recommendations.json?k=1").json()
    assert answer["snapshot_date"] == "2026-11-01"
    assert [(row["kind"], row["id"]) for row in answer["recommendations"]] == [("Course", 12), ("Asset", 21)]


def test_a_list_holds_what_the_questions_default_holds(client: TestClient) -> None:
    address = "/customer_1/questions/recommendations.json?user=1&kinds="
    assert {row["kind"] for row in client.get(f"{address}Asset").json()["rows"]} == {"Asset"}
    refused = client.get(f"{address}Asset,User")
    assert refused.status_code == 400
    assert "Parameter kinds can have: Course, Asset." in refused.text


def test_the_neighbourhood_to_follow(client: TestClient) -> None:
    around = client.get("/customer_1/courses/10/neighbourhood.json?limit=1").json()
    assert around["nodes"][0]["key"] == "Course:10"
    assert around["nodes"][0]["address"] == "/customer_1/courses/10"
    assert around["relationships"]


@pytest.mark.parametrize(
    ("q", "title"),
    [
        ("negotiaton", "Negotiation"),
        ("negotation sklls", "Negotiation"),
        ("negociaton", "Negotiation"),
        ("sci", "Data Science Basics"),
        ("2", "User 2"),
    ],
)
def test_search_forgives_typing_errors_and_knows_users_by_number(client: TestClient, q: str, title: str) -> None:
    results = client.get("/customer_1/search.json", params={"q": q}).json()["results"]
    assert results[0]["title"] == title
    assert client.get(results[0]["address"]).status_code == 200


@pytest.mark.parametrize(
    "q", ["data\N{NO-BREAK SPACE}science", "data\tscience", "data\N{SOFT HYPHEN}science\0", "data\u200bscience"]
)
def test_what_is_pasted_is_searched_for(client: TestClient, q: str) -> None:
    titles = [row["title"] for row in client.get("/customer_1/search.json", params={"q": q}).json()["results"]]
    assert sorted(titles) == ["Data Science Basics", "Data Science in 5 minutes"]


@pytest.mark.parametrize("q", ["", "  ", "!!!", "zebra", "999"])
def test_a_search_that_finds_nothing_is_a_page(client: TestClient, q: str) -> None:
    assert client.get("/customer_1/search.json", params={"q": q}).json()["results"] == []
    assert client.get("/customer_1/search", params={"q": q}).status_code == 200


def test_what_a_load_deletes_while_it_is_being_found_is_left_out(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_one_that_is_gone(driver: Any, name: str, *arguments: Any, **options: Any) -> Answer:
        answer = ask(driver, name, *arguments, **options)
        return Answer(answer.columns, [*answer.rows, [None] * len(answer.columns)])

    monkeypatch.setattr(asking, "ask", with_one_that_is_gone)
    results = client.get("/customer_1/search.json?q=negotiat").json()["results"]
    assert [hit["title"] for hit in results] == ["Negotiation"]


def test_what_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/customer_1")
    again = client.get("/customer_1", headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/customer_1", headers={"if-none-match": '"other"'}).status_code == 200
    packed = client.get("/customer_1", headers={"accept-encoding": "gzip"})
    plain_ = client.get("/customer_1", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) * 3 < int(plain_.headers["content-length"])
    assert packed.text == plain_.text
    assert client.head("/customer_1").status_code == 200


@pytest.mark.parametrize("wanted", ["{0}", "W/{0}", '"a, b", {0}', "*"])
def test_a_tag_is_known_again_as_proxies_send_it_on(client: TestClient, wanted: str) -> None:
    strong = client.get("/customer_1").headers["etag"].removeprefix("W/")
    assert client.get("/customer_1", headers={"if-none-match": wanted.format(strong)}).status_code == 304
    twice = [("if-none-match", '"other"'), ("if-none-match", wanted.format(strong))]
    assert client.get("/customer_1", headers=twice).status_code == 304


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip;q=0", False), ("br, gzip; q=0.00", False), ("x-gzip", False), ("GZIP", True), ("br, gzip;q=0.5", True)],
)
def test_only_who_takes_gzip_gets_it(client: TestClient, accepted: str, packed: bool) -> None:
    answer = client.get("/customer_1", headers={"accept-encoding": accepted})
    assert ("content-encoding" in answer.headers) == packed


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/customer_3", 404),
        ("/customer_1/users/99", 404),
        ("/customer_1/users/99/recommendations.json", 404),
        ("/customer_1/users/9999999999999999999999", 404),
        ("/customer_1/languages/english", 404),
        ("/customer_1/questions/nothing", 404),
        ("/customer_1/questions/customers", 404),
        ("/-/questions/popular_courses", 404),
        ("/customer_1/questions/user_history?user=99", 404),
        ("/customer_1/questions/user_history?user=me", 400),
        ("/customer_1/questions/user_history?user=99999999999999999999", 400),
        ("/customer_1/questions/user_history?user=1&user=2", 400),
        ("/customer_1/questions/popular_courses?customer=customer_2", 400),
        ("/customer_1/questions/popular_courses?limit=1001", 400),
        ("/customer_1/questions/popular_courses?limit=0", 400),
        ("/customer_1/questions/popular_courses?nothing=1", 400),
        ("/customer_1/questions/search?words=" + "x" * 1001, 400),
        ("/customer_1/questions/search?words=a&indexes=user_fulltext", 400),
        ("/customer_1/questions/courses_by_language?language=%00", 400),
        ("/customer_1/users/1?x=1", 400),
        ("/customer_1/users/1/recommendations.json?k=9999999", 400),
        ("/customer_1?q=" + "x" * 5000, 400),
        ("/customer_1/questions/user_history?user=" + "[" * 3000, 400),
        ("/customer_1/users/9223372036854775807", 404),
        ("/customer_1/users/9223372036854775808", 404),
        ("/customer_1%0a", 404),
        ("/customer_1/users/1.json%0a", 404),
        ("/" + "a" * 400, 400),
        ("/customer_1/users/1/neighbourhood", 404),
        ("/-/static/x/site.css", 404),
        ("/-/static/../../../../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/customer_1/..%2fcustomer_2", 404),
        ("/-/login", 404),
        ("/customer_1/users/1%2F2", 404),
        ("/customer_1/users/%00", 404),
        ("/customer_1/users/%D9%A1", 404),
        ("/customer_1//users//1", 404),
        ("/customer_1/", 404),
        ("/customer_1.json.csv", 404),
        ("/docs.json", 404),
        ("/%ff%fe", 404),
        ("/customer_1/search?=a", 400),
        ("/customer_1/search?q=a&limit=5%00", 400),
        ("/customer_1/search?q=a&limit=1e3", 400),
        ("/customer_1/questions/popular_courses?LIMIT=3", 400),
        ("/customer_1/questions/user_history?user=1_000", 400),
        ("/customer_1/questions/user_history?user=%C2%A01", 400),
        ("/customer_1/questions/recommendations?user=1&newcomers=maybe", 400),
        ("/customer_1/questions/recommendations?user=1&kinds=%5B%5B%5B", 400),
    ],
)
def test_what_is_wrong_is_said_and_never_a_failure(client: TestClient, address: str, status: int) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert HEADERS.items() <= dict(answer.headers).items()
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "/customer_1/questions/"])
def test_no_address_leads_elsewhere(client: TestClient, path: str) -> None:
    answer = client.get(f"http://127.0.0.1{path}")
    assert (answer.status_code, "location" in answer.headers) == (404, False)


def test_spreadsheets_read_csv_without_its_mark(client: TestClient, tmp_path: Path) -> None:
    file = tmp_path / "popular.csv"
    file.write_bytes(client.get("/customer_1/questions/popular_courses.csv").content)
    assert next(iter(pandas.read_csv(file).columns)) == "course_id"
    assert duckdb.read_csv(str(file)).columns[0] == "course_id"


@pytest.mark.parametrize(
    "asked",
    [
        {"range": "bytes=0-10"},
        {"range": "nonsense"},
        {"if-match": '"x"'},
        {"if-none-match": ", ".join(f'"{number}"' for number in range(500))},
        {"if-none-match": '"a", W/"b", "c'},
        {"if-modified-since": "Thu, 01 Jan 2099 00:00:00 GMT"},
        {"accept": "application/json"},
        {"x-http-method-override": "DELETE"},
        {"x-original-url": "/customer_2", "x-forwarded-host": "evil.example"},
    ],
)
def test_headers_that_mean_nothing_here_change_nothing(client: TestClient, asked: dict[str, str]) -> None:
    plain = client.get("/customer_1")
    for method in ("GET", "HEAD"):
        answer = client.request(method, "/customer_1", headers=asked)
        assert (answer.status_code, answer.headers) == (200, plain.headers)
        assert answer.content == (plain.content if method == "GET" else b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_written(client: TestClient, method: str) -> None:
    for address in ("/", "/customer_1", "/customer_1/users/1", "/customer_1/questions/popular_courses"):
        answer = client.request(method, address)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert HEADERS.items() <= dict(answer.headers).items()


def test_every_answer_protects_its_reader(client: TestClient) -> None:
    for address in [*PAGES, "/docs", "/openapi.json", "/-/health", "/nowhere", static(client, "site.css")]:
        headers = client.get(address).headers
        assert HEADERS.items() <= dict(headers).items(), address
        assert "unsafe" not in headers["content-security-policy"]
    page = client.get("/customer_1/users/1").text
    assert not re.search(r"<script(?! defer src| type=\"application/json\")|style=|\son\w+=|https?://", page)


def static(client: TestClient, name: str) -> str:
    match = re.search(rf'"(/-/static/\w+/{name})"', client.get("/").text)
    assert match
    return match[1]


def test_scripts_and_styles_may_be_kept(client: TestClient) -> None:
    for name, media in (("site.css", "text/css"), ("site.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
        answer = client.get(static(client, name))
        assert answer.headers["content-type"].startswith(media)
        assert "immutable" in answer.headers["cache-control"]


def test_a_page_is_small(client: TestClient) -> None:
    loaded = [client.get(static_address(name)) for name in ("site.css", "site.js", "picture.js", "icon.svg")]
    for page in PAGES:
        sent = [client.get(page), *loaded]
        assert sum(int(answer.headers["content-length"]) for answer in sent) < 50_000, page


@pytest.mark.parametrize(
    ("statement", "status", "told"),
    [
        ("RETURN {secret: $course} + date($customer) AS n", 500, "Neo4j can't answer own.cypher as it stands."),
        ("RETURN date('-0044-03-15') AS n, $course + $customer AS m", 500, "Neo4j can't answer own.cypher"),
        ("CREATE (n {a: $course, b: $customer}) RETURN n", 500, "Neo4j can't answer own.cypher"),
        ("UNWIND range(1, 10001) AS n RETURN n, $course + $customer AS m", 504, "takes too long or is too large"),
    ],
)
def test_a_question_that_fails_is_told_and_takes_no_page_with_it(
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    statement: str,
    status: int,
    told: str,
) -> None:
    client = opened(Loopback())  # nothing is kept yet
    address = "/customer_1/courses/13"
    with monkeypatch.context() as patch:
        plant(patch, statement)
        refused = client.get("/customer_1/questions/own.json?course=13")
        assert (refused.status_code, told in refused.json()["error"]) == (status, True)
        assert ("Neo4j can't answer own.cypher: " in caplog.text) == (status == 500)
        assert "Traceback" not in caplog.text
        course = client.get(f"{address}.json").json()
        assert (course["properties"]["name"], course["answers"]["own"]) == ("An Unused Course", None)
        assert told in client.get(address).text.replace("&#39;", "'")
        assert re.search(f"own,,problem,.*{told}", client.get(f"{address}.csv").text)
    # What wasn't whole isn't kept.
    assert "own" not in client.get(f"{address}.json").json()["answers"]


def test_a_question_gives_every_value(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(
        monkeypatch,
        "MATCH (u:User)-[r]->() WITH u, r, $course + $customer AS m LIMIT 1 UNWIND [null, u, r, 0.0 / 0.0, "
        "date('9999-12-31'), duration('P1D'), point({x: 1, y: 2}), {a: [1, null]}, '2024-02-30', ''] AS n "
        "RETURN n",
    )
    for suffix in ("", ".json", ".csv"):
        answer = client.get(f"/customer_1/questions/own{suffix}?course=13")
        assert answer.status_code == 200
        assert "2024-02-30" in answer.text


@pytest.mark.parametrize("title", ["2024-02-30", "2024-01-01", "\uff12024-01-01", "9999-99-99T99:99:99"])
def test_a_title_that_looks_like_a_date_is_a_title(client: TestClient, small: neo4j.Driver, title: str) -> None:
    with renamed(small, title):
        for address in ("/customer_2", "/customer_2/users/1", "/customer_2/courses/10"):
            assert soon(client, address, title).status_code == 200


def test_the_greatest_key_has_a_page(client: TestClient, small: neo4j.Driver) -> None:
    greatest = 2**63 - 1
    small.execute_query("CREATE (:User {customer_id: 'customer_1', id: $id, valid: true})", id=greatest)
    try:
        assert client.get(f"/customer_1/search.json?q={greatest}").json()["results"][0]["id"] == greatest
        assert client.get(f"/customer_1/users/{greatest}").status_code == 200
    finally:
        small.execute_query("MATCH (u:User {customer_id: 'customer_1', id: $id}) DELETE u", id=greatest)


def soon(client: TestClient, address: str, text: str) -> httpx.Response:
    """The page, once it has the text: each is made anew when it is asked for after a load was seen."""
    until = time.monotonic() + 20
    while True:
        page: httpx.Response = client.get(address)
        if text in page.text:
            return page
        assert time.monotonic() < until
        time.sleep(0.02)


@contextmanager
def renamed(small: neo4j.Driver, title: str) -> Iterator[None]:
    """The course of customer_2 by another title, which is seen as a load's."""
    rename = (
        "MATCH (c:Course {customer_id: 'customer_2'}) WITH c, c.name AS was SET c.name = $name "
        "WITH was MATCH (s:LoadState {customer_id: 'customer_2'}) SET s.changed_at = datetime() "
        "WITH DISTINCT was MATCH (l:LoadLock {customer_id: 'customer_2'}) SET l.asked_at = datetime() RETURN was"
    )
    ((before,),) = small.execute_query(rename, name=title).records
    try:
        yield
    finally:
        small.execute_query(rename, name=before)


def test_titles_are_only_text(client: TestClient, small: neo4j.Driver) -> None:
    title = "</script><img src=x onerror=alert(1)>\x1b[2J"
    with renamed(small, title):
        for address in ("/customer_2", "/customer_2/users/1", "/customer_2/questions/popular_courses"):
            shown = soon(client, address, "&lt;img").text
            assert "<img" not in shown
            assert "\x1b" not in shown


def test_the_interface_names_every_question_and_its_parameters(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for name, asked in questions().items():
        (path,) = [path for path in document["paths"] if path.endswith(f"/questions/{name}.json")]
        parameters = {parameter["name"] for parameter in document["paths"][path]["get"]["parameters"]}
        assert parameters == asked.parameters.keys()
    shown = client.get("/docs").text
    assert all(f"GET {path}" in shown for path in document["paths"])
    assert all(str(escape(operations["get"]["summary"])) in shown for operations in document["paths"].values())
    assert "how many rows at most; integer, 20 if it" in shown


def test_nothing_of_a_person_is_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client.get("/customer_1/users/6?secret=4711")
    client.get("/customer_1/users/6/recommendations.json")
    client.get("/customer_1/search?q=private")
    said = [record.getMessage() for record in caplog.records if record.name == "recograph.serve"]
    assert len(said) == 3
    assert said[1].startswith("GET /{customer}/users/{key}/recommendations{form} 200 ")
    assert not any(word in line for line in said for word in ("4711", "private", "users/6"))
