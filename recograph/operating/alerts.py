"""Tells people that something needs them: in the log always, and where the environment names one, by webhook or e-mail.

A message leaves the machine, so it holds nothing of a dump: what errors quote is a value more often than not, and is
left out. The run's own log has it.
"""

import html
import http.client
import json
import re
import smtplib
import ssl
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import urlsplit

from recograph.settings import Settings

_SECONDS = 10
_LENGTH = 600
_QUOTED = re.compile(r"""(?<!\w)(['"]).*?(?<!\\)\1(?!\w)""", re.DOTALL)
_ADDRESS = re.compile(r"[^\s@<>(),;:]+@[^\s@<>(),;:]+\.\w+")


@dataclass(frozen=True)
class Alert:
    """What happened."""

    title: str
    """One line: what, and whose."""
    lines: Sequence[str] = ()
    """What went wrong, and where to look."""

    @property
    def text(self) -> str:
        """The whole message."""
        return "\n".join([self.title, *self.lines])


def without_values(message: str) -> str:
    """An error message as one line of limited length without what it quotes, and without e-mail addresses."""
    text = " ".join(_ADDRESS.sub("…", _QUOTED.sub("…", message)).split())
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"


class Target(Protocol):
    """Where alerts go."""

    def send(self, alert: Alert) -> None:
        """Deliver an alert.

        Raises:
            OSError: it can't be delivered.
            http.client.HTTPException: the server doesn't speak HTTP.
        """


@dataclass(frozen=True)
class Webhook:
    """An address that takes JSON with a `text`, as Slack's and Teams' incoming webhooks do."""

    url: str

    def __str__(self) -> str:
        """The host alone: who knows the whole address may post to it."""
        return f"the webhook at {urlsplit(self.url).hostname}"

    def send(self, alert: Alert) -> None:
        """See `Target.send`."""
        # Escaped, since both read markup; Teams breaks lines only at empty ones.
        text = html.escape(alert.text, quote=False).replace("\n", "\n\n")
        request = urllib.request.Request(  # noqa: S310 - settings.py lets only http and https through
            self.url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
            pass


@dataclass(frozen=True)
class Mail:
    """Mailboxes behind an SMTP server."""

    settings: Settings

    def __str__(self) -> str:
        """The server."""
        return f"the mail server at {self.settings.smtp_host}:{self.settings.smtp_port}"

    def send(self, alert: Alert) -> None:
        """See `Target.send`. Encrypted where the server offers it; a password is sent only encrypted."""
        message = EmailMessage()
        message["Subject"] = " ".join(f"recograph: {alert.title}".split())
        message["From"] = self.settings.smtp_from
        message["To"] = ", ".join(self.settings.alert_email)
        message.set_content(alert.text)
        secure = self.settings.smtp_port == smtplib.SMTP_SSL_PORT
        address = self.settings.smtp_host, self.settings.smtp_port
        with (
            smtplib.SMTP_SSL(*address, timeout=_SECONDS, context=ssl.create_default_context())
            if secure
            else smtplib.SMTP(*address, timeout=_SECONDS)
        ) as server:
            server.ehlo()
            # With a password it is demanded: whoever doesn't offer it, or sits between, doesn't get to see it.
            if not secure and (server.has_extn("starttls") or self.settings.smtp_username):
                server.starttls(context=ssl.create_default_context())
            if self.settings.smtp_username and self.settings.smtp_password:
                server.login(self.settings.smtp_username, self.settings.smtp_password)
            server.send_message(message)


def targets(settings: Settings) -> list[Target]:
    """Where the environment sends alerts, besides the log."""
    found: list[Target] = []
    if settings.alert_webhook:
        found.append(Webhook(settings.alert_webhook))
    if settings.alert_email:
        found.append(Mail(settings))
    return found


def send(alert: Alert, to: Sequence[Target]) -> list[str]:
    """Deliver an alert to every target; returns a sentence for each that can't be reached."""
    problems = []
    for target in to:
        try:
            target.send(alert)
        except (OSError, http.client.HTTPException, ValueError) as error:
            problems.append(f"The alert didn't reach {target}: {error or type(error).__name__}.")
    return problems
