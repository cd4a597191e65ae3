"""Wrong settings are told apart before anything connects."""

from pathlib import Path

import pytest

from gateway.adapters.mqtt_settings import MqttSettings, Options
from gateway.adapters.mqtt_source import connect_source
from gateway.errors import SettingsError
from tests.servers.certificates import make_authority


def settings_from(url: str, **options: object) -> MqttSettings:
    return MqttSettings.from_url(url, **Options(client_id="gw", filters=("facility/#",)) | options)  # type: ignore[arg-type]  # wrong types are part of the test


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("mqtt://broker", "broker", 1883, False),
        ("mqtts://broker", "broker", 8883, True),
        ("mqtt://10.0.0.7:2000/", "10.0.0.7", 2000, False),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_a_url_gives_host_port_and_encryption(url: str, host: str, port: int, secure: bool) -> None:
    made = settings_from(url)
    assert (made.host, made.port, made.secure) == (host, port, secure)


def test_user_and_password_come_out_of_the_url_and_are_never_shown() -> None:
    made = settings_from("mqtt://lift%40hq:p%2Fw%23@broker:1883")
    assert (made.url, made.username, made.password) == ("mqtt://broker:1883", "lift@hq", "p/w#")
    assert "p/w#" not in repr(made)


def test_explicit_credentials_win_over_those_in_the_url() -> None:
    made = settings_from("mqtt://a:b@broker", username="c", password="d")  # noqa: S106  # not a secret
    assert (made.username, made.password) == ("c", "d")


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("broker:1883", {}, "'broker:1883' is wrong; write mqtt://host:1883"),
        ("http://broker", {}, "write mqtt://host:1883, or mqtts://host:8883 for TLS"),
        ("mqtt://", {}, "write mqtt://host:1883"),
        ("mqtt://broker:70000", {}, "'mqtt://broker:70000' is wrong: Port out of range"),
        ("mqtt://broker:x", {}, "is wrong: Port could not be cast"),
        ("mqtt://broker/topic", {}, "has something after the port"),
        ("mqtt://broker", {"client_id": ""}, "client id is empty"),
        ("mqtt://broker", {"client_id": "a\0"}, "client id holds a NUL"),
        ("mqtt://broker", {"client_id": "x" * 65_536}, "longer than 65,535 bytes"),
        ("mqtt://broker", {"password": "p"}, "password is given without a user"),
        ("mqtt://broker", {"filters": ()}, "no topic filter"),
        ("mqtt://broker", {"filters": ("a/#/b",)}, "topic filter 'a/#/b' is wrong"),
        ("mqtt://broker", {"filters": ("a/b#",)}, "topic filter 'a/b#' is wrong"),
        ("mqtt://broker", {"filters": ("a/b+",)}, "topic filter 'a/b+' is wrong"),
        ("mqtt://broker", {"filters": ("",)}, "topic filter '' is wrong"),
        ("mqtt://broker", {"receive_maximum": 0}, "receive maximum is 0; allowed are 1 to 65,535 messages"),
        ("mqtt://broker", {"keep_alive": 0}, "keep-alive is 0; allowed are 1 to 65,535 seconds"),
        ("mqtt://broker", {"session_expiry": 0}, "session expiry is 0; allowed are 1 to"),
        (
            "mqtt://broker",
            {"max_packet": 100},
            "largest packet is 100; allowed are 1,024 to 268,435,460 bytes",
        ),
        ("mqtt://broker", {"version": "4"}, "version is '4'; allowed are auto, 5 and 3.1.1"),
        ("mqtt://broker", {"ca_file": Path("ca.pem")}, "not encrypted; use mqtts://"),
        ("mqtts://broker", {"key_file": Path("key.pem")}, "key file key.pem is given without a certificate"),
    ],
)
def test_a_wrong_setting_names_what_was_found_and_what_is_allowed(
    url: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        settings_from(url, **options)
    assert words in str(refusal.value)


def test_an_error_about_a_url_does_not_repeat_the_password() -> None:
    with pytest.raises(SettingsError) as refusal:
        settings_from("mqtt://lift:secret@broker:x")
    assert "secret" not in str(refusal.value)


def test_credentials_inside_the_url_are_not_taken_by_the_constructor() -> None:
    with pytest.raises(SettingsError, match="not inside the URL"):
        MqttSettings(url="mqtt://a:b@broker", client_id="gw", filters=("a",))


def test_a_certificate_file_that_is_missing_or_wrong_is_named(tmp_path: Path) -> None:
    authority, stranger = make_authority(tmp_path / "one"), make_authority(tmp_path / "two")
    missing, wrong = tmp_path / "missing.pem", tmp_path / "wrong.pem"
    wrong.write_text("not a certificate")
    for path, words in ((missing, "No such file"), (wrong, "not a PEM file")):
        with pytest.raises(SettingsError, match=f"MQTT CA file {path}: {words}"):
            connect_source(settings_from("mqtts://broker", ca_file=path))
    pair = {"ca_file": authority.ca, "cert_file": authority.client, "key_file": stranger.client_key}
    with pytest.raises(SettingsError, match="do not belong together"):
        connect_source(settings_from("mqtts://broker", **pair))
