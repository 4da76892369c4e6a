"""Tells people that something needs them: always in the log; by webhook or e-mail, too, if the environment names one.

A message leaves the machine. It can't hold a value of a dump, because messages about dumps never do: see
`recograph.dumps.message`.

apprise isn't used, though it knows these services: it takes addresses in a notation of its own, and says of an alert
that didn't arrive only that it didn't.
"""

import html
import http.client
import json
import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Protocol
from urllib.parse import urlsplit

from recograph.settings import Settings
from recograph.text import markdown

_SECONDS = 10
_LENGTH = 600
_LINES = 20
"""How many lines are sent: services cut longer messages. The run's page has all lines."""


@dataclass(frozen=True)
class Alert:
    """What happened."""

    title: str
    """One line that says what happened, and to which customer."""
    lines: Sequence[str] = ()
    """What went wrong."""
    link: str | None = None
    """Where to look."""

    @property
    def shown(self) -> list[str]:
        """The lines that are sent."""
        more = len(self.lines) - _LINES
        return [*self.lines[:_LINES], *([f"and {more:,} more"] if more > 0 else [])]

    @property
    def text(self) -> str:
        """The whole message."""
        return "\n".join([self.title, *self.shown, *([self.link] if self.link else [])])


def one_line(message: str) -> str:
    """An error message as one line of limited length."""
    text = " ".join(message[: 2 * _LENGTH].split())
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"


class Target(Protocol):
    """Where alerts go."""

    def send(self, alert: Alert) -> None:
        """Deliver an alert.

        Raises:
            OSError: it can't be delivered.
            http.client.HTTPException: the server doesn't speak HTTP.
        """


def as_json(alert: Alert) -> dict[str, Any]:
    """The form for programs: every part by its name, and the whole message as `text`."""
    return {"title": alert.title, "lines": alert.shown, "link": alert.link, "text": alert.text}


def as_slack(alert: Alert) -> dict[str, Any]:
    """The form for Slack, and for what takes Slack's form, such as Mattermost: a text with `&`, `<` and `>` escaped."""
    return {"text": html.escape(alert.text, quote=False)}


def as_teams(alert: Alert) -> dict[str, Any]:
    """The form for a workflow of Teams: a message with an Adaptive Card, because workflows don't take a bare text."""
    texts = [{"text": markdown(alert.title), "weight": "Bolder"}, *({"text": markdown(line)} for line in alert.shown)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "wrap": True, **text} for text in texts],
        "actions": [{"type": "Action.OpenUrl", "title": "Open the run", "url": alert.link}] if alert.link else [],
    }
    return {
        "type": "message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        ],
    }


FORMS: dict[str, Callable[[Alert], dict[str, Any]]] = {"json": as_json, "slack": as_slack, "teams": as_teams}
_HOSTS = {
    "slack": ("hooks.slack.com",),
    "teams": (".logic.azure.com", ".api.powerplatform.com", ".api.powerautomate.com"),
}
"""The endings of the services' host names."""


def form_of(url: str) -> str:
    """The form that the service behind an address takes; json for a service that isn't known here."""
    host = urlsplit(url).hostname or ""
    return next((form for form, endings in _HOSTS.items() if host.endswith(endings)), "json")


class _NotElsewhere(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it would ask for a page, such as that of a login, and the alert would be lost."""

    def redirect_request(self, *_: Any) -> None:
        """Nothing, which makes the answer an error."""


_OPENER = urllib.request.build_opener(_NotElsewhere)


@dataclass(frozen=True)
class Webhook:
    """An address that takes a POST of JSON."""

    url: str
    form: str
    """What the JSON looks like: a name of `FORMS`."""

    def __str__(self) -> str:
        """Names the host only: whoever knows the whole address may post to it."""
        return f"the webhook at {urlsplit(self.url).hostname}"

    def send(self, alert: Alert) -> None:
        """See `Target.send`."""
        body = json.dumps(FORMS[self.form](alert)).encode()
        request = urllib.request.Request(  # noqa: S310 - settings.py lets only http and https through
            self.url, body, {"Content-Type": "application/json"}
        )
        with _OPENER.open(request, timeout=_SECONDS):
            pass


@dataclass(frozen=True)
class Mail:
    """Mailboxes behind an SMTP server."""

    settings: Settings

    def __str__(self) -> str:
        """Names the server."""
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
            # With a password, encryption is demanded: a server that doesn't offer it, or somebody who sits between and
            # hides the offer, doesn't get the password.
            if not secure and (server.has_extn("starttls") or self.settings.smtp_username):
                server.starttls(context=ssl.create_default_context())
            if self.settings.smtp_username and self.settings.smtp_password:
                server.login(self.settings.smtp_username, self.settings.smtp_password)
            if refused := server.send_message(message):
                raise smtplib.SMTPException(f"it refused {', '.join(refused)}")


def targets(settings: Settings) -> list[Target]:
    """The targets that the environment names for alerts, besides the log."""
    chosen: list[Target] = []
    if settings.alert_webhook:
        chosen.append(Webhook(settings.alert_webhook, settings.alert_form or form_of(settings.alert_webhook)))
    if settings.alert_email:
        chosen.append(Mail(settings))
    return chosen


def send(alert: Alert, to: Sequence[Target]) -> list[str]:
    """Deliver an alert to every target; returns a sentence for each that can't be reached."""
    problems = []
    for target in to:
        try:
            target.send(alert)
        except (OSError, http.client.HTTPException, ValueError) as error:
            problems.append(f"The alert didn't reach {target}: {error or type(error).__name__}.")
    return problems
