"""Files of work orders: what they are is told by their bytes, and nothing that is somebody's is ever swept."""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.attachments import SUFFIXES, Attachments, Kept, Refusal, media_type_of

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 40
HEIC = b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic" + b"\x00" * 40
NOW = 4_000_000_000_000
"""Later than any file a test writes."""


async def parts(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def left(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file()]


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "image/png"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (HEIC, "image/heic"),
        (b"\x00\x00\x00\x14ftypheic\x00\x00\x00\x00mif1", "image/heic"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp41", None),
        (b"\x00\x00\x00\x10ftypmif1\x00\x00\x00\x00heic", None),  # the brand lies behind the end of the box
        (b"RIFF\x10\x00\x00\x00AVI LIST", None),
        (b"GIF89a", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
        (b"<html>", None),
        (b"MZ\x90", None),
        (b"\xff\xd8", None),
        (b"", None),
    ],
)
def test_a_type_is_told_by_the_first_bytes(beginning: bytes, expected: str | None) -> None:
    assert media_type_of(beginning) == expected


@given(st.binary(max_size=80))
def test_no_bytes_at_all_break_the_telling(beginning: bytes) -> None:
    assert media_type_of(beginning) in (*SUFFIXES, None)


@given(st.lists(st.integers(1, 400_000), min_size=1, max_size=6))
async def test_however_a_file_is_cut_it_is_kept_whole_under_its_hash(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int]
) -> None:
    files = Attachments(tmp_path_factory.mktemp("kept"), 10 << 20)
    body = (JPEG * (sum(lengths) // len(JPEG) + 1))[: max(sum(lengths), 3)]
    async with files.received(parts(*_cut(body, lengths))) as taken:
        assert taken == Kept(hashlib.sha256(body).hexdigest(), len(body), "image/jpeg")
        assert files.path(taken.digest).read_bytes() == body


def _cut(body: bytes, lengths: Iterable[int]) -> Iterable[bytes]:
    at = 0
    for length in lengths:
        yield body[at : at + length]
        at += length
    yield body[at:]


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"", "empty"), (b"<html>", "type"), (JPEG + b"x" * 1_000, "size")],
)
async def test_what_is_not_taken_leaves_nothing_behind(tmp_path: Path, body: bytes, why: str) -> None:
    files = Attachments(tmp_path / "files", 500)
    async with files.received(parts(body)) as taken:
        assert isinstance(taken, Refusal)
        assert taken.why == why
    assert left(tmp_path) == []


async def test_an_upload_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield JPEG * 10_000
        raise ConnectionResetError

    files = Attachments(tmp_path / "files", 10 << 20)
    with pytest.raises(ConnectionResetError):
        async with files.received(broken()):
            pass
    assert left(tmp_path) == []


async def test_a_full_disk_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    files = Attachments(tmp_path / "files", 1_000)
    monkeypatch.setattr(os, "fsync", full)  # a disk cannot be filled in a test
    async with files.received(parts(JPEG)) as taken:
        assert taken == Refusal("room", "the gateway's disk has no room for it: No space left on device")
    assert left(tmp_path) == []


async def test_upkeep_deletes_old_files_and_broken_uploads_but_never_what_is_being_uploaded(
    tmp_path: Path,
) -> None:
    files = Attachments(tmp_path / "files", 1_000)
    async with files.received(parts(JPEG)) as first:
        assert isinstance(first, Kept)
    (tmp_path / "files" / "dead.part").write_bytes(b"left by a crash")
    async with files.received(parts(JPEG)) as again:
        assert again == first
        assert files.unchanged_since(NOW) == [first.digest]
        assert files.forget([first.digest], NOW) == 1  # the part
        assert files.path(first.digest).exists()
    assert files.forget([first.digest], 0) == 0  # sent since then
    assert files.forget([first.digest], NOW) == 1
    assert not files.path(first.digest).exists()


async def test_a_sweep_beside_an_upload_does_not_touch_it(tmp_path: Path) -> None:
    files, going_on, swept = Attachments(tmp_path / "files", 1_000), asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield JPEG
        going_on.set()
        await swept.wait()
        yield b"the rest"

    async def upload() -> bool:
        async with files.received(slow()) as taken:
            return isinstance(taken, Kept) and files.path(taken.digest).exists()

    uploading = asyncio.create_task(upload())
    await going_on.wait()
    assert files.forget([], NOW) == 0
    swept.set()
    assert await uploading
