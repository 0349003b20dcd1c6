"""How parcels go between the two processes of a test."""

from __future__ import annotations

import pickle
import socket
import struct

from flyte_nb.crossing.memory import Memory
from flyte_nb.crossing.parcel import Parcel


def send(connection: socket.socket, head: bytes, parcel: Parcel) -> None:
    """Send a parcel, with its memory, and something before it."""
    body = pickle.dumps((head, parcel.payload), 5)
    files = [parcel.memory.fd] if parcel.memory else []
    socket.send_fds(connection, [struct.pack("<IB", len(body), len(files))], files)
    connection.sendall(body)
    if parcel.memory:
        parcel.memory.close()


def receive(connection: socket.socket) -> tuple[bytes, Parcel]:
    """Return what `send` has sent."""
    start, files, _, _ = socket.recv_fds(connection, 5, 1)
    if not start:
        raise EOFError
    size, _ = struct.unpack("<IB", start)
    body = b""
    while len(body) < size:
        body += connection.recv(size - len(body))
    head, payload = pickle.loads(body)  # noqa: S301 - of a process that was started here
    return head, Parcel(payload, Memory.received(files[0]) if files else None)
