"""Answers with pages that are kept as they are sent; the beginning of one that isn't there yet is shown at once."""

import asyncio
import re
import time
from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from recograph.errors import UnavailableError
from recograph.serve import forms
from recograph.serve.access import Viewer
from recograph.serve.asking import Asking
from recograph.serve.cache import NEVER, Basis, Entry, Make
from recograph.serve.content import Page, Section, Show
from recograph.serve.loads import DAY
from recograph.serve.parameters import RequestError
from recograph.serve.problems import NotFoundError
from recograph.serve.replies import CSV, HTML, JSON, Body, body_of, send, send_in_parts, takes_parts

STALE_SECONDS = 600
"""So long kept answers are given while Neo4j doesn't answer."""
_ENTRY_BYTES = 2500
"""What a kept page takes beside its content."""
_FORMS: dict[str, tuple[str, Callable[[Page], bytes]]] = {
    ".json": (JSON, forms.as_json),
    ".csv": (CSV, forms.as_csv),
}


@dataclass(frozen=True)
class Asked:
    """What a request asks for."""

    basis: Basis
    parts: Mapping[str, str]
    """Of the address."""
    query: Mapping[str, str]
    viewer: Viewer
    show: Show | None
    """Takes the beginning of the page; None where nobody can be shown it."""


Build = Callable[[Asked], Awaitable[Page]]
Beginning = tuple[Page, Sequence[Future[Section]]]
"""A page without its sections, and the sections as they come."""


def kept(asking: Asking, template: str, build: Build) -> Callable[[Request], Awaitable[Response]]:
    """What answers requests for one kind of page.

    Args:
        asking: the graph.
        template: of the page's address.
        build: says what is on the page.
    """
    shown = re.sub(r":\w+", "", template)

    async def endpoint(request: Request) -> Response:
        scope = request.scope
        scope["state"]["template"] = shown
        viewer: Viewer = scope["state"]["viewer"]
        parts = scope["path_params"]
        customer = parts.get("customer")
        if customer is not None and not (viewer.sees(customer) and customer in asking.loads.customers):
            # A server that wasn't reached yet has no customers, for nobody.
            if asking.loads.is_blind and viewer.sees(customer):
                raise UnavailableError("The graph can't be reached.")
            raise NotFoundError
        pairs = request.query_params.multi_items()
        query = dict(pairs)
        if len(query) < len(pairs):
            raise RequestError("A parameter is there twice.")
        whose = (viewer.customers if customer is None else None, viewer.named)
        key = ("page", scope["path"], tuple(sorted(pairs)), whose, datetime.now(UTC).date())

        def make_with(show: Show | None) -> Make:
            async def make(basis: Basis) -> tuple[Body, int]:
                if customer is not None:
                    basis.rests_on([(customer, DAY)])
                page = await build(Asked(basis, parts, query, viewer, show))
                body = _body(page, request, viewer)
                return body, len(body.packed) + _ENTRY_BYTES if page.is_whole else NEVER

            return make

        down = asking.loads.down_since
        if down is not None and time.monotonic() - down > STALE_SECONDS:
            raise UnavailableError("The graph can't be reached.")
        if down is None and takes_parts(request) and asking.cache.awaits(key):
            begun: Future[Beginning] = asyncio.get_running_loop().create_future()
            making = asyncio.create_task(asking.cache.get(key, make_with(partial(_begin, begun))))
            either: set[Future[Any]] = {making, begun}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if begun.done():
                making.add_done_callback(_hear)
                page, sections = begun.result()
                return send_in_parts(forms.in_parts(page, sections, **_surroundings(request, viewer)))
            entry = await making
        else:
            entry = await asking.cache.get(key, make_with(None))
        return send(entry.value, Headers(scope=scope), stale=asking.loads.down_since is not None)

    return endpoint


def _begin(begun: "Future[Beginning]", page: Page, sections: Sequence[Future[Section]]) -> None:
    begun.set_result((page, sections))


def _hear(making: "asyncio.Task[Entry]") -> None:
    """Whoever sees the page in parts has been told what is wrong by one of them."""
    if not making.cancelled():
        making.exception()


def _body(page: Page, request: Request, viewer: Viewer) -> Body:
    form = request.path_params.get("form") or ""
    if form in _FORMS:
        media, render = _FORMS[form]
        return body_of(media, render(page))
    return body_of(HTML, forms.as_html(page, **_surroundings(request, viewer)))


def _surroundings(request: Request, viewer: Viewer) -> dict[str, Any]:
    """What a page shows beside its own content: who sees it, and where its other forms are."""
    path, query = request.url.path, request.url.query
    exported = "/index" if path == "/" else path
    links = {name[1:]: f"{exported}{name}" + (f"?{query}" if query else "") for name in _FORMS}
    return {"links": links, "viewer": viewer}
