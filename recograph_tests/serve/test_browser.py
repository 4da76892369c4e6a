"""The pages in a real browser: searching, opening, following, exporting, logging in; and for everybody."""

import hashlib
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest
import uvicorn
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from recograph.serve.access import FileAccess, Viewer
from recograph.serve.server import application, listen
from recograph.serve.view import view

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
TOKEN = "a token for the browser"
PAGES = [
    "/",
    "/customer_1",
    "/customer_1/search?q=data",
    "/customer_1/users/1",
    "/customer_1/courses/10",
    "/customer_1/questions/popular_courses",
    "/customer_1/questions/user_history",
    "/docs",
    "/nowhere",
]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to look at the pages with")


@pytest.fixture(scope="module")
def url(small: neo4j.Driver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Pages of which a token shows customer_1 alone."""
    path = tmp_path_factory.mktemp("access") / "access.yaml"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    path.write_text(yaml.safe_dump({"tokens": [{"name": "ann", "sha256": digest, "customers": ["customer_1"]}]}))
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(application(small, FileAccess(path, b"secret" * 6)), log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def session(browser: Browser, url: str) -> str:
    """The cookie of somebody who has logged in by the form, where it led."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/customer_1/users/1")
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("There is no such token")).to_be_visible()
    page.goto(f"{url}/customer_1/users/1")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{url}/customer_1/users/1")
    (cookie,) = context.cookies()
    context.close()
    return str(cookie["value"])


@pytest.fixture
def page(browser: Browser, url: str, session: str) -> Iterator[Page]:
    context = browser.new_context(base_url=url, locale="de-DE", accept_downloads=True)
    context.add_cookies([{"name": "recograph", "value": session, "url": url}])
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert [problem for problem in problems if "status of 40" not in problem] == []


def until(page: Page, condition: str, argument: str) -> None:
    """Wait for an asynchronous function to say yes; `wait_for_function` takes the promise of an answer for a yes."""
    end = time.monotonic() + 30
    while not page.evaluate(condition, argument):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def test_searching_as_one_types_and_opening_what_was_found(page: Page) -> None:
    page.goto("/customer_1/search")
    page.get_by_role("searchbox").press_sequentially("negotiaton")
    link = page.get_by_role("link", name="Course Negotiation")
    expect(link).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("1 found")
    expect(page).to_have_url("/customer_1/search?q=negotiaton")
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Negotiation")
    page.go_back()
    expect(link).to_be_visible()


def test_following_a_node_opening_it_and_moving_it_by_keys(page: Page) -> None:
    page.goto("/customer_1/users/4")
    picture = page.locator("svg.graph")
    expect(picture.locator("g.node")).to_have_count(5)
    # The talk was watched by somebody else, too.
    picture.get_by_role("link", name="Asset Café talk").focus()
    page.keyboard.press("f")
    expect(picture.get_by_role("link", name="User User 3")).to_be_visible()
    expect(page.locator(".card")).to_contain_text("Café talk")
    node = picture.get_by_role("link", name="Asset Café talk")
    before = node.get_attribute("transform")
    page.keyboard.press("Shift+ArrowRight")
    assert node.get_attribute("transform") != before
    page.keyboard.press("Enter")
    expect(page).to_have_url("/customer_1/assets/21")


def test_dragging_a_node_and_hiding_a_label(page: Page) -> None:
    page.goto("/customer_1/users/1")
    node = page.get_by_role("link", name="Course Étude d'anglais")
    box = node.locator("circle").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 60, steps=4)
    page.mouse.up()
    moved = node.locator("circle").bounding_box()
    assert moved
    assert (round(moved["x"] - box["x"]), round(moved["y"] - box["y"])) != (0, 0)
    expect(page.locator(".card strong")).to_have_text("Étude d'anglais")
    page.get_by_role("button", name="Course").click()
    expect(node).to_be_hidden()


def test_a_form_asks_and_the_answer_can_be_taken_away(page: Page) -> None:
    page.goto("/customer_1/questions/course_overlap")
    page.get_by_label("course", exact=True).fill("10")
    page.get_by_label("other course").fill("11")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("table")).to_contain_text("66,7")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    taken = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    assert taken == "learners,other_learners,both,jaccard\r\n3,2,2,0.667\r\n"
    page.get_by_text("The statement, for Neo4j Browser").click()
    expect(page.locator("pre")).to_contain_text(":params")


def test_numbers_and_dates_are_in_the_browser_s_language(page: Page) -> None:
    page.goto("/customer_1/questions/popular_courses")
    expect(page.get_by_role("cell", name="4,5", exact=True)).to_be_visible()
    page.goto("/customer_1/courses/10")
    expect(page.locator(".properties")).to_contain_text("02.01.2024")


def test_a_number_keeps_all_its_digits(page: Page) -> None:
    page.goto("/customer_1/questions/popular_courses")
    page.evaluate("document.querySelector('td data').value = '9223372036854775807'")
    page.evaluate("inOwnLanguage(document)")
    expect(page.get_by_role("cell", name="9.223.372.036.854.775.807")).to_be_visible()


def test_the_picture_s_facts_are_in_the_browser_s_language_in_the_file_of_view_too(
    browser: Browser, page: Page, small: neo4j.Driver, tmp_path: Path
) -> None:
    page.goto("/customer_1/users/1")
    page.get_by_role("link", name="Course Étude d'anglais").first.focus()
    expect(page.locator(".card")).to_contain_text("created date: 02.01.2024")
    file = tmp_path / "user.html"
    file.write_text(view(small, "customer_1", 1), encoding="utf-8")
    context = browser.new_context(locale="de-DE")
    alone = context.new_page()
    alone.goto(file.as_uri())
    expect(alone.get_by_role("cell", name="02.01.2024").first).to_be_visible()
    context.close()


@pytest.mark.parametrize("language", ["C", "en-US@posix", "", "ar-EG"])
def test_any_language_of_a_system_will_do(page: Page, language: str) -> None:
    page.add_init_script(f"Object.defineProperty(navigator, 'language', {{ value: '{language}' }})")
    page.goto("/customer_1/search")
    page.get_by_role("searchbox").press_sequentially("nego")
    expect(page.get_by_role("link", name="Course Negotiation")).to_be_visible()


def test_keys_of_the_browser_stay_its_own(page: Page) -> None:
    page.goto("/customer_1/users/4")
    nodes = page.locator("svg.graph g.node")
    expect(nodes).to_have_count(5)
    node = page.locator("svg.graph").get_by_role("link", name="Asset Café talk")
    node.focus()
    taken = "event => { window.taken = event.defaultPrevented }"
    page.evaluate(f"addEventListener('keydown', {taken})")
    for key in ("Control+f", "Alt+ArrowLeft", "Control+Enter"):
        node.dispatch_event("keydown", key_event(key))
        assert page.evaluate("window.taken") is False, key
    # The key of F on an Arabic keyboard.
    node.dispatch_event("keydown", {"key": "ب", "code": "KeyF", "bubbles": True, "cancelable": True})
    expect(nodes).not_to_have_count(5)


def key_event(name: str) -> dict[str, object]:
    modifier, key = name.split("+")
    pressed = {"ctrlKey": modifier == "Control", "altKey": modifier == "Alt"}
    code = "KeyF" if key == "f" else key
    return {"key": key, "code": code, "bubbles": True, "cancelable": True, **pressed}


def test_a_statement_can_be_copied_without_a_clipboard_too(page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.goto("/customer_1/questions/popular_courses?limit=3")
    page.get_by_text("The statement, for Neo4j Browser").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Selected: copy it with the keyboard")).to_be_visible()
    selected = page.evaluate("getSelection().toString()")
    assert selected.startswith(':params {customer: "customer_1", limit: 3};')
    assert "MATCH (course:Course)" in selected


@pytest.mark.parametrize("title", ["x" * 5000, "<b>" + "שלום\u202e " * 300, "", "👩‍💻 " * 1000])
def test_no_title_breaks_a_page(browser: Browser, url: str, session: str, small: neo4j.Driver, title: str) -> None:
    rename = (
        "MATCH (c:Course {customer_id: 'customer_1', id: 10}) WITH c, c.name AS was SET c.name = $name "
        "WITH was MATCH (s:LoadState {customer_id: 'customer_1'}) SET s.changed_at = datetime() "
        "WITH DISTINCT was MATCH (l:LoadLock {customer_id: 'customer_1'}) SET l.asked_at = datetime() RETURN was"
    )
    context = browser.new_context(base_url=url, viewport={"width": 390, "height": 844})
    context.add_cookies([{"name": "recograph", "value": session, "url": url}])
    page = context.new_page()
    ((before,),) = small.execute_query(rename, name=title).records
    try:
        named = "async title => (await (await fetch('/customer_1/courses/10.json')).json()).properties.name === title"
        page.goto("/customer_1")
        until(page, named, title)
        for address in ("/customer_1", "/customer_1/courses/10", "/customer_1/users/1", "/customer_1/search?q=data"):
            page.goto(address)
            for width in (390, 640):  # a phone; a window of 1280 at 200 %
                page.set_viewport_size({"width": width, "height": 844})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
        page.goto("/customer_1/courses/10")
        results = Axe().run(page)
        assert results.response["violations"] == [], results.generate_report()
        page.goto("/customer_1")
        link = page.locator("td:not(.ids) > a[href='/customer_1/courses/10']").first
        expect(link).to_be_visible()
        assert link.inner_text().strip()
    finally:
        small.execute_query(rename, name=before)
        context.close()


def test_a_customer_of_whom_nothing_is_loaded_has_a_page(
    browser: Browser, url: str, small: neo4j.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileAccess, "viewer", lambda *_: Viewer(None))
    context = browser.new_context(base_url=url, viewport={"width": 390, "height": 844})
    page = context.new_page()
    small.execute_query("CREATE (:Customer {id: 'customer_9', name: 'Nine'})")
    try:
        page.goto("/")
        until(page, "async name => (await (await fetch('/')).text()).includes(name)", "Nine")
        page.goto("/")
        expect(page.get_by_role("row", name="Nine")).to_contain_text("not complete")
        for address in ("/", "/customer_9", "/customer_9/search?q=data", "/customer_9/questions/popular_courses"):
            answer = page.goto(address)
            assert (answer.status if answer else None) == 200, address
            results = Axe().run(page)
            assert results.response["violations"] == [], (address, results.generate_report())
        page.goto("/customer_9")
        expect(page.locator(".figures")).to_contain_text("not complete")
    finally:
        small.execute_query("MATCH (c:Customer {id: 'customer_9'}) DELETE c")
        context.close()


def test_the_wrong_tenant_is_not_there(page: Page) -> None:
    page.goto("/customer_2")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
    page.goto("/")
    expect(page.get_by_role("link", name="customer_1 Ltd")).to_be_visible()
    assert "customer_2" not in page.content()


def test_logging_out(page: Page) -> None:
    page.goto("/customer_1")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_every_page_on_a_phone_too(browser: Browser, url: str, session: str, scheme: str) -> None:
    size = {"width": 390, "height": 844} if scheme == "light" else {"width": 1200, "height": 900}
    context = browser.new_context(base_url=url, color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
    context.add_cookies([{"name": "recograph", "value": session, "url": url}])
    page = context.new_page()
    for address in PAGES:
        page.goto(address)
        audit = Axe().run(page)
        assert audit.response["violations"] == [], (address, audit.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], address
    context.clear_cookies()
    page.goto("/customer_1")
    assert Axe().run(page).response["violations"] == []
    context.close()


def test_everybody_can_use_the_file_of_view_too(browser: Browser, small: neo4j.Driver, tmp_path: Path) -> None:
    file = tmp_path / "user.html"
    file.write_text(view(small, "customer_1", 1), encoding="utf-8")
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(file.as_uri())
    expect(page.locator("svg.graph g.node")).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # Its policy lets no script in but its own, so axe is let in by the browser.
    relaxed = browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True).new_page()
    relaxed.goto(file.as_uri())
    assert Axe().run(relaxed).response["violations"] == []
    relaxed.context.close()
    context.close()


def test_without_its_script_a_page_says_the_same(browser: Browser, url: str, session: str) -> None:
    context = browser.new_context(base_url=url, java_script_enabled=False)
    context.add_cookies([{"name": "recograph", "value": session, "url": url}])
    page = context.new_page()
    page.goto("/customer_1/users/1")
    page.get_by_text("The same as tables").click()
    expect(page.get_by_role("cell", name="HAS_WATCHED")).to_be_visible()
    page.goto("/customer_1")
    page.get_by_role("searchbox").fill("negotiation")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Course Negotiation")).to_be_visible()
    context.close()


def test_printed_pages_leave_out_what_paper_cannot_do(page: Page) -> None:
    page.goto("/customer_1/questions/popular_courses")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Ask")).to_be_hidden()
    expect(page.locator("table")).to_be_visible()


def test_what_is_kept_is_seen_at_once(page: Page) -> None:
    page.goto("/customer_1")
    page.goto("/customer_1")
    sizes = page.evaluate(
        "performance.getEntries().filter(e => e.transferSize !== undefined).reduce((sum, e) => sum + e.transferSize, 0)"
    )
    assert sizes < 200_000
