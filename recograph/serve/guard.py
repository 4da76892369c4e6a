"""What every answer carries to protect whoever reads it, and which requests aren't looked at."""

from collections.abc import Iterable

from starlette.datastructures import Headers

HEADERS: dict[str, str] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # An address may name a user. With no-referrer a browser wouldn't say either that a form is ours.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-robots-tag": "noindex, nofollow",
}
"""Nothing from outside, nothing inline, in no frame."""

LONGEST_PATH = 300
LONGEST_QUERY = 4096
LONGEST_BODY = 4096


def same_origin(headers: Headers) -> bool:
    """Whether a request that changes something was sent by a page of ours."""
    site = headers.get("sec-fetch-site")
    if site is not None:  # by a browser, which a proxy's other name or port for us doesn't mislead
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host", "")


def safe_next(address: str) -> str:
    """Where to go on to after a login: an address here, or the first page."""
    fine = address.startswith("/") and not address.startswith("//") and len(address) <= LONGEST_PATH + LONGEST_QUERY
    return address if fine and "\\" not in address and address.isascii() and address.isprintable() else "/"


def headers_of(extra: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """All headers of an answer, as ASGI wants them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*HEADERS.items(), *extra)]
