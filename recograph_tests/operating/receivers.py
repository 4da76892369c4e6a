"""Who alerts are sent to in tests: a web server and a mail server on loopback that keep what they get."""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def web_server(status: int = 200, answer: bytes = b"") -> Iterator[tuple[str, list[Any]]]:
    """The address of a web server, and the JSON that is posted to it; it gives the same answer to all."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Type"] == "application/json":
                posted.append(json.loads(body))
            self.do_GET()

        def do_GET(self) -> None:
            is_redirection = status // 100 == 3 and self.path != "/login"
            self.send_response(status if is_redirection or status // 100 != 3 else 200)
            if is_redirection:
                self.send_header("Location", "/login")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with _serving(server):
        yield f"http://127.0.0.1:{server.server_port}/services/secret", posted


@contextmanager
def mail_server(certificate: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """The port of a mail server, and what it was told and sent, line by line; encrypted with a certificate's file."""
    heard: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 ready")
            while line := self.rfile.readline().decode().rstrip():
                heard.append(line)
                match line.split()[0].upper():
                    case "EHLO" if certificate and not isinstance(self.connection, ssl.SSLSocket):
                        self.say("250-here", "250 STARTTLS")
                    case "EHLO":
                        self.say("250-here", "250 AUTH PLAIN")
                    case "STARTTLS":
                        self.say("220 go on")
                        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                        context.load_cert_chain(str(certificate))
                        self.connection = context.wrap_socket(self.connection, server_side=True)
                        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                    case "AUTH":
                        self.say("235 welcome")
                    case "RCPT" if "nobody@" in line:
                        self.say("550 no such mailbox")
                    case "DATA":
                        self.say("354 go on")
                        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                            heard.append(line)
                        self.say("250 taken")
                    case "QUIT":
                        self.say("221 bye")
                        return
                    case _:
                        self.say("250 ok")

        def say(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    with _serving(server):
        yield server.server_address[1], heard
