"""What `deploy/serve` has, as it stands: the proxy people log in at, and the service's unit."""

import hashlib
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import neo4j
import pytest

from recograph.adapters.neo4j import Connection
from recograph_tests.serve.test_server import Service, free_port

DEPLOY = Path(__file__).parents[2] / "deploy" / "serve"
SECRET = "between the proxy and the pages"
GROUPS = {"ann": "team-one,others", "eve": "strangers"}
ACCESS = """
proxy:
  secret_sha256: "{}"
  groups:
    team-one: [customer_1]
"""


class Login(BaseHTTPRequestHandler):
    """Answers as oauth2-proxy does: who somebody is, whom a cookie names, and the page to log in at."""

    def do_GET(self) -> None:
        user = re.sub(r".*who=(\w+).*", r"\1", self.headers.get("Cookie", ""))
        if self.path == "/oauth2/auth":
            self.send_response(202 if user in GROUPS else 401)
            if user in GROUPS:
                self.send_header("X-Auth-Request-User", user)
                self.send_header("X-Auth-Request-Groups", GROUPS[user])
            self.end_headers()
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"Log in at the company's page.")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def proxied(service: int, folder: Path) -> Iterator[httpx.Client]:
    """nginx with deploy/serve/nginx.conf, of which only ports, certificate and secret are other ones."""
    key, certificate = folder / "graph.key", folder / "graph.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}".split()
    command += ["-subj", "/CN=graph.example.com", "-addext", "subjectAltName=DNS:graph.example.com"]
    subprocess.run(command, check=True, capture_output=True)
    login = ThreadingHTTPServer(("127.0.0.1", 0), Login)
    threading.Thread(target=login.serve_forever, daemon=True).start()
    port = free_port()
    server = (DEPLOY / "nginx.conf").read_text()
    for theirs, ours in (
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("127.0.0.1:4180", f"127.0.0.1:{login.server_port}"),
        ("127.0.0.1:8080", f"127.0.0.1:{service}"),
        ("/etc/ssl/graph.pem", str(certificate)),
        ("/etc/ssl/graph.key", str(key)),
        ("the secret", SECRET),
    ):
        assert theirs in server
        server = server.replace(theirs, ours)
    temporary = " ".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = f"pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}\n"
    (folder / "nginx.conf").write_text(f"{text}http {{ access_log off; {temporary}\n{server}}}\n")
    nginx = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"])
    trust = ssl.create_default_context(cafile=str(certificate))
    try:
        host = {"host": "graph.example.com"}
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust, headers=host, timeout=30) as client:
            until = time.monotonic() + 20
            while time.monotonic() < until and nginx.poll() is None:
                try:
                    client.get("/", extensions={"sni_hostname": "graph.example.com"})
                    break
                except httpx.ConnectError:
                    time.sleep(0.05)
            yield client
    finally:
        nginx.terminate()
        nginx.wait()
        login.shutdown()


@pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx isn't installed")
def test_people_log_in_at_the_proxy_and_see_their_customers(
    small: neo4j.Driver, neo4j_server: Connection, tmp_path: Path
) -> None:
    access = tmp_path / "access.yaml"
    access.write_text(ACCESS.format(hashlib.sha256(SECRET.encode()).hexdigest()))
    service = Service(neo4j_server, tmp_path, "--access", str(access))
    try:
        with proxied(service.port, tmp_path) as client:

            def get(path: str, who: str = "", **headers: str) -> httpx.Response:
                cookie = {"cookie": f"who={who}"} if who else {}
                return client.get(path, headers=headers | cookie, extensions={"sni_hostname": "graph.example.com"})

            assert get("/customer_1").text == "Log in at the company's page."
            own = get("/customer_1", "ann")
            assert (own.status_code, own.headers["strict-transport-security"]) == (200, "max-age=63072000")
            assert get("/customer_2", "ann").status_code == 404
            assert get("/customer_1", "eve").status_code == 401
            # What a client sends under the proxy's names is the proxy's to overwrite.
            claimed = {"x-forwarded-groups": "team-one", "x-forwarded-user": "ann", "x-recograph-secret": SECRET}
            assert get("/customer_1", "eve", **claimed).status_code == 401
            assert get("/customer_1", **claimed).text == "Log in at the company's page."
            # Past the proxy nobody is anybody.
            assert httpx.get(f"{service.url}/customer_1", headers={"x-forwarded-groups": "team-one"}).status_code == 401
    finally:
        service.process.terminate()
        service.ended()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd isn't installed")
def test_the_unit_is_systemds(tmp_path: Path) -> None:
    program = tmp_path / "recograph"
    program.touch(0o755)
    unit = tmp_path / "recograph-serve.service"
    text = (DEPLOY / unit.name).read_text()
    assert "/opt/recograph/.venv/bin/recograph serve" in text
    unit.write_text(text.replace("/opt/recograph/.venv/bin/recograph", str(program)))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, [line for line in checked.stderr.splitlines() if unit.name in line]) == (0, [])
