"""Answers as they are sent: packed, tagged, and with what protects their reader."""

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from isal import igzip, isal_zlib
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from recograph.serve import guard

HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
CSV = "text/csv; charset=utf-8"
_MARK = b"<!--stale-->"
"""Where a page says that it is old, if it is."""
_STALE = (
    b'<p class="stale" role="status">The graph can\'t be reached at the moment. '
    b"This is what it said when it was asked last.</p>"
)

_LEVEL = 2
"""Of isal, which takes a tenth of zlib's time for what zlib's level 4 gives."""
_GZIP = 31
"""The form of what zlib packs, in its way to say so."""
_VARY = ("vary", "Accept-Encoding, Authorization, Cookie")


@dataclass(frozen=True)
class Body:
    """What is sent."""

    media: str
    packed: bytes
    """The content by gzip; nearly everybody takes it so."""
    size: int
    """Bytes of the content."""
    etag: str

    @property
    def content(self) -> bytes:
        """The content as it was before it was packed."""
        content: bytes = igzip.decompress(self.packed)  # type: ignore[no-untyped-call]
        return content


def body_of(media: str, content: bytes) -> Body:
    """What is sent, packed too, with its tag."""
    packed = igzip.compress(content, _LEVEL, mtime=0)
    digest = hashlib.sha256(packed).hexdigest()[:32]
    return Body(media, packed, len(content), f'W/"{digest}"')


def send(body: Body, headers: Headers, *, stale: bool = False, caching: str = "private, no-cache") -> Response:
    """The answer to a request with these headers: packed, or 304, as they allow.

    Args:
        body: what to send.
        headers: of the request.
        stale: whether to say that it may be out of date.
        caching: what browsers may keep.
    """
    extra = [("cache-control", caching), ("etag", body.etag), _VARY]
    if stale:
        extra = [("cache-control", "no-store"), ("warning", '110 - "Response is Stale"')]
        return plain(200, body.media, body.content.replace(_MARK, _STALE, 1), extra)
    if _has_it(body, headers.getlist("if-none-match")):
        return _raw(304, b"", extra)
    extra.append(("content-type", body.media))
    if body.media.startswith("text/csv"):
        extra.append(("content-disposition", "attachment"))
    if _unpacks(headers.getlist("accept-encoding")) and body.size > 500:
        return _raw(200, body.packed, [*extra, ("content-encoding", "gzip")])
    return _raw(200, body.content, extra)


def takes_parts(request: Request) -> bool:
    """Whether the answer is for a browser, which shows the beginning of a page before its end has come."""
    is_for_person = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    return is_for_person and _unpacks(request.headers.getlist("accept-encoding"))


def send_in_parts(parts: AsyncIterator[bytes]) -> Response:
    """A page of which each part is sent as it comes; it has no tag, because nobody knows the whole of it yet."""
    response = StreamingResponse(_packed(parts))
    # A proxy such as nginx would wait for several parts.
    extra = [("content-type", HTML), ("content-encoding", "gzip"), ("x-accel-buffering", "no")]
    response.raw_headers = guard.headers_of([*extra, ("cache-control", "no-store"), _VARY])
    return response


async def _packed(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
    async for part in parts:
        yield packer.compress(part) + packer.flush(isal_zlib.Z_SYNC_FLUSH)
    yield packer.flush()


def _has_it(body: Body, wanted: list[str]) -> bool:
    """Whether the reader has it already; proxies may have taken a tag's W/ off, so that it isn't compared."""
    tags = {tag.strip().removeprefix("W/") for line in wanted for tag in line.split(",")}
    return not tags.isdisjoint({body.etag.removeprefix("W/"), "*"})


def _unpacks(accepted: list[str]) -> bool:
    """Whether the reader takes gzip, and not only by the weight 0, which says that it doesn't."""
    codings = [part.partition(";") for line in accepted for part in line.lower().split(",")]
    weights = {coding.strip(): weight.replace(" ", "") for coding, _, weight in codings}
    return "gzip" in weights and not re.fullmatch(r"q=0(\.0*)?", weights["gzip"])


def plain(status: int, media: str, content: bytes, extra: list[tuple[str, str]] | None = None) -> Response:
    """A short answer that nobody keeps."""
    caching = [] if any(name == "cache-control" for name, _ in extra or ()) else [("cache-control", "no-store")]
    return _raw(status, content, [("content-type", media), *caching, *(extra or ())])


def _raw(status: int, content: bytes, extra: list[tuple[str, str]]) -> Response:
    response = Response(content, status)
    length = [("content-length", str(len(content)))] if status != 304 else []
    response.raw_headers = guard.headers_of([*extra, *length])
    return response


def guarded(response: Response) -> Response:
    """An answer of another make, with what ours have."""
    response.raw_headers += guard.headers_of([("cache-control", "no-store")])
    return response
