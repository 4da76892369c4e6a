import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from recograph.errors import RecographError
from recograph.operating.alerts import Alert, send, targets, without_values
from recograph.settings import Settings
from recograph_tests.operating.receivers import mail_server, web_server

ALERT = Alert("dump_to_graph for customer_1 2026-11-01: failed", ["landing: the dump is cut & <small>.", "http://run"])


def settings(**environ: object) -> Settings:
    return Settings.from_env({f"RECOGRAPH_{name}": str(value) for name, value in environ.items()})


def test_nobody_is_told_unless_the_environment_says_so() -> None:
    assert targets(settings()) == []


def test_a_webhook_gets_a_text_in_json() -> None:
    with web_server() as (url, posted):
        assert send(ALERT, targets(settings(ALERT_WEBHOOK=url))) == []
    text = f"{ALERT.title}\n\nlanding: the dump is cut &amp; &lt;small&gt;.\n\nhttp://run"
    assert posted == [{"text": text}]


def test_mail_reaches_every_recipient() -> None:
    with mail_server() as (port, heard):
        environ = {"ALERT_EMAIL": "a@example.com, b@example.com", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": port}
        assert send(ALERT, targets(settings(**environ, SMTP_FROM="me@example.com"))) == []
    assert "mail FROM:<me@example.com>" in " ".join(heard)
    assert {"rcpt TO:<a@example.com>", "rcpt TO:<b@example.com>"} <= set(heard)
    assert f"Subject: recograph: {ALERT.title}" in heard
    assert heard[heard.index(ALERT.title) + 1 :][:2] == list(ALERT.lines)


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


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("core_user, row 1: 'Ada' isn't a number; it can't be", "core_user, row 1: … isn't a number; it can't be"),
        ('row 2: "O\'Neil" is\nwrong', "row 2: … is wrong"),
        (r"row 3: 'it\'s \'quoted\' twice' and 'again'.", "row 3: … and …."),
        ("user ada.lovelace@example.com, the customers' own", "user …, the customers' own"),
        ("x" * 700, "x" * 599 + "…"),
    ],
)
def test_what_an_error_quotes_stays_here(message: str, told: str) -> None:
    assert without_values(message) == told


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
