import base64
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from recograph.errors import RecographError
from recograph.operating.alerts import Alert, as_teams, form_of, one_line, send, targets
from recograph.settings import Settings
from recograph_tests.operating.receivers import mail_server, web_server

ALERT = Alert(
    "dump_to_graph for customer_1 2026-11-01: failed", ["landing: the dump is cut & <small> [*]."], "https://ui/runs/1"
)


def settings(**environ: object) -> Settings:
    return Settings.from_env({f"RECOGRAPH_{name}": str(value) for name, value in environ.items()})


def test_nobody_is_told_unless_the_environment_says_so() -> None:
    assert targets(settings()) == []


@pytest.mark.parametrize("form", [None, "slack", "teams"])
def test_a_webhook_gets_the_form_that_its_service_takes(form: str | None) -> None:
    with web_server() as (url, posted):
        assert send(ALERT, targets(settings(ALERT_WEBHOOK=url, ALERT_FORM=form or ""))) == []
    ((message),) = posted
    if form is None:
        assert message == {
            "title": ALERT.title,
            "lines": list(ALERT.lines),
            "link": ALERT.link,
            "text": "\n".join([ALERT.title, *ALERT.lines, "https://ui/runs/1"]),
        }
    elif form == "slack":
        assert message == {
            "text": f"{ALERT.title}\nlanding: the dump is cut &amp; &lt;small&gt; [*].\nhttps://ui/runs/1"
        }
    else:
        (attachment,) = message["attachments"]
        card = attachment["content"]
        assert message["type"] == "message"
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
        assert [(block["type"], block["wrap"]) for block in card["body"]] == [("TextBlock", True)] * 2
        assert card["body"][1]["text"] == r"landing\: the dump is cut \& \<small\> \[\*\]\."
        assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open the run", "url": "https://ui/runs/1"}]


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://prod-12.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig=x", "teams"),
        ("https://default1.2c.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/1", "teams"),
        ("https://alerts.example.com/hooks.slack.com", "json"),
    ],
)
def test_the_service_is_told_by_its_host(url: str, form: str) -> None:
    assert form_of(url) == form
    (target,) = targets(settings(ALERT_WEBHOOK=url))
    assert getattr(target, "form", None) == form


def test_of_very_many_lines_the_first_are_sent() -> None:
    alert = Alert("much", [f"line {number}" for number in range(500)])
    assert alert.shown[-2:] == ["line 19", "and 480 more"]
    assert len(as_teams(alert)["attachments"][0]["content"]["body"]) == 22


def test_mail_reaches_every_recipient() -> None:
    with mail_server() as (port, heard):
        environ = {"ALERT_EMAIL": "a@example.com, b@example.com", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": port}
        assert send(ALERT, targets(settings(**environ, SMTP_FROM="me@example.com"))) == []
    assert "mail FROM:<me@example.com>" in " ".join(heard)
    assert {"rcpt TO:<a@example.com>", "rcpt TO:<b@example.com>"} <= set(heard)
    assert f"Subject: recograph: {ALERT.title}" in heard
    assert heard[heard.index(ALERT.title) + 1 :][:2] == [*ALERT.lines, ALERT.link]


def test_a_password_is_sent_only_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl isn't here to make a certificate")
    certificate = tmp_path / "both.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "key"), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (tmp_path / "key").read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    environ = {"ALERT_EMAIL": "a@example.com", "SMTP_USERNAME": "me", "SMTP_PASSWORD": "hush"}
    with mail_server(str(certificate)) as (port, heard):
        assert send(ALERT, targets(settings(**environ, SMTP_PORT=port))) == []
    login = base64.b64encode(b"\0me\0hush").decode()
    assert heard.index("STARTTLS") < heard.index(f"AUTH PLAIN {login}")
    assert ALERT.title in heard

    with mail_server() as (port, heard):
        (problem,) = send(ALERT, targets(settings(**environ, SMTP_PORT=port)))
    assert f"the mail server at localhost:{port}: STARTTLS" in problem
    assert not any(line.startswith("AUTH") for line in heard)


def test_port_465_is_encrypted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as (port, heard):  # which speaks first, and in clear
        monkeypatch.setattr("smtplib.SMTP_SSL_PORT", port)
        environ = {"ALERT_EMAIL": "a@example.com", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": port}
        (problem,) = send(ALERT, targets(settings(**environ)))
    assert f"the mail server at 127.0.0.1:{port}: [SSL" in problem
    assert ALERT.title not in heard


def test_a_target_that_cant_be_reached_keeps_none_from_the_others() -> None:
    with web_server(404) as (url, _), mail_server() as (port, heard):
        environ = {"ALERT_EMAIL": "a@example.com", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": port, "ALERT_WEBHOOK": url}
        (problem,) = send(ALERT, targets(settings(**environ)))
    assert problem == "The alert didn't reach the webhook at 127.0.0.1: HTTP Error 404: Not Found."
    assert ALERT.title in heard
    (problem,) = send(ALERT, targets(settings(ALERT_WEBHOOK=url)))
    assert "refused" in problem
    shown = problem + repr(settings(**environ, SMTP_USERNAME="me", SMTP_PASSWORD="hush"))
    assert "services" not in shown
    assert "hush" not in shown


@pytest.mark.parametrize("status", [301, 302, 303, 307])
def test_a_webhook_that_leads_elsewhere_has_not_taken_the_alert(status: int) -> None:
    with web_server(status) as (url, _):
        (problem,) = send(ALERT, targets(settings(ALERT_WEBHOOK=url)))
    assert problem.startswith(f"The alert didn't reach the webhook at 127.0.0.1: HTTP Error {status}")


def test_a_mailbox_that_is_refused_is_told_and_keeps_none_from_the_others() -> None:
    with mail_server() as (port, heard):
        environ = {"ALERT_EMAIL": "nobody@example.com, b@example.com", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": port}
        (problem,) = send(ALERT, targets(settings(**environ)))
    assert problem.endswith(": it refused nobody@example.com.")
    assert ALERT.title in heard


def test_an_error_becomes_one_line_of_limited_length() -> None:
    assert one_line("row 2\n is  wrong") == "row 2 is wrong"
    assert one_line("x" * 7_000_000) == "x" * 599 + "…"


@pytest.mark.parametrize("message", ["'" * 1_000_000, "a@" * 500_000, "'\\" * 500_000, "a" * 1_000_000])
def test_a_message_of_any_length_is_short_afterwards_and_takes_no_time(message: str) -> None:
    started = time.process_time()
    assert len(one_line(message)) <= 600
    assert time.process_time() - started < 1  # a square of the length would take hours


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"ALERT_WEBHOOK": "file:///etc/passwd"}, "RECOGRAPH_ALERT_WEBHOOK can't be used: give an address"),
        (
            {"ALERT_EMAIL": "a@example.com, nobody"},
            "RECOGRAPH_ALERT_EMAIL is 'a@example.com, nobody': give an e-mail address",
        ),
        ({"SMTP_FROM": "a@b\nBcc: c@d"}, "give an e-mail address"),
        ({"SMTP_USERNAME": "me"}, "Set both RECOGRAPH_SMTP_USERNAME and RECOGRAPH_SMTP_PASSWORD"),
        ({"SMTP_PORT": "smtp"}, "RECOGRAPH_SMTP_PORT is 'smtp': give a whole number"),
        ({"KEEP_DAYS": "0"}, "RECOGRAPH_KEEP_DAYS is '0': give a whole number of 1 or more"),
    ],
)
def test_settings_that_cant_be_used_are_refused(environ: dict[str, str], message: str) -> None:
    with pytest.raises(RecographError, match=message):
        settings(**environ)
