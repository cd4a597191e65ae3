import pytest

from gateway.adapters.influx_settings import InfluxSettings
from gateway.errors import SettingsError


@pytest.mark.parametrize(
    ("url", "address", "user", "password"),
    [
        ("http://127.0.0.1:8086", "http://127.0.0.1:8086", None, None),
        ("https://influx.example/base/", "https://influx.example/base", None, None),
        ("http://[::1]:8086/", "http://[::1]:8086", None, None),
        ("http://fgw:p%40ss%3A@db:8086", "http://db:8086", "fgw", "p@ss:"),
    ],
)
def test_an_address_is_taken_apart(url: str, address: str, user: str | None, password: str | None) -> None:
    settings = InfluxSettings.parse(url)
    assert (settings.url, settings.username, settings.password) == (address, user, password)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no scheme"),
        ("localhost:8086", "'localhost'; http and https are allowed"),
        ("ftp://db", "'ftp'; http and https are allowed"),
        ("http://", "names no host"),
        ("http://db:99999", "not a URL"),
        ("http://db:0", "port 0"),
        ("http://db:port", "not a URL"),
        ("http://db:8086?db=x", "FGW_INFLUX_BUCKET|_BUCKET"),
        ("http://db:8086/#top", "part"),
        ("http://user@db", "no password"),
        ("http://:secret@db", "no user"),
        ("http://db:8086/a b", "spaces"),
        ("http://db\n", "control characters"),
    ],
)
def test_a_wrong_address_is_refused_with_what_is_allowed(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as raised:
        InfluxSettings.parse(url)
    assert "FGW_INFLUX_URL" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("bucket", ["/", "db/", "/policy", "db/policy/more", "a\nb", " a"])
def test_a_wrong_bucket_is_refused(bucket: str) -> None:
    with pytest.raises(SettingsError, match="FGW_INFLUX_BUCKET"):
        InfluxSettings.parse("http://db:8086", bucket=bucket)


def test_a_bucket_may_name_a_retention_policy() -> None:
    settings = InfluxSettings.parse("http://db:8086", bucket="site/a_year")
    assert (settings.database, settings.policy) == ("site", "a_year")


def test_what_is_empty_is_not_set() -> None:
    settings = InfluxSettings.parse("http://db:8086", token="", org="", bucket="")
    assert (settings.token, settings.org, settings.database, settings.policy) == (None, None, "facility", "")


def test_two_ways_to_log_in_are_one_too_many() -> None:
    with pytest.raises(SettingsError, match="keep one"):
        InfluxSettings.parse("http://a:b@db", token="t")  # noqa: S106  # nobody's


def test_a_broken_token_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError, match="FGW_INFLUX_TOKEN is a secret") as raised:
        InfluxSettings.parse("http://db", token="tok\nen")  # noqa: S106  # nobody's
    assert "tok" not in str(raised.value).replace("TOKEN", "")


def test_secrets_do_not_show_in_logs() -> None:
    settings = InfluxSettings.parse("http://fgw:hush@db")
    assert "hush" not in repr(settings)
