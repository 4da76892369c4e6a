"""The HTTP endpoint: Athena's and Glue's JSON 1.1 protocol on a loopback port."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from recograph_tests.aws.front import glue
from recograph_tests.aws.front.athena import Athena
from recograph_tests.aws.front.emulator import Emulator


class Front:
    """The front, served from a thread of this process."""

    def __init__(self, emulator_endpoint: str, region: str) -> None:
        self._emulator = Emulator(emulator_endpoint, region)
        self.athena = Athena(self._emulator)
        self.requests: Counter[str] = Counter()
        """How often each operation was asked for by boto3, which the engine itself doesn't use."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, name="front", daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, target: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        """Answer one request by its target, ``SERVICE.OPERATION``."""
        service, _, operation = target.partition(".")
        try:
            request = json.loads(body or b"{}")
            if service == "AmazonAthena":
                return self.athena.call(operation, request, headers)
            if service == "AWSGlue":
                return glue.call(self._emulator, operation, request, headers)
        except Exception as error:  # a fault of the front must reach the caller, not hang it
            return 500, {"__type": "InternalServerException", "Message": f"{type(error).__name__}: {error}"}
        return 400, {"__type": "UnknownOperationException", "Message": f"The front has no {target!r}"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kept = {name: self.headers[name] for name in ("Authorization", "X-Amz-Date") if name in self.headers}
                target = self.headers.get("X-Amz-Target", "")
                if "boto" in self.headers.get("User-Agent", "").lower():
                    front.requests[target] += 1
                status, answer = front.answer(target, body, kept)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing: tests read the state of queries."""

        return Handler
