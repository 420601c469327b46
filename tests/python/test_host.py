"""This machine's side: deadlines hold, other threads go on meanwhile, Ctrl-C ends the wait."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cases import EXAMPLES

import pfcluster
import pfcluster.host
from pfcluster import errors

HOST = "pf1.example.com"
GRASTATE = "uuid: ec9a1a36-e6ed-11f1-823f-231ddacb0bd4\nseqno: 12\nsafe_to_bootstrap: 1\n"


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, Any]:
    """A member whose database was stopped cleanly, and how it is asked."""
    (tmp_path / "pf" / "conf").mkdir(parents=True)
    (tmp_path / "pf" / "conf" / "cluster.conf").write_bytes((EXAMPLES / "guide" / "cluster.conf").read_bytes())
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "grastate.dat").write_text(GRASTATE)
    paths = {"root": tmp_path / "pf", "datadir": tmp_path / "data", "socket": tmp_path / "socket"}
    return {**paths, "host": HOST}


@pytest.fixture
def server(machine: dict[str, Any]) -> Iterator[socket.socket]:
    """A server on the member's socket that takes connections and says nothing."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(machine["socket"]))
        listener.listen()
        yield listener


def test_evidence(machine: dict[str, Any]) -> None:
    evidence = pfcluster.host.evidence(**machine)
    assert (evidence.host, evidence.running, evidence.starting) == (HOST, None, False)
    assert evidence.files is not None and evidence.files.grastate.seqno == 12
    decision = pfcluster.select_bootstrap(pfcluster.load(machine["root"] / "conf" / "cluster.conf"), [evidence])
    assert decision.action.kind == "wait"
    assert pfcluster.Evidence(evidence.to_json()) == evidence


def test_a_silent_server_is_not_absent(machine: dict[str, Any], server: socket.socket) -> None:
    evidence = pfcluster.host.evidence(**machine, timeout=0.2)
    assert evidence.starting
    assert evidence.notes is not None and "did not answer within" in evidence.notes[0].message


def test_other_threads_go_on(machine: dict[str, Any], server: socket.socket) -> None:
    answers = []
    thread = threading.Thread(target=lambda: answers.append(pfcluster.host.evidence(**machine, timeout=300)))
    thread.start()
    # This thread is the server: if the one that asks kept the lock, nobody would answer it before its time is over.
    server.accept()[0].close()
    thread.join()
    assert "did not answer within" not in answers[0].to_json()
    assert "the database does not answer" in answers[0].to_json()


def test_an_interrupt_ends_the_wait(machine: dict[str, Any], server: socket.socket) -> None:
    script = """
import sys, pfcluster.host
root, datadir, socket, host = sys.argv[1:]
try:
    pfcluster.host.evidence(root=root, datadir=datadir, socket=socket, host=host, timeout=600)
except KeyboardInterrupt:
    print("interrupted")
"""
    arguments = [str(machine[name]) for name in ("root", "datadir", "socket", "host")]
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True) as process:
        connection, _ = server.accept()
        # It waits for an answer now.
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
        connection.close()
    assert (said, process.returncode) == ("interrupted\n", 0)


def test_what_is_not_there(machine: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(errors.HostError, match="cannot read"):
        pfcluster.host.evidence(**{**machine, "root": tmp_path / "nowhere"})
    with pytest.raises(errors.NotAMemberError, match=r"the members are pf1\.example\.com"):
        pfcluster.host.evidence(**{**machine, "host": "pf9"})
    with pytest.raises(errors.HostError):
        pfcluster.host.evidence(**{**machine, "datadir": tmp_path / "nowhere"})
    for timeout in (0, -1, 1e9, float("nan"), float("inf")):
        with pytest.raises(errors.InputError, match="out of range"):
            pfcluster.host.evidence(**machine, timeout=timeout)


def test_nothing_of_the_host_is_loaded_with_the_module() -> None:
    script = "import sys, pfcluster; print(sorted(name for name in sys.modules if name.startswith('pfcluster')))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['pfcluster', 'pfcluster._native', 'pfcluster.errors']"
