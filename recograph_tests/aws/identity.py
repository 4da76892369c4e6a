"""Every usual way to log in to AWS, each prepared as its documentation says, and each leading to keys of its own.

The services that give credentials (STS, single sign-on, the endpoints of ECS and EC2) are one small server here, which
signs nothing and believes everybody.
"""

import datetime
import hashlib
import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_START = "https://example.awsapps.com/start"
_ROLE = "arn:aws:iam::000000000000:role/pipeline"


class Identity:
    """Gives credentials: STS, single sign-on, and what ECS and EC2 give their machines."""

    def __init__(self) -> None:
        self.seconds = 3600
        """For how long the next credentials are good."""
        self.given = 0
        """How often credentials were given."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    def until(self) -> datetime.datetime:
        """When the next credentials expire."""
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.seconds)

    def keys(self, way: str) -> dict[str, str]:
        """Credentials that tell how one logged in, and how often."""
        self.given += 1
        return {
            "AccessKeyId": f"{way}x{self.given}",
            "SecretAccessKey": "not-a-real-one",
            "Token": "token",
            "Expiration": f"{self.until():%Y-%m-%dT%H:%M:%SZ}",
        }


def _handler(identity: Identity) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/ecs"):
                self.reply(identity.keys("ECS"))
            elif self.path.startswith("/federation/credentials"):
                keys = identity.keys("SSO")
                until = int(identity.until().timestamp() * 1000)
                names = {"accessKeyId": "AccessKeyId", "secretAccessKey": "SecretAccessKey", "sessionToken": "Token"}
                self.reply({"roleCredentials": {a: keys[b] for a, b in names.items()} | {"expiration": until}})
            elif self.path.endswith("/security-credentials/"):
                self.reply("role")
            else:
                self.reply(identity.keys("EC2") | {"Code": "Success", "Type": "AWS-HMAC"})

        def do_PUT(self) -> None:
            self.reply("a token of EC2")

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
            action = "AssumeRoleWithWebIdentity" if "WithWebIdentity" in asked else "AssumeRole"
            keys = identity.keys("WEB" if "Web" in action else "STS")
            keys["SessionToken"] = keys.pop("Token")
            fields = "".join(f"<{name}>{value}</{name}>" for name, value in keys.items())
            self.reply(
                f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
                f"<Credentials>{fields}</Credentials></{action}Result></{action}Response>"
            )

        def reply(self, body: Any) -> None:
            text = body if isinstance(body, str) else json.dumps(body)
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def static(identity: Identity, home: Path) -> dict[str, str]:
    """Keys in the environment."""
    return {"AWS_ACCESS_KEY_ID": "STATIC", "AWS_SECRET_ACCESS_KEY": "not-a-real-one"}


def assumed_role(identity: Identity, home: Path) -> dict[str, str]:
    """A profile with role_arn and source_profile."""
    (home / ".aws" / "credentials").write_text("[base]\naws_access_key_id = BASE\naws_secret_access_key = x\n")
    (home / ".aws" / "config").write_text(f"[profile work]\nrole_arn = {_ROLE}\nsource_profile = base\n")
    return {"AWS_PROFILE": "work", "AWS_ENDPOINT_URL_STS": identity.endpoint}


def credential_process(identity: Identity, home: Path) -> dict[str, str]:
    """A profile that runs a program."""
    keys = {"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "not-a-real-one"}
    (home / "keys.json").write_text(json.dumps(keys))
    command = f"{sys.executable} -c \"print(open('{home}/keys.json').read())\""
    (home / ".aws" / "config").write_text(f"[profile work]\ncredential_process = {command}\n")
    return {"AWS_PROFILE": "work"}


def single_sign_on(identity: Identity, home: Path) -> dict[str, str]:
    """A profile of IAM Identity Center, after `aws sso login`."""
    session = f"sso_start_url = {_START}\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n"
    profile = "sso_session = corp\nsso_account_id = 000000000000\nsso_role_name = pipeline\n"
    (home / ".aws" / "config").write_text(f"[sso-session corp]\n{session}\n[profile work]\n{profile}")
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=8)
    token = {"startUrl": _START, "region": "us-east-1", "accessToken": "x", "expiresAt": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
    name = hashlib.sha1(b"corp", usedforsecurity=False).hexdigest()
    (cache / f"{name}.json").write_text(json.dumps(token))
    return {"AWS_PROFILE": "work", "AWS_ENDPOINT_URL_SSO": identity.endpoint}


def web_identity(identity: Identity, home: Path) -> dict[str, str]:
    """What Kubernetes and GitHub give their jobs."""
    (home / "token").write_text("a token")
    named = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(home / "token"), "AWS_ROLE_ARN": _ROLE}
    return named | {"AWS_ENDPOINT_URL_STS": identity.endpoint}


def ecs_task_role(identity: Identity, home: Path) -> dict[str, str]:
    """The role of an ECS task."""
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{identity.endpoint}/ecs"}


def ec2_instance_role(identity: Identity, home: Path) -> dict[str, str]:
    """The role of an EC2 machine."""
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": identity.endpoint, "AWS_EC2_METADATA_DISABLED": "false"}


WAYS: dict[str, Callable[[Identity, Path], dict[str, str]]] = {
    "STATIC": static,
    "STS": assumed_role,
    "PROCESS": credential_process,
    "SSO": single_sign_on,
    "WEB": web_identity,
    "ECS": ecs_task_role,
    "EC2": ec2_instance_role,
}
"""How to log in, by how the keys begin that one gets."""
