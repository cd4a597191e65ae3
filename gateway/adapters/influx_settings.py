"""Where InfluxDB is and who we are there: ``FGW_INFLUX_URL``, ``_TOKEN``, ``_ORG``, ``_BUCKET``."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from gateway.errors import SettingsError

DEFAULT_BUCKET = "facility"
_URL = "FGW_INFLUX_URL"
_EXAMPLE = "write it like http://127.0.0.1:8086"


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxSettings:
    """A validated target. Build it with :meth:`parse`.

    ``url`` holds no credentials and no trailing slash. ``bucket`` is the database on 1.x and 3; ``database/policy``
    names a retention policy as well.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    org: str | None = None
    bucket: str = DEFAULT_BUCKET
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(
        cls, url: str, *, token: str | None = None, org: str | None = None, bucket: str | None = None
    ) -> "InfluxSettings":
        """Check what the environment says.

        A user and password for 1.x stand in the URL (``http://user:password@host:8086``) or, as InfluxDB 1.8 writes
        it, in the token (``user:password``). Empty texts count as not set.

        Raises:
            SettingsError: naming the variable, what was found (never a secret) and what is allowed.
        """
        address, username, password = _split_url(url)
        _check("FGW_INFLUX_TOKEN", token or "", secret=True)
        _check("FGW_INFLUX_ORG", org or "")
        _check("FGW_INFLUX_BUCKET", bucket or "")
        if token and username:
            raise SettingsError(f"{_URL} names a user and FGW_INFLUX_TOKEN is set as well; keep one of them")
        return cls(
            url=address,
            token=token or None,
            org=org or None,
            bucket=_bucket(bucket or DEFAULT_BUCKET),
            username=username,
            password=password,
        )

    @property
    def database(self) -> str:
        """What InfluxQL calls the bucket."""
        return self.bucket.partition("/")[0]

    @property
    def policy(self) -> str:
        """The retention policy named in the bucket; empty for the default one."""
        return self.bucket.partition("/")[2]


def _check(name: str, text: str, *, secret: bool = False) -> None:
    if not text.isprintable() or text != text.strip():
        found = "a secret" if secret else repr(text)
        raise SettingsError(
            f"{name} is {found} with spaces around it or control characters in it; write it plainly"
        )


def _bucket(text: str) -> str:
    database, slash, policy = text.partition("/")
    if not database or (slash and not policy) or "/" in policy:
        raise SettingsError(
            f"FGW_INFLUX_BUCKET is {text!r}; allowed is a bucket or database, such as facility, "
            "or database/retention-policy on InfluxDB 1.x"
        )
    return text


def _split_url(url: str) -> tuple[str, str | None, str | None]:
    """Address, user and password of a URL; errors never repeat it, since a password may stand in it."""
    if not url.isprintable() or url != url.strip() or " " in url:
        raise SettingsError(f"{_URL} holds spaces or control characters; {_EXAMPLE}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"{_URL} is not a URL: {error}; {_EXAMPLE}") from None
    if parts.scheme not in {"http", "https"}:
        raise SettingsError(
            f"{_URL} starts with {parts.scheme or 'no scheme'!r}; http and https are allowed; {_EXAMPLE}"
        )
    if not host:
        raise SettingsError(f"{_URL} names no host; {_EXAMPLE}")
    if port == 0:
        raise SettingsError(f"{_URL} names port 0; allowed are 1 to 65535; {_EXAMPLE}")
    if parts.query or parts.fragment:
        raise SettingsError(
            f"{_URL} holds a ? or # part; organisation, bucket and token go into FGW_INFLUX_ORG, _BUCKET and _TOKEN"
        )
    if parts.password is not None and not parts.username:
        raise SettingsError(f"{_URL} holds a password but no user; write http://user:password@host:8086")
    if parts.username is not None and not parts.password:
        raise SettingsError(f"{_URL} holds a user but no password; write http://user:password@host:8086")
    place = f"[{host}]" if ":" in host else host
    address = f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    if parts.username is None or parts.password is None:
        return address, None, None
    return address, unquote(parts.username), unquote(parts.password)
