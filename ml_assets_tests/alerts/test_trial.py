"""A test message to everyone who is declared, over real servers."""

import pytest

from ml_assets.alerts.channels import AlertChannels
from ml_assets.alerts.trial import send_test
from ml_assets.cli import cli
from ml_assets.errors import NoReceiversError
from ml_assets.spec import Alerts, QuietHours
from ml_assets_tests.alerts.example import NOW
from ml_assets_tests.alerts.servers import Inbox, Webhook, http, smtp
from ml_assets_tests.flights import flights

PAGE = "http://127.0.0.1:3072/flights/index.html"


def test_each_receiver_gets_one_and_each_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    inbox, webhook = Inbox(to_receiver={"bob@example.com": "550 no such user"}), Webhook()
    quiet = QuietHours(start_hour=NOW.hour, end_hour=NOW.hour + 1, time_zone="UTC")
    receivers = {"to": ("bob@example.com", "ann@example.com"), "apprise": ("ML_ASSETS_PUSH_A", "ML_ASSETS_PUSH_B")}
    problem = flights().model_copy(update={"alerts": Alerts(**receivers, quiet_hours=quiet)})
    with smtp(inbox) as port, http(webhook) as web:
        monkeypatch.setenv("ML_ASSETS_PUSH_A", f"json://127.0.0.1:{web}/t0ken")
        channels = AlertChannels(smtp_url=f"smtp+plain://127.0.0.1:{port}", smtp_from="alerts@example.com")
        said = dict(send_test(problem, channels, NOW, page=PAGE))
    assert said == {
        "mail:bob@example.com": "it refuses the address (550)",
        "mail:ann@example.com": "",
        "apprise:ML_ASSETS_PUSH_A": "",
        "apprise:ML_ASSETS_PUSH_B": "it is not set; set ML_ASSETS_PUSH_B to an apprise URL",
    }
    [(_, mail)] = inbox.mails
    assert mail["Subject"] == "[flights] test message: alerts reach you"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Nothing happened to the problem." in body.get_content()
    assert PAGE in body.get_content()
    assert [each["title"] for each in webhook.bodies] == [mail["Subject"]]


def test_a_problem_that_tells_nobody_says_how_to_change_that() -> None:
    with pytest.raises(NoReceiversError, match="'flights' declares nobody who is told"):
        cli(["alert-test", "flights"], standalone_mode=False)
