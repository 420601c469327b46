"""A hostile server in the place of a database ends no program that has the module: another process reads what it sends."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cases import EXAMPLES

import pfcluster.host

HOST = "pf1.example.com"
PASSWORD = "s3cretword"
# MariaDB 10.11 without TLS, with `mysql_native_password`.
GREETING = (
    b"\x0a5.5.5-10.11.6-MariaDB\0\x07\0\0\0AAAAAAAA\0\xff\xf7\x21\x02\0\x0b\0\x15" + bytes(10) + b"A" * 12
) + b"\0mysql_native_password\0"
OK = b"\0\0\0\x02\0\0\0"


def packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def greet(client: socket.socket) -> None:
    client.sendall(packet(0, GREETING))
    client.recv(4096)
    client.sendall(packet(2, OK))
    client.recv(4096)


def columns(client: socket.socket) -> None:
    """2^36 columns: one that makes room for them has no memory left."""
    greet(client)
    client.sendall(packet(1, b"\xfe" + (1 << 36).to_bytes(8, "little")))


def rows(client: socket.socket) -> None:
    """Rows without end."""
    greet(client)
    column = packet(2, b"\x03def\0\0\0\x01a\x01a\x0c\x21\0\xff\0\0\0\xfd\0\0\0\0\0")
    client.sendall(packet(1, b"\x01") + column + packet(3, b"\xfe\0\0\x02\0"))
    row = b"\xfd" + (60_000).to_bytes(3, "little") + b"x" * 60_000
    for number in range(1_000_000):
        client.sendall(packet((4 + number) % 256, row))


def key(client: socket.socket) -> None:
    """Asks for the password itself, with a key of its own (`caching_sha2_password`, full authentication)."""
    client.sendall(packet(0, GREETING))
    client.recv(4096)
    client.sendall(packet(2, b"\xfecaching_sha2_password\0" + b"A" * 20 + b"\0"))
    client.recv(4096)
    client.sendall(packet(4, b"\x01\x04"))
    said.append(client.recv(4096))


said: list[bytes] = []


@pytest.fixture(params=[columns, rows, key])
def rogue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """Such a server, on the socket of the member's own database and at a peer's address."""
    attack: Callable[[socket.socket], None] = request.param
    said.clear()

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                try:
                    attack(client)
                    # It would like to be asked more.
                    client.recv(4096)
                except OSError:
                    pass

    with socket.socket(socket.AF_UNIX) as own, socket.socket() as peer:
        own.bind(str(tmp_path / "socket"))
        (tmp_path / "socket").chmod(0o777)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        peer.bind(("127.0.78.6", 3306))
        for listener in (own, peer):
            listener.listen()
            threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield peer
        for listener in (own, peer):
            listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def member(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "pf" / "conf").mkdir(parents=True)
    text = (EXAMPLES / "guide" / "cluster.conf").read_text()
    for number in (5, 6, 7):
        text = text.replace(f"192.168.1.{number}", f"127.0.78.{number}")
    (tmp_path / "pf" / "conf" / "cluster.conf").write_text(text)
    account = f"galera_replication_username=pf\ngalera_replication_password={PASSWORD}\n"
    (tmp_path / "pf" / "conf" / "pf.conf").write_text(f"[active_active]\n{account}")
    (tmp_path / "data").mkdir()
    paths = {"root": tmp_path / "pf", "datadir": tmp_path / "data", "socket": tmp_path / "socket"}
    return {**paths, "host": HOST, "timeout": 4}


def test_a_rogue_server_costs_one_answer(rogue: socket.socket, member: dict[str, Any], tmp_path: Path) -> None:
    status = pfcluster.host.status(**member, backups=tmp_path, run_directory=tmp_path)
    assert [one.database.state for one in status.members] == ["silent", "silent", "closed"]
    assert PASSWORD not in status.to_json()
    evidence = pfcluster.host.evidence(**member)
    assert evidence.not_responding
    peer = pfcluster.host.member_status("pf2.example.com", **member, backups=tmp_path)
    assert peer.database.state == "silent"
    # One that says nothing more than that it goes: no password, and no question for a key.
    assert all(words[4:] in (b"", b"\x01") for words in said), said


def test_what_reads_is_another_process(rogue: socket.socket, member: dict[str, Any], tmp_path: Path) -> None:
    """The interpreter itself stays small, whatever is sent."""
    script = """
import resource, sys, pfcluster.host
root, datadir, socket, host, backups = sys.argv[1:]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(2):
    pfcluster.host.status(
        root=root, datadir=datadir, socket=socket, host=host, backups=backups, run_directory=backups, timeout=4
    )
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    arguments = [str(member[name]) for name in ("root", "datadir", "socket", "host")]
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 60_000, "kilobytes"
