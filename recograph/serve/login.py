"""Logging in with a token, for people; programs send theirs with each request."""

import asyncio
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from recograph.errors import RecographError
from recograph.serve import guard
from recograph.serve.access import COOKIE, SESSION_SECONDS, FileAccess
from recograph.serve.parameters import RequestError

_FORM_SECONDS = 10


class UnknownViewerError(RecographError):
    """Whoever asks isn't known."""


class Entrance:
    """Where people come in and go out."""

    def __init__(self, access: FileAccess) -> None:
        """For this access."""
        self._access = access

    @property
    def open(self) -> bool:
        """Whether people log in here, and not at a proxy."""
        return self._access.has_tokens

    async def enter(self, request: Request) -> Response:
        """Take a token, and go on to where its holder wanted to.

        Raises:
            UnknownViewerError: there is no such token.
            RequestError: the form is too long, or another page sent it.
        """
        if request.method != "POST":
            raise UnknownViewerError("Give your token.")
        form = await self._form(request)
        session = self._access.session(form.get("token", "").strip()) if self.open else None
        if session is None:
            raise UnknownViewerError("There is no such token, or it has expired.")
        response = RedirectResponse(guard.safe_next(form.get("next", "/")), 303)
        response.set_cookie(
            COOKIE, session, max_age=SESSION_SECONDS, httponly=True, samesite="lax", secure=_encrypted(request)
        )
        return response

    def leave(self, request: Request) -> Response:
        """Forget the session.

        Raises:
            RequestError: another page sent the form.
        """
        _check(request)
        response = RedirectResponse("/", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=_encrypted(request))
        return response

    async def _form(self, request: Request) -> dict[str, str]:
        _check(request)
        body = b""
        try:
            async with asyncio.timeout(_FORM_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > guard.LONGEST_BODY:
                        raise RequestError("The form is too long.")
        except TimeoutError as error:
            raise RequestError("The form didn't come.") from error
        return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _check(request: Request) -> None:
    if not guard.same_origin(request.headers):
        raise RequestError("The form was sent by another page.")


def _encrypted(request: Request) -> bool:
    """Whether the browser came by https, to us or to the proxy before us."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
