"""Connections that take too long, or too much, to say what they want are ended: others need their place and memory.

uvicorn bounds neither: it waits for the rest of a request for ever, and keeps all headers that come.
"""

import asyncio
import resource
from contextlib import suppress

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 30.0
"""Until a request's first line and headers have come, from the connection's begin or the answer before."""
HEAD_BYTES = 64 * 1024
"""Of a request's first line and headers."""
_MOST_OPEN = 65_536


class Connection(HttpToolsProtocol):
    """A connection of HTTP."""

    _late: asyncio.TimerHandle | None = None
    """Ends the connection; None while a request is being answered."""
    _bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._begin()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request, if that isn't too much of its head."""
        if self._late is not None:
            self._bytes += len(data)
            if self._bytes > HEAD_BYTES:
                self.send_400_response("The request is too large.")
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._begin()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it has come already."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._wait()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: whoever asks for WebSockets or HTTP/2 is answered as before, and it isn't ours to install."""

    def _wait(self) -> None:
        self._begin()
        self._bytes = 0
        self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _begin(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def allow_many() -> None:
    """Let the process have as many connections as the system lets it: often it begins with 1,024 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # a system may have a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
