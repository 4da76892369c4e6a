"""A proxy in front of an emulator that can lose a connection and refuse requests, as a network and a policy do."""

import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_DENIED_XML = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_BUSY_XML = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_DENIED_JSON = b'{"__type": "AccessDeniedException", "Message": "not authorized to perform this"}'


@dataclass(frozen=True)
class Asked:
    """A request to S3."""

    caller: str
    """The library that asked, by what it says of itself."""
    billed_as: str
    """PUT, LIST, GET or DELETE."""
    key: str
    """Of an object, or the prefix that was listed."""


_CALLERS = {
    "dbt-athena": "dbt",
    "PyAthena": "pyathena",
    "Boto3": "boto3",
    "aws-sdk-cpp": "Arrow",
    "aws-sdk-java": "engine",
}
"""Who asks, by a word of what a library says of itself; the first that is there counts."""


class Proxy:
    """Passes everything on; set `lose_after` or `refuse` to change that."""

    def __init__(self, endpoint: str) -> None:
        self.lose_after: int | None = None
        """Bytes of the next GET of an object after which its connection is closed, once."""
        self.refuse: Callable[[str, str], bool] = lambda method, path: False
        """Whether a request, by method and path, is answered with 403 AccessDenied."""
        self.busy = 0
        """How many of the next requests are answered with 503 SlowDown."""
        self.refuse_unsigned = False
        """Whether a request without a signature is refused, as AWS does."""
        self.keys: list[str] = []
        """The access keys with which it was asked, in that order."""
        self.log: list[Asked] = []
        """What S3 was asked, in that order."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, endpoint))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def requests(self) -> Counter[str]:
        """How often S3 was asked, by what AWS bills a request as."""
        return Counter(asked.billed_as for asked in self.log)

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()


def _asked(method: str, url: str, agent: str) -> Asked | None:
    """What S3 bills a request as; None for what other services are asked."""
    path, _, query = url.partition("?")
    bucket, _, key = path.strip("/").partition("/")
    if not bucket:
        return None
    caller = next((caller for word, caller in _CALLERS.items() if word in agent), agent)
    if method == "GET" and not key:
        return Asked(caller, "LIST", urllib.parse.parse_qs(query).get("prefix", [""])[0])
    kind = "GET" if method in ("GET", "HEAD") else "DELETE" if method == "DELETE" or query == "delete" else "PUT"
    return Asked(caller, kind, urllib.parse.unquote(key))


def _handler(proxy: Proxy, endpoint: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            signed = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]+)/", self.headers.get("Authorization", ""))
            if signed:
                proxy.keys.append(signed[1])
            if asked := _asked(self.command, self.path, self.headers.get("User-Agent", "")):
                proxy.log.append(asked)
            if proxy.busy:
                proxy.busy -= 1
                self.reply(503, {}, _BUSY_XML)
                return
            if proxy.refuse(self.command, self.path) or (proxy.refuse_unsigned and not signed):
                self.reply(403, {}, _DENIED_JSON if "X-Amz-Target" in self.headers else _DENIED_XML)
                return
            request = urllib.request.Request(
                endpoint + self.path, body or None, dict(self.headers), method=self.command
            )
            try:
                with urllib.request.urlopen(request) as response:
                    self.reply(response.status, response.headers, response.read())
            except urllib.error.HTTPError as error:
                self.reply(error.code, error.headers, error.read())

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - the names that the library wants

        def reply(self, status: int, headers: Any, body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            self.send_header("Content-Length", length)
            self.end_headers()
            if proxy.lose_after is not None and self.command == "GET" and len(body) > proxy.lose_after:
                body, proxy.lose_after, self.close_connection = body[: proxy.lose_after], None, True
            if self.command != "HEAD":  # a body there would be read as the next answer's beginning
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
