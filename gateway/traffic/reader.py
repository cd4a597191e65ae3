"""Reading a traffic file: what can be read, line by line, and everything that could not, with its line."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gateway.core.values import Message, Millis
from gateway.errors import Problem
from gateway.traffic.lines import Line, Wire, meaning, parse, parse_many
from gateway.traffic.packed import Broken, pieces

LINE_MOST = 16 << 20
"""Bytes of one line."""
SHOWN = 60
"""Characters of a broken line that are shown."""


class TrafficReader:
    """Reads one file, once.

    A line that cannot be read costs only itself. ``faults`` counts them, and ``on_fault`` is told of each; whoever reads
    says of the result that it is partial when there were any.

    Args:
        path: the file; ``-`` is the standard input.
        on_fault: told what is wrong with a line, or with the file from a line on.
        after: the last moment of the file before it, of several that belong together.
    """

    def __init__(
        self, path: Path, on_fault: Callable[[Problem], None] = lambda _: None, after: Millis = 0
    ) -> None:
        self.path = path
        self.faults = 0
        self.lines = 0
        """Lines read so far, broken ones included."""
        self.taken = 0
        """Bytes of the file read so far, as they lie on disk."""
        self._on_fault = on_fault
        self.last: Millis = after
        """The time of the last line that could be read, milliseconds UTC."""

    def __iter__(self) -> Iterator[Line]:
        """Every line that can be read. Raises :class:`gateway.errors.TrafficError` when the file cannot be opened."""
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[Sequence[Line]]:
        """The same, some thousand lines at a time."""
        for block in self._blocks():
            yield self._lines(block)

    def _blocks(self) -> Iterator[bytes]:
        """Whole lines; the last one may lack its end."""
        held: list[bytes] = []
        size, skipping = 0, False
        for piece in pieces(self.path, self._take):
            if isinstance(piece, Broken):  # what is held is the beginning of a line
                self._fault(self.lines + 1, piece.words)
                return
            cut = piece.rfind(b"\n") + 1
            if cut:
                block = b"".join([*held, piece[:cut]])
                if skipping:
                    block, skipping = block[block.find(b"\n") + 1 :], False
                held, size = [piece[cut:]], len(piece) - cut
                if block:
                    yield block
            elif not skipping:
                held.append(piece)
                size += len(piece)
            if size > LINE_MOST:
                self.lines += 1
                self._fault(self.lines, f"a line of more than {LINE_MOST >> 20} MiB")
                held, size, skipping = [], 0, True
        if not skipping:
            yield from _rest(held)

    def _take(self, size: int) -> None:
        self.taken += size

    def _lines(self, block: bytes) -> Sequence[Line]:
        first = self.lines + 1
        try:
            wires = parse_many(block)
        except ValueError:
            return self._one_by_one(block)
        count = block.count(b"\n") + (not block.endswith(b"\n"))
        if len(wires) != count:  # there are empty lines among them
            return self._one_by_one(block)
        self.lines += count
        found: list[Line] = []
        last = self.last
        for number, wire in enumerate(wires, first):
            payload = wire.payload
            if type(payload) is str and wire.input is None and wire.topic is not None and wire.at >= last:
                last = wire.at
                message = Message(wire.topic, payload.encode(), wire.retain, wire.received, wire.seals)
                # Past the constructor, which takes as long as all else here.
                found.append(tuple.__new__(Line, (number, last, message, wire.qos)))
                continue
            self.last = last
            line = self._line(number, wire)
            last = self.last
            if line is not None:
                found.append(line)
        self.last = last
        return found

    def _one_by_one(self, block: bytes) -> Sequence[Line]:
        found: list[Line] = []
        for text in block.removesuffix(b"\n").split(b"\n"):
            self.lines += 1
            bare = text.removeprefix(b"\xef\xbb\xbf").strip()
            if not bare:
                continue
            try:
                wire = parse(bare)
            except ValueError as error:
                self._fault(self.lines, f"{error}; found {_show(bare)}")
                continue
            line = self._line(self.lines, wire)
            if line is not None:
                found.append(line)
        return found

    def _line(self, number: int, wire: Wire) -> Line | None:
        if wire.at < self.last:
            words = f"at {wire.at} lies before the line before it; expected {self.last} or later"
            self._fault(number, words, "at")
            return None
        try:
            one = meaning(wire)
        except ValueError as error:
            self._fault(number, str(error))
            return None
        self.last = wire.at
        return Line(number, wire.at, one, wire.qos)

    def _fault(self, number: int, words: str, field: str = "") -> None:
        self.faults += 1
        self._on_fault(Problem(str(self.path), number, field, words))


def _rest(held: Sequence[bytes]) -> Iterator[bytes]:
    rest = b"".join(held)
    if rest:
        yield rest


def _show(text: bytes) -> str:
    shown = text[:SHOWN].decode(errors="replace")
    return repr(shown) + (" …" if len(text) > SHOWN else "")
