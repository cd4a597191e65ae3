"""A private certificate authority, a broker's and a client's certificate, made with the openssl program."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Authority(NamedTuple):
    """Where the PEM files lie. The broker's certificate is for ``localhost`` and ``127.0.0.1``."""

    ca: Path
    broker: Path
    broker_key: Path
    client: Path
    client_key: Path


def make_authority(folder: Path) -> Authority:
    """Create everything anew in ``folder``; valid for one day."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Authority(
        *(folder / f"{name}.pem" for name in ("ca", "broker", "broker-key", "client", "client-key"))
    )
    ca_key = folder / "ca-key.pem"
    self_signed = [
        "-x509",
        "-days",
        "1",
        "-keyout",
        str(ca_key),
        "-out",
        str(made.ca),
        "-subj",
        f"/CN=CA {folder.name}",
    ]
    _openssl("req", *_NEW_KEY, *self_signed)
    _issue(made, ca_key, "broker", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    _issue(made, ca_key, "client", "extendedKeyUsage=clientAuth")
    return made


_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def _issue(authority: Authority, ca_key: Path, name: str, extension: str) -> None:
    folder = authority.ca.parent
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(extension + "\n")
    _openssl(
        "req",
        *_NEW_KEY,
        "-keyout",
        str(folder / f"{name}-key.pem"),
        "-out",
        str(request),
        "-subj",
        f"/CN={name}",
    )
    signer = ["-CA", str(authority.ca), "-CAkey", str(ca_key), "-CAcreateserial", "-days", "1"]
    _openssl(
        "x509",
        "-req",
        "-in",
        str(request),
        *signer,
        "-extfile",
        str(extensions),
        "-out",
        str(folder / f"{name}.pem"),
    )


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)  # noqa: S607  # found on PATH
