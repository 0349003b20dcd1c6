"""What one call has printed, logged and displayed, line by line as a terminal would show it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from time import time

from flyte_nb.execution.clock import utc
from flyte_nb.execution.node import LogLine
from flyte_nb.masking import beginning_without_credentials

__all__ = ["MOST_LINES", "Excerpt", "Output"]

MOST_LINES = 10_000
_LONGEST_LINE = 10_000


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Consecutive lines of an output.

    Attributes:
        first: The number of the first of them; the first line of all is 0.
        lines: The lines.
        settled: How many lines of the output, from its beginning, will not change any more.
    """

    first: int
    lines: list[LogLine]
    settled: int


class _Line:
    __slots__ = ("number", "seconds", "stream", "text")

    def __init__(self, stream: str, number: int) -> None:
        self.stream, self.number, self.text, self.seconds = stream, number, "", time()


class Output:
    """Lines in the order they were begun; of more than 10,000, the last. Can be written to from any thread."""

    __slots__ = ("_adding", "_coming", "_kept", "_lock", "_open", "count")

    def __init__(self) -> None:
        # Whoever writes may be interrupted by a signal handler or a finalizer, which may print as well.
        self._lock = threading.RLock()
        self._coming: deque[tuple[str, str]] = deque()
        self._adding = False
        self._kept: deque[_Line] = deque(maxlen=MOST_LINES)
        self._open: dict[str, _Line] = {}
        self.count = 0

    def write(self, stream: str, text: str) -> None:
        """Add `text`, which may hold parts of lines; a carriage return begins the present line anew."""
        with self._lock:
            self._coming.append((stream, text))
            if self._adding:
                return  # what was interrupted adds it
            self._adding = True
            try:
                while self._coming:
                    self._add(*self._coming.popleft())
            finally:
                self._adding = False

    def _add(self, stream: str, text: str) -> None:
        pieces = text.split("\n")
        for piece in pieces[:-1]:
            self._extend(stream, piece)
            self._open.pop(stream, None)
        if pieces[-1]:
            self._extend(stream, pieces[-1])

    def _extend(self, stream: str, piece: str) -> None:
        line = self._open.get(stream)
        if line is None:
            line = self._open[stream] = _Line(stream, self.count)
            self._kept.append(line)
            self.count += 1
        line.text = _overwritten(line.text + piece)[: _LONGEST_LINE + 1]  # one more, so that a cut can be seen

    def lines(self, node: int, task: str, after: int = 0) -> list[LogLine]:
        """Return the lines from number `after` on, as those of the call `node` of `task`."""
        return self.excerpt(node, task, after).lines

    def excerpt(self, node: int, task: str, after: int = 0) -> Excerpt:
        """Return the lines from number `after` on, or from the first that is kept, and where they stand."""
        with self._lock:
            dropped = self.count - len(self._kept)
            first = max(after, dropped)
            kept = [(line.seconds, line.stream, line.text) for line in list(self._kept)[first - dropped :]]
            settled = min((line.number for line in self._open.values()), default=self.count)
        # Masking takes its time; whoever writes does not wait for it.
        lines = [LogLine(node, task, utc(seconds), stream, _shown(text)) for seconds, stream, text in kept]
        return Excerpt(first, lines, settled)


def _overwritten(text: str) -> str:
    """Return what is left of a line after its carriage returns; one at the end waits for what comes."""
    before, _, last = text.rpartition("\r")
    return last or (before.rpartition("\r")[2] + "\r" if before else text)


def _shown(text: str) -> str:
    return beginning_without_credentials(text.rstrip("\r"), _LONGEST_LINE)
