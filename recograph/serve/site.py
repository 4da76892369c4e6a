"""Answers requests: who asks, what is asked for, in which form; kept answers first."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from recograph.errors import UnavailableError
from recograph.graph.queries import questions
from recograph.serve import forms, guard, login, nodes, openapi, pages
from recograph.serve.access import Access, FileAccess
from recograph.serve.asking import Asking
from recograph.serve.content import DIGITS, OWNED, Page, key_of
from recograph.serve.kept import Asked, kept
from recograph.serve.loads import Loaded
from recograph.serve.parameters import RequestError
from recograph.serve.problems import NotFoundError, problem
from recograph.serve.replies import HTML, JSON, body_of, guarded, plain, send

_log = logging.getLogger("recograph.serve")


class _Text(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


for _name, _regex in (
    ("customer", "[a-z][a-z0-9_]{0,62}"),
    ("form", r"(?:\.json|\.csv)?"),
    ("key", f"-?[0-9]{{1,{DIGITS}}}"),
    ("word", "|".join(OWNED)),
    ("name", "[a-z][a-z0-9_]{0,62}"),
):
    register_url_convertor(_name, type(_name, (_Text,), {"regex": _regex})())


class Site:
    """The pages of a graph, as an ASGI application."""

    def __init__(
        self, asking: Asking, access: Access, *, watch: Callable[[], AbstractAsyncContextManager[None]] | None = None
    ) -> None:
        """Make the application.

        Args:
            asking: the graph.
            access: who may see what.
            watch: runs beside the application from its start to its end; an asynchronous context manager.
        """
        self._asking = asking
        self._access = access
        self._entrance = login.Entrance(access) if isinstance(access, FileAccess) else None
        routes = {
            "/": self._home,
            "/index{form:form}": self._home,
            "/{customer:customer}{form:form}": self._dashboard,
            "/{customer:customer}/search{form:form}": self._search,
            "/{customer:customer}/questions/{name:name}{form:form}": self._question,
            "/-/questions/{name:name}{form:form}": self._question,
            "/{customer:customer}/users/{key:key}/recommendations{form:form}": self._recommendations,
            "/{customer:customer}/{word:word}/{key:key}/neighbourhood{form:form}": self._neighbourhood,
            "/{customer:customer}/{word:word}/{key:key}{form:form}": self._node,
        }
        self.routes = [
            Route("/docs", self._docs),
            Route("/openapi.json", self._openapi),
            Route("/-/health", self._health),
            Route("/-/static/{digest}/{file}", self._static),
            Route("/-/login", self._login, methods=["GET", "POST"]),
            Route("/-/logout", self._logout, methods=["POST"]),
            *(Route(path, kept(asking, path, build)) for path, build in routes.items()),
        ]

        @asynccontextmanager
        async def lifespan(_: Any) -> AsyncIterator[None]:
            async with watch() if watch else nullcontext():
                yield

        self._router = Router(self.routes, redirect_slashes=False, default=self._nowhere, lifespan=lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        began = time.perf_counter()
        scope.setdefault("state", {})
        scope["app"] = self  # a route that doesn't take the method raises then, and doesn't answer by itself
        status = 500

        async def seen(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            try:
                self._let_in(scope)
                await self._router(scope, receive, seen)
            except Exception as error:  # every request has an answer, and none says more than it may
                response = problem(scope, error, log_in=self._entrance is not None and self._entrance.open)
                await response(scope, receive, seen)
        finally:
            # The address, which may name a person, isn't in it.
            template = scope["state"].get("template", "-")
            _log.info("%s %s %d %.1f ms", scope["method"], template, status, (time.perf_counter() - began) * 1000)

    def _let_in(self, scope: Scope) -> None:
        """Know who asks before anything else is looked at."""
        path, query = scope["path"], scope["query_string"]
        if "\n" in path:  # which a pattern's end lets through
            raise NotFoundError
        if len(path) > guard.LONGEST_PATH or len(query) > guard.LONGEST_QUERY:
            raise RequestError("The address is too long.")
        public = path.startswith("/-/static/") or path == "/-/health"
        viewer = None if public else self._access.viewer(Headers(scope=scope))
        if viewer is None and not public and not (self._entrance and path == "/-/login"):
            raise login.UnknownViewerError(self._access.advice)
        scope["state"]["viewer"] = viewer

    def _loaded(self, asked: Asked) -> Loaded:
        return self._asking.loads.customers[asked.parts["customer"]]

    async def _home(self, asked: Asked) -> Page:
        _none(asked.query)
        if self._asking.loads.is_blind:
            raise UnavailableError("The graph can't be reached.")
        return await pages.home(self._asking, asked.basis, asked.viewer)

    async def _dashboard(self, asked: Asked) -> Page:
        _none(asked.query)
        return await pages.dashboard(self._asking, asked.basis, self._loaded(asked), asked.show)

    async def _search(self, asked: Asked) -> Page:
        return await pages.search(self._asking, asked.basis, self._loaded(asked), asked.query)

    async def _question(self, asked: Asked) -> Page:
        question = questions().get(asked.parts["name"])
        about_one = "customer" in asked.parts
        if question is None or about_one != ("customer" in question.parameters):
            raise NotFoundError
        # What is asked of all customers at once is only for those who see all.
        if not about_one and asked.viewer.customers is not None:
            raise NotFoundError
        loaded = self._loaded(asked) if about_one else None
        return await pages.ask(self._asking, asked.basis, loaded, question, asked.query)

    async def _node(self, asked: Asked) -> Page:
        _none(asked.query)
        word, key = asked.parts["word"], key_of(asked.parts["key"])
        return await nodes.node(self._asking, asked.basis, self._loaded(asked), word, key, asked.show)

    async def _neighbourhood(self, asked: Asked) -> Page:
        if not asked.parts["form"]:
            raise NotFoundError
        word, key = asked.parts["word"], key_of(asked.parts["key"])
        return await nodes.neighbourhood(self._asking, asked.basis, self._loaded(asked), word, key, asked.query)

    async def _recommendations(self, asked: Asked) -> Page:
        key = key_of(asked.parts["key"])
        return await nodes.recommendations(self._asking, asked.basis, self._loaded(asked), key, asked.query)

    async def _docs(self, request: Request) -> Response:
        request.state.template = "/docs"
        page = Page("docs.html", "Interface", None, (), {"interface": openapi.document()})
        content = forms.as_html(page, viewer=request.state.viewer, links={})
        return send(body_of(HTML, content), request.headers)

    async def _openapi(self, request: Request) -> Response:
        request.state.template = "/openapi.json"
        page = Page("", "", openapi.document())
        return send(body_of(JSON, forms.as_json(page)), request.headers)

    async def _health(self, request: Request) -> Response:
        request.state.template = "/-/health"
        if self._asking.loads.down_since is not None:
            raise UnavailableError("The graph can't be reached.")
        return plain(200, "text/plain; charset=utf-8", b"ok\n")

    async def _static(self, request: Request) -> Response:
        request.state.template = "/-/static"
        address, content = forms.static().get(request.path_params["file"], ("", b""))
        if address != request.url.path:
            raise NotFoundError
        media = "text/css" if address.endswith(".css") else "text/javascript"
        if address.endswith(".svg"):
            media = "image/svg+xml"
        body = body_of(f"{media}; charset=utf-8", content)
        return send(body, request.headers, caching="public, max-age=31536000, immutable")

    async def _login(self, request: Request) -> Response:
        request.state.template = "/-/login"
        if self._entrance is None:
            raise NotFoundError
        return guarded(await self._entrance.enter(request))

    async def _logout(self, request: Request) -> Response:
        request.state.template = "/-/logout"
        if self._entrance is None:
            raise NotFoundError
        return guarded(self._entrance.leave(request))

    async def _nowhere(self, *_: Any) -> None:
        raise NotFoundError


def _none(query: Mapping[str, str]) -> None:
    if query:
        raise RequestError("This page takes no parameters.")
