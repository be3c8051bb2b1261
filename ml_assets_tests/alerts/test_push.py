"""apprise against a real HTTP server on loopback; a webhook's address is a secret as a whole."""

import logging
import threading

import pytest

from ml_assets.alerts.message import compose
from ml_assets.alerts.push import push
from ml_assets.errors import AlertSettingsError, MessageNotSentError
from ml_assets_tests.alerts.example import content
from ml_assets_tests.alerts.servers import Webhook, free_port, http

VARIABLE = "ML_ASSETS_PUSH_TEST"
TOKEN = "s3cr3t-t0ken"  # noqa: S105
MESSAGE = compose(content(), None, None)


def _address(port: int) -> dict[str, str]:
    return {VARIABLE: f"json://127.0.0.1:{port}/{TOKEN}"}


def test_a_webhook_is_told_the_same_as_a_mail() -> None:
    webhook = Webhook()
    with http(webhook) as port:
        push(VARIABLE, content(), MESSAGE, _address(port))
    [body] = webhook.bodies
    assert body["title"] == "[flights] model_quality failed, since 2013-06-24"
    assert "57.87 minutes in window 2013-07-01" in body["message"]
    assert body["type"] == "warning"
    assert webhook.paths == [f"/{TOKEN}"]


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        pytest.param({}, "it is not set", id="not set"),
        pytest.param({VARIABLE: f"nonsense://{TOKEN}"}, "apprise does not know what it holds", id="another scheme"),
        pytest.param({VARIABLE: f"slack://{TOKEN}"}, "apprise does not know what it holds", id="half an address"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_not_shown(
    environment: dict[str, str], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(AlertSettingsError, match=says) as caught:
        push(VARIABLE, content(), MESSAGE, environment)
    assert VARIABLE in str(caught.value)
    assert TOKEN not in str(caught.value) + caplog.text


@pytest.mark.parametrize("down", [True, False], ids=["nobody answers", "it answers 500"])
def test_a_service_that_fails_is_tried_again_and_its_address_is_in_no_log(
    down: bool, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("apprise", "urllib3", "urllib3.connectionpool", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    with caplog.at_level(logging.DEBUG), http(Webhook(statuses=[500] * 9)) as port:
        with pytest.raises(MessageNotSentError) as caught:
            push(VARIABLE, content(), MESSAGE, _address(free_port() if down else port))
        logging.getLogger("urllib3.connectionpool").debug("heard again")
    assert TOKEN not in str(caught.value) + caplog.text
    assert "heard again" in caplog.text
    assert threading.current_thread() is threading.main_thread()
