"""Files of a work order over HTTP: sent as they are, given back so that nothing in them can run."""

import errno
import hashlib
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.http.file_names import content_disposition, fitting_name
from gateway.core.values import DAY
from tests.api.house import House

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 200
PDF = b"%PDF-1.7\n" + b"\x00" * 200
AS_JPEG = {"Content-Type": "image/jpeg"}
PROBLEM = "application/problem+json"


async def opened(house: House, template: str = "lift-repair") -> str:
    """A new order's path."""
    order = (await house.http.post("/work-orders", json={"template": template})).json()
    return f"/work-orders/{order['id']}"


async def test_a_picture_is_attached_shown_and_given_back_as_it_was(house: House) -> None:
    path = await opened(house)
    sent = await house.http.post(
        f"{path}/attachments",
        content=JPEG,
        params={"name": "电机.jpg", "step": "photo"},
        headers={**AS_JPEG, "X-Actor": "chen"},
    )
    assert sent.status_code == 201, sent.text
    (one,) = sent.json()["attachments"]
    assert (one["name"], one["kind"], one["step"], one["by"], one["size"]) == (
        "电机.jpg",
        "photo",
        "photo",
        "chen",
        len(JPEG),
    )
    assert sent.headers["location"] == one["href"]
    got = await house.http.get(f"{path}/attachments/{one['id']}")
    assert (got.content, got.headers["content-type"]) == (JPEG, "image/jpeg")
    assert got.headers["etag"] == f'"{hashlib.sha256(JPEG).hexdigest()}"'
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert got.headers["content-disposition"].startswith("attachment; ")
    same = await house.http.get(
        f"{path}/attachments/{one['id']}", headers={"If-None-Match": got.headers["etag"]}
    )
    assert (same.status_code, same.content) == (304, b"")
    history = (await house.http.get(path)).json()["history"]
    assert [entry["kind"] for entry in history][-1] == "work_order.attached"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"<html><script>alert(1)</script>", AS_JPEG, 415),
        (b"<svg onload='x'/>", {"Content-Type": "image/png"}, 415),
        (b"", AS_JPEG, 422),
        (JPEG, {"Content-Type": "text/plain"}, 415),
        (JPEG, {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (JPEG, {"Content-Type": ""}, 415),
        (JPEG, {**AS_JPEG, "Origin": "http://evil.example"}, 403),
    ],
)
async def test_what_a_file_is_decide_its_bytes_and_what_is_refused_leaves_no_trace(
    house: House, body: bytes, headers: dict[str, str], status: int
) -> None:
    path = await opened(house)
    answer = await house.http.post(f"{path}/attachments", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    assert (await house.http.get(path)).json()["attachments"] == []
    assert [one for one in house.gateway.store.path.glob("attachments/**/*") if one.is_file()] == []


async def test_a_claim_of_another_type_does_not_matter(house: House) -> None:
    path = await opened(house)
    sent = await house.http.post(f"{path}/attachments?name=x.exe", content=PDF, headers=AS_JPEG)
    (one,) = sent.json()["attachments"]
    assert (one["media_type"], one["kind"], one["name"]) == ("application/pdf", "document", "x.exe.pdf")
    photo = await house.http.post(f"{path}/attachments?kind=photo", content=PDF, headers=AS_JPEG)
    assert (photo.status_code, "a photo is a picture" in photo.json()["detail"]) == (422, True)


async def test_a_file_over_the_limit_is_refused_announced_or_counted(house: House) -> None:
    path = f"{await opened(house)}/attachments"
    most = house.gateway.attachments.most

    async def endless() -> AsyncIterator[bytes]:
        yield JPEG
        for _ in range(most // 65_536 + 1):
            yield b"\x00" * 65_536

    announced = await house.http.post(path, content=JPEG + b"\x00" * most, headers=AS_JPEG)
    counted = await house.http.post(path, content=endless(), headers=AS_JPEG)
    assert [one.status_code for one in (announced, counted)] == [413, 413]
    assert [one for one in house.gateway.store.path.glob("attachments/**/*") if one.is_file()] == []


async def test_a_full_disk_is_said_and_everything_else_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await opened(house)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)  # a disk cannot be filled in a test
        answer = await house.http.post(f"{path}/attachments", content=JPEG, headers=AS_JPEG)
    assert (answer.status_code, "no room" in answer.json()["detail"]) == (507, True)
    again = await house.http.post(f"{path}/attachments", content=JPEG, headers=AS_JPEG)
    assert again.status_code == 201


async def test_the_same_request_under_the_same_key_attaches_once(house: House) -> None:
    path = f"{await opened(house)}/attachments?name=a.jpg"
    headers = {**AS_JPEG, "Idempotency-Key": "up-1"}
    first = await house.http.post(path, content=JPEG, headers=headers)
    again = await house.http.post(path, content=JPEG, headers=headers)
    other = await house.http.post(path, content=JPEG, headers=AS_JPEG)
    assert [one.status_code for one in (first, again, other)] == [201, 201, 201]
    assert first.headers["location"] == again.headers["location"]
    assert len(other.json()["attachments"]) == 2


async def test_what_cannot_be_attached_is_said_before_and_by_name(house: House) -> None:
    path = await opened(house)
    step = await house.http.post(f"{path}/attachments?step=nonsense", content=JPEG, headers=AS_JPEG)
    assert (step.status_code, step.json()["errors"][0]["field"]) == (422, "query.step")
    none = await house.http.post("/work-orders/wo-x/attachments", content=JPEG, headers=AS_JPEG)
    assert none.status_code == 404
    await house.http.post(f"{path}/move", json={"to": "cancelled", "reason": "drill"})
    ended = await house.http.post(f"{path}/attachments", content=JPEG, headers=AS_JPEG)
    assert (ended.status_code, "drill" in ended.json()["detail"]) == (409, True)
    assert (await house.http.get(f"{path}/attachments/at-x")).status_code == 404


async def test_upkeep_sweeps_what_no_order_names_after_a_day(house: House) -> None:
    path = await opened(house)
    await house.http.post(f"{path}/attachments", content=JPEG, headers=AS_JPEG)
    stale = {**AS_JPEG, "If-Match": '"99"'}
    lost = await house.http.post(f"{path}/attachments", content=PNG, headers=stale)
    assert lost.status_code == 409
    digests = [hashlib.sha256(body).hexdigest() for body in (JPEG, PNG)]
    files = [house.gateway.attachments.path(digest) for digest in digests]
    upkeep, now = house.gateway._upkeep, int(time.time() * 1000)
    assert await upkeep.sweep(now + DAY // 2) == 0
    assert [file.exists() for file in files] == [True, True]
    assert await upkeep.sweep(now + 2 * DAY) == 1
    assert [file.exists() for file in files] == [True, False]


async def test_a_file_that_is_gone_from_the_disk_is_said_to_be(house: House) -> None:
    path = await opened(house)
    sent = await house.http.post(f"{path}/attachments", content=JPEG, headers=AS_JPEG)
    one: dict[str, Any] = sent.json()["attachments"][0]
    house.gateway.attachments.path(one["digest"]).unlink()
    answer = await house.http.get(f"{path}/attachments/{one['id']}")
    assert (answer.status_code, "restore" in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("given", "media_type", "expected"),
    [
        ("motor.JPG", "image/jpeg", "motor.jpg"),
        ("../../etc/passwd", "image/png", "passwd.png"),
        ("C:\\temp\\a.png", "image/png", "a.png"),
        ("x.html", "image/jpeg", "x.html.jpg"),
        ("", "application/pdf", "file.pdf"),
        ("...", "image/heic", "file.heic"),
        ("con.jpg", "image/jpeg", "file con.jpg"),
        ("a\x00b\r\nc\u202egpj.exe", "image/jpeg", "abcgpj.exe.jpg"),
        ('a";b=c', "image/webp", "ab=c.webp"),
        ("电机 照片.jpeg", "image/jpeg", "电机 照片.jpeg"),
        ("x" * 500, "image/jpeg", "x" * 116 + ".jpg"),
    ],
)
def test_a_name_is_harmless_and_honest(given: str, media_type: str, expected: str) -> None:
    assert fitting_name(given, media_type) == expected


def test_a_name_of_any_language_goes_into_a_header() -> None:
    assert content_disposition("电机.jpg") == (
        "attachment; filename=\"__.jpg\"; filename*=UTF-8''%E7%94%B5%E6%9C%BA.jpg"
    )
