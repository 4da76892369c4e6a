"""How soon a page is seen: ``python -m benchmarks.paint --scale 20``.

A browser that holds nothing of ours opens a page of each kind: as nobody has asked for it since the service began, then
once more. Told are the milliseconds from the request to the first paint of its text and numbers, which come with the
page itself, and how much of them the service took; and the kilobytes of all that is sent for it.
"""

import argparse
import json
import random
import shutil
import statistics
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, sync_playwright

from benchmarks.readers import CUSTOMERS, WORDS, prepare
from benchmarks.serve import PORT, QUESTIONS, ids_of, start
from recograph.adapters.neo4j import ManagedServer

_SEEN = """() => new Promise(resolve => {
  const tell = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    if (!paint) return setTimeout(tell, 10);
    const [page] = performance.getEntriesByType("navigation");
    const sent = [page, ...performance.getEntriesByType("resource")].reduce((sum, one) => sum + one.transferSize, 0);
    resolve([paint.startTime, page.responseEnd - page.requestStart, sent / 1000]);
  };
  tell();
})"""
Seen = tuple[float, float, float]
"""First paint and the service's part of it (ms), and what is sent (kilobytes)."""


def pages(ids: dict[tuple[str, str], list[int]], seed: int) -> dict[str, list[str]]:
    """Addresses of each kind of page, those of customers one per customer."""
    pick = random.Random(seed)
    owned = {
        label: [
            f"/{customer}/{label.lower()}s/{pick.choice(ids[customer, label])}"
            for customer in CUSTOMERS
            if ids[customer, label]
        ]
        for label in ("User", "Course", "Asset")
    }
    return {
        "/": ["/"],
        "dashboard": [f"/{customer}" for customer in CUSTOMERS],
        "search": [f"/{customer}/search?q={quote(pick.choice(WORDS))}" for customer in CUSTOMERS],
        **{label.lower(): addresses for label, addresses in owned.items()},
        "question": [f"/{customer}/questions/{pick.choice(QUESTIONS)}" for customer in CUSTOMERS],
    }


def look(browser: Browser, address: str) -> Seen:
    """Open a page in a browser that holds nothing yet."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{PORT}")
    page = context.new_page()
    page.goto(address)
    painted, answered, sent = page.evaluate(_SEEN)
    context.close()
    return painted, answered, sent


def measure(home: Path, rounds: int) -> dict[str, Any]:
    """Each kind of page, cold and warm, in so many services one after the other."""
    managed = ManagedServer(home / "neo4j")
    running = managed.running() is not None
    server = managed.start()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    seen: dict[tuple[str, str], list[Seen]] = {}
    try:
        ids = ids_of(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for number in range(rounds + 1):  # in the first, Neo4j makes its plans and compiles them
                service = start(home)
                look(browser, "/docs")
                for kind, addresses in pages(ids, number).items():
                    for address in addresses:
                        for state in ("cold", "warm"):
                            one = look(browser, address)
                            if number:
                                seen.setdefault((kind, state), []).append(one)
                service.terminate()
                service.wait()
            browser.close()
    finally:
        if not running:
            managed.stop()
    figures = {}
    for (kind, state), some in seen.items():
        painted, answered, sent = zip(*some, strict=True)
        figures[f"{kind} {state}"] = medians = {
            "paint": statistics.median(painted),
            "latest": max(painted),
            "service": statistics.median(answered),
            "kilobytes": max(sent),
        }
        shown = ", ".join(f"{name} {value:.0f}" for name, value in medians.items())
        print(f"{kind:<12} {state}   {shown}", flush=True)
    return figures


def main() -> None:
    """Read the arguments, measure, and print the figures as JSON in the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1, help="times the sample's size")
    parser.add_argument("--home", type=Path, help="an installation to make or to use; as benchmarks.readers has it")
    parser.add_argument("--rounds", type=int, default=3, help="how many services are looked at")
    given = parser.parse_args()
    home = (given.home or Path(f".recograph-readers-{given.scale:g}")).resolve()
    prepare(home, given.scale)
    print(json.dumps(measure(home, given.rounds)))


if __name__ == "__main__":
    main()
