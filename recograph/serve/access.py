"""Who may see which customer.

Without a file of access everybody on this machine sees everything, and nobody else reaches it. With one, a request
needs either a token that the file has the digest of, or comes from a proxy that knows a secret and says who asks.
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import Headers

from recograph.errors import RecographError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "recograph"
SESSION_SECONDS = 12 * 3600
_log = logging.getLogger("recograph.serve")

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Customers = Literal["all"] | list[str]


@dataclass(frozen=True)
class Viewer:
    """Who asks."""

    customers: frozenset[str] | None
    """Those that may be seen; None is all of them."""
    named: bool = False
    """Whether the viewer has logged in here, and so can log out."""

    def sees(self, customer: str) -> bool:
        """Whether the viewer may know that there is this customer."""
        return self.customers is None or customer in self.customers


class Access(Protocol):
    """A way to know who asks."""

    advice: str
    """What to do, for who isn't known."""

    def viewer(self, headers: Headers) -> Viewer | None:
        """Who asks; None is nobody that is known."""


class Loopback:
    """Everybody on this machine sees everything.

    A page elsewhere could let a name of its own lead here, and read what a browser on this machine is given; it can't
    make the browser say another name than its own.
    """

    advice = (
        "Without a file of access, only this machine is answered, and by its own name alone: http://127.0.0.1 or "
        "http://localhost, with the port. docs/sharing.md says how to let others in."
    )

    def viewer(self, headers: Headers) -> Viewer | None:
        """Who asks; None where the request was for another host."""
        hosts = headers.getlist("host")
        host = hosts[0].rpartition(":")[0] if len(hosts) == 1 and hosts[0].rpartition(":")[2].isdecimal() else ""
        host = host or (hosts[0] if len(hosts) == 1 else "")
        return Viewer(None) if host.strip("[]").lower() in LOOPBACK else None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Token(_Strict):
    name: str = Field(min_length=1, max_length=100)
    sha256: Digest
    customers: Customers
    expires: date | None = None

    @property
    def viewer(self) -> Viewer:
        return Viewer(None if self.customers == "all" else frozenset(self.customers), named=True)

    @property
    def holds(self) -> bool:
        return self.expires is None or datetime.now(UTC).date() < self.expires


class _Proxy(_Strict):
    secret_sha256: Digest
    groups: dict[str, Customers]
    user_header: str = "X-Forwarded-User"
    groups_header: str = "X-Forwarded-Groups"
    secret_header: str = "X-Recograph-Secret"  # noqa: S105 - a header's name


class _File(_Strict):
    tokens: list[_Token] | None = None
    proxy: _Proxy | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "_File":
        if (self.tokens is None) == (self.proxy is None):
            raise ValueError("give either tokens or proxy")
        names = [token.name for token in self.tokens or ()]
        if len(set(names)) < len(names) or len({token.sha256 for token in self.tokens or ()}) < len(names):
            raise ValueError("names and digests of tokens must be different")
        return self


class FileAccess:
    """Access by a file, read again when it has changed."""

    advice = "Log in, or send a token."

    def __init__(self, path: Path, secret: bytes) -> None:
        """Read the file.

        Args:
            path: of the file.
            secret: signs the sessions of people who have logged in with a token.

        Raises:
            RecographError: the file can't be read, or isn't as it should be.
        """
        self._path = path
        self._secret = secret
        self._looked = time.monotonic()
        self._stat: tuple[int, int, int] | None = None
        self._file = self._read()

    @property
    def has_tokens(self) -> bool:
        """Whether people log in here."""
        return self._current().tokens is not None

    def viewer(self, headers: Headers) -> Viewer | None:
        """Who asks; None is nobody that is known."""
        file = self._current()
        if file.proxy is not None:
            return _from_proxy(file.proxy, headers)
        bearers = headers.getlist("authorization")
        if bearers:
            scheme, _, text = bearers[0].partition(" ")
            token = self._token(_utf8(text.strip())) if len(bearers) == 1 and scheme.lower() == "bearer" else None
        else:
            token = self._from_session(_cookie(headers))
        return None if token is None else token.viewer

    def session(self, token: str) -> str | None:
        """The value of a cookie that stands for the token for a while; None where there is no such token."""
        known = self._token(token)
        if known is None:
            return None
        until = int(time.time()) + SESSION_SECONDS
        return f"{known.name.encode().hex()}.{until}.{self._sign(known, until)}"

    def _token(self, text: str) -> _Token | None:
        # Looked up by digest, whose characters tell nothing of the token's, whatever time that takes.
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        known = next((token for token in self._current().tokens or () if token.sha256 == digest), None)
        return known if known is not None and known.holds else None

    def _from_session(self, cookie: str) -> _Token | None:
        name, _, rest = cookie.partition(".")
        until, _, signature = rest.partition(".")
        token = next((token for token in self._current().tokens or () if token.name.encode().hex() == name), None)
        if token is None or not until.isascii() or not until.isdecimal() or len(until) > 12:
            return None
        right = hmac.compare_digest(self._sign(token, int(until)).encode(), signature.encode())
        return token if right and int(until) > time.time() and token.holds else None

    def _sign(self, token: _Token, until: int) -> str:
        """Names the digest too: a session ends with its token."""
        return hmac.new(self._secret, f"{token.name}\0{token.sha256}\0{until}".encode(), "sha256").hexdigest()

    def _current(self) -> _File:
        """The file as it is; while it can't be read, nobody is known."""
        if time.monotonic() - self._looked >= 1:
            self._looked = time.monotonic()
            try:
                if self._stat != _stat(self._path):
                    self._file = self._read()
            except (RecographError, OSError) as error:
                if self._stat is not None:
                    said = error if isinstance(error, RecographError) else f"{self._path}: {error.strerror}."
                    _log.error("Nobody is known any more. %s", said)
                self._stat = None
                self._file = _File(tokens=[])
        return self._file

    def _read(self) -> _File:
        try:
            stat = _stat(self._path)
            content: Any = yaml.safe_load(self._path.read_text(encoding="utf-8"))
            file = _File.model_validate(content)
        except OSError as error:
            raise RecographError(f"{self._path} can't be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise RecographError(f"{self._path} isn't text in UTF-8.") from error
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            raise RecographError(f"{self._path}{where}: that isn't YAML. See docs/sharing.md.") from error
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise RecographError(f"{self._path}: {where}: {first['msg']}. See docs/sharing.md.") from error
        self._stat = stat
        return file


def _stat(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _from_proxy(proxy: _Proxy, headers: Headers) -> Viewer | None:
    wanted = (proxy.secret_header, proxy.user_header, proxy.groups_header)
    values = [headers.getlist(name) for name in wanted]
    # Twice the same header: one may be the client's own.
    if any(len(value) > 1 for value in values) or not values[0] or not values[1] or not values[1][0]:
        return None
    digest = hashlib.sha256(values[0][0].encode("latin-1")).hexdigest()
    if not hmac.compare_digest(digest, proxy.secret_sha256):
        return None
    groups = {part.strip() for part in _utf8(values[2][0] if values[2] else "").split(",")}
    granted = [customers for group, customers in proxy.groups.items() if group in groups]
    if "all" in granted:
        return Viewer(None)
    seen = frozenset(customer for customers in granted for customer in customers)
    return Viewer(seen) if seen else None


def _utf8(value: str) -> str:
    """A header's text: what is sent in UTF-8 comes as Latin-1."""
    return value.encode("latin-1").decode("utf-8", "replace")


def _cookie(headers: Headers) -> str:
    for line in headers.getlist("cookie"):
        for part in line.split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE:
                return value
    return ""


def make_token(name: str, customers: list[str]) -> tuple[str, str]:
    """A new token, and the entry of the file for it."""
    token = secrets.token_urlsafe(32)
    entry: Mapping[str, Any] = {
        "name": name,
        "sha256": hashlib.sha256(token.encode()).hexdigest(),
        "customers": customers or "all",
    }
    return token, yaml.safe_dump([entry], sort_keys=False, allow_unicode=True)


def session_secret(home: Path) -> bytes:
    """The secret that signs sessions, made once per installation.

    Raises:
        RecographError: it can't be written.
    """
    path = home / "serve" / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            draft = path.with_name(f"secret.{secrets.token_hex(4)}")
            draft.touch(mode=0o600)
            draft.write_bytes(secrets.token_bytes(32))
            draft.replace(path)
        return path.read_bytes()
    except OSError as error:
        raise RecographError(
            f"{path} can't be written: {error.strerror}. Let RECOGRAPH_HOME name a folder that can."
        ) from error
