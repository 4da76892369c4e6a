"""What is answered where there is no page, and how each error is told: without more than the reader may know."""

import logging
import traceback

from starlette.responses import Response
from starlette.types import Scope

from recograph.errors import RecographError
from recograph.graph.refusals import MissingError, SlowError
from recograph.serve import forms, guard
from recograph.serve.asking import TOO_MUCH, QuestionError
from recograph.serve.content import Page
from recograph.serve.login import UnknownViewerError
from recograph.serve.parameters import RequestError
from recograph.serve.replies import HTML, JSON, plain

RETRY_SECONDS = 2
_log = logging.getLogger("recograph.serve")


class NotFoundError(RecographError):
    """There is no such page, or none for whoever asks: which of the two isn't told."""

    def __init__(self) -> None:
        super().__init__("There is no such page.")


def problem(scope: Scope, error: Exception, *, log_in: bool) -> Response:
    """The answer where there is no page: of one size for one reason, whatever was asked for.

    Args:
        scope: of the request.
        error: why there is none.
        log_in: whether people log in here.
    """
    status, message, extra = _told(error)
    if status == 500 and not isinstance(error, QuestionError):
        # Without the message, in which there may be what was asked for.
        frames = "".join(traceback.format_tb(error.__traceback__))
        _log.error("%s\n%s", type(error).__name__, frames)
    path = scope["path"]
    if path.endswith((".json", ".csv")):
        content = forms.as_json(Page("", "", {"error": message}))
        return plain(status, JSON, content, extra)
    title = _TITLES.get(status, "Something went wrong")
    page = Page("problem.html", "Not here" if status == 401 and not log_in else title, None)
    asking_for = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    content = forms.as_html(
        page,
        message=message,
        login=log_in and status == 401,
        next=guard.safe_next(asking_for) if status == 401 else "",
        links={},
        viewer=None,
    )
    return plain(status, HTML, content, extra)


_TITLES = {400: "That isn't right", 401: "Log in", 404: "Not found", 503: "Not at the moment", 504: "Too much"}


def _told(error: Exception) -> tuple[int, str, list[tuple[str, str]]]:
    """Status, message and headers by which an error is told."""
    match error:
        case UnknownViewerError():
            return 401, str(error), [("www-authenticate", "Bearer")]
        case NotFoundError() | MissingError():
            return 404, "There is no such page.", []
        case RequestError():
            return 400, str(error), []
        case SlowError():
            return 504, TOO_MUCH, []
        case QuestionError():
            return 500, str(error), []
        case RecographError():
            return 503, "The graph can't be reached. Try again in a moment.", [("retry-after", str(RETRY_SECONDS))]
    if getattr(error, "status_code", None) == 405:
        return 405, "This is for reading only.", [("allow", "GET, HEAD")]
    return 500, "Something went wrong here. It has been noted.", []
