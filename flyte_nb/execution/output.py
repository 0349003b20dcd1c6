"""What one call has printed, logged and displayed, line by line as a terminal would show it."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timezone
from time import time

from flyte_nb.execution.node import LogLine
from flyte_nb.masking import without_credentials

__all__ = ["Output"]

MOST_LINES = 10_000
_LONGEST_LINE = 10_000


class _Line:
    __slots__ = ("seconds", "stream", "text")

    def __init__(self, stream: str) -> None:
        self.stream, self.text, self.seconds = stream, "", time()


class Output:
    """Lines in the order they were begun; of more than 10,000, the last. Can be written to from any thread."""

    __slots__ = ("_kept", "_lock", "_open", "count")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[_Line] = deque(maxlen=MOST_LINES)
        self._open: dict[str, _Line] = {}
        self.count = 0

    def write(self, stream: str, text: str) -> None:
        """Add `text`, which may hold parts of lines; a carriage return begins the present line anew."""
        with self._lock:
            pieces = text.split("\n")
            for piece in pieces[:-1]:
                self._extend(stream, piece)
                self._open.pop(stream, None)
            if pieces[-1]:
                self._extend(stream, pieces[-1])

    def _extend(self, stream: str, piece: str) -> None:
        line = self._open.get(stream)
        if line is None:
            line = self._open[stream] = _Line(stream)
            self._kept.append(line)
            self.count += 1
        line.text = _overwritten(line.text + piece)[:_LONGEST_LINE]

    def lines(self, node: int, task: str, after: int = 0) -> list[LogLine]:
        """Return the lines from number `after` on, as those of the call `node` of `task`."""
        with self._lock:
            first = max(0, after - (self.count - len(self._kept)))
            kept = list(self._kept)[first:]
            return [LogLine(node, task, _utc(line.seconds), line.stream, _shown(line.text)) for line in kept]


def _overwritten(text: str) -> str:
    """Return what is left of a line after its carriage returns; one at the end waits for what comes."""
    before, _, last = text.rpartition("\r")
    return last or (before.rpartition("\r")[2] + "\r" if before else text)


def _shown(text: str) -> str:
    masked: str = without_credentials(text.rstrip("\r"))
    return masked


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
