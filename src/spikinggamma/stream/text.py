r"""The text format, with one item per line.

    TIME CHANNEL         an event; TIME in whole microseconds
    tick TIME            no event before TIME will follow
    end TIME             the segment ends at TIME: decide, and start the next one from rest
    reset TIME           forget the input since the last end; a new segment begins at TIME
    label TIME CLASS     the segment that ended at TIME was of this class: a number, or a name
    stop                 the stream ends
    # ...                a comment, ignored like an empty line

Numbers are decimal, without signs, and separated by spaces; lines end in "\n" or "\r\n".
"""

from __future__ import annotations

import re

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.stream.parsing import Parser, one_item
from spikinggamma.stream.records import Items, Kind, no_items

__all__ = ["TextParser"]

# Plain lines of events are parsed many at a time; any other line is parsed on its own.
_EVENTS = re.compile(rb"(?:[0-9]{1,17}+ [0-9]{1,9}+\r?+\n)++")
_NUMBER = re.compile(rb"[0-9]{1,17}")
_WORDS = {b"tick": Kind.TICK, b"end": Kind.END, b"reset": Kind.RESET}
_LONGEST = 1024  # bytes of a line
_EXPECTED = "`TIME CHANNEL`, `tick TIME`, `end TIME`, `reset TIME`, `label TIME CLASS`, `stop` or `# ...`"


class TextParser(Parser):
    r"""Parser of the text format that this module describes.

    Example:
        >>> from spikinggamma.stream.parsing import Vocabulary
        >>> parser = TextParser(Vocabulary(4, ("left", "right")))
        >>> parser.feed(b"0 3\n1500 1\nend 20").items.times_us
        array([   0, 1500])
        >>> parser.feed(b"00\nlabel 2000 right\n").items.values
        array([0, 1])
    """

    counts = "line"

    def _whole(self, data: bytes, *, last: bool) -> int:
        return data.rfind(b"\n") + 1

    def _check_rest(self, rest: bytes, *, last: bool) -> None:
        if len(rest) > _LONGEST:
            raise self._wrong(rest, f"a line of at most {_LONGEST} bytes")
        if last and rest:
            raise self._wrong(rest, "a line with an end: is it cut short?")

    def _step(self, data: bytes, at: int) -> tuple[Items, int]:
        events = _EVENTS.match(data, at)
        if events is not None:
            return self._events(events.group()), events.end()
        end = data.index(b"\n", at)
        self._check_rest(data[at:end], last=False)
        return self._line(data[at:end].strip(), self.position + end + 1 - at), end + 1

    def _advance(self, data: bytes, start: int, end: int) -> None:
        super()._advance(data, start, end)
        self.line += data.count(b"\n", start, end)

    def _events(self, lines: bytes) -> Items:
        numbers = np.fromstring(lines.decode("ascii"), np.int64, sep=" ").reshape(-1, 2)
        ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n")) + 1
        count = len(numbers)
        places = np.arange(self.line + 1, self.line + 1 + count)
        return Items(np.zeros(count, np.uint8), numbers[:, 0], numbers[:, 1], self.position + ends, places)

    def _line(self, line: bytes, end: int) -> Items:
        if not line or line.startswith(b"#"):
            return no_items()
        number = self.line + 1
        words = line.split(maxsplit=2)
        if words == [b"stop"]:
            self.stopped = True
            return no_items()
        if len(words) == 2 and words[0] in _WORDS:
            return one_item(_WORDS[words[0]], self._number(words[1], line), 0, end, number)
        if len(words) == 3 and words[0] == b"label":
            return one_item(Kind.LABEL, self._number(words[1], line), self._class(words[2], line), end, number)
        if len(words) == 2:
            return one_item(Kind.EVENT, self._number(words[0], line), self._number(words[1], line), end, number)
        raise self._wrong(line, _EXPECTED)

    def _number(self, word: bytes, line: bytes) -> int:
        if _NUMBER.fullmatch(word) is None:
            raise self._wrong(line, _EXPECTED)
        return int(word)

    def _class(self, word: bytes, line: bytes) -> int:
        names = self.vocabulary.class_names
        name = word.decode("utf-8", "replace")
        if name in names:
            return names.index(name)
        if _NUMBER.fullmatch(word) is None:
            raise self._wrong(line, f"a class from 0 to {len(names) - 1}, or one of {', '.join(names[:20])}")
        return int(word)

    def _wrong(self, line: bytes, expected: str) -> SpikingGammaError:
        found = repr(line[:60].decode("utf-8", "replace"))
        return SpikingGammaError(f"{self.place(self.line + 1)}, byte {self.position}", found, expected)
