"""This machine's side: deadlines hold, other threads go on meanwhile, Ctrl-C ends the wait."""

from __future__ import annotations

import json
import pickle
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
from test_documents import program, validate

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
    assert (evidence.not_responding, evidence.starting) == (True, False)
    assert evidence.notes is not None and "no answer within" in evidence.notes[0].message


def test_other_threads_go_on(machine: dict[str, Any], server: socket.socket) -> None:
    answers = []
    thread = threading.Thread(target=lambda: answers.append(pfcluster.host.evidence(**machine, timeout=300)))
    thread.start()
    # This thread is the server: if the one that asks kept the lock, nobody would answer it before its time is over.
    server.accept()[0].close()
    thread.join()
    assert "no answer within" not in answers[0].to_json()
    assert "the database takes connections and does not answer" in answers[0].to_json()


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


@pytest.fixture
def cluster(machine: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """Three members on loopback addresses, at whose doors nobody answers."""
    text = (EXAMPLES / "guide" / "cluster.conf").read_text()
    for number in (5, 6, 7):
        text = text.replace(f"192.168.1.{number}", f"127.0.77.{number}")
    (tmp_path / "pf" / "conf" / "cluster.conf").write_text(text)
    pf_conf = "[webservices]\nuser=u\npass=p\nport=9\n[active_active]\n"
    pf_conf += "galera_replication_username=u\ngalera_replication_password=p\n"
    (tmp_path / "pf" / "conf" / "pf.conf").write_text(pf_conf)
    (tmp_path / "pf" / "var" / "conf").mkdir(parents=True)
    (tmp_path / "pf" / "var" / "conf" / "config_version").write_text("1510000000.5")
    return machine


def test_status(cluster: dict[str, Any], tmp_path: Path) -> None:
    elsewhere: dict[str, Any] = {"backups": tmp_path, "run_directory": tmp_path}
    status = pfcluster.host.status(**cluster, **elsewhere, timeout=30)
    validate(status, "status")
    assert (status.asked_by, [member.host for member in status.members][0]) == (HOST, HOST)
    states = {member.host.partition(".")[0]: member.database.state for member in status.members}
    assert states == {"pf1": "stopped", "pf2": "closed", "pf3": "closed"}
    assert status.members[0].config_version == "1510000000.5"
    assert {reason.kind for reason in status.reasons} >= {"stopped", "closed"} and status.remedy
    assert f"Cluster: {status.verdict.replace('_', '-')}\n" in str(status)
    # The same as the command line.
    printed = json.loads(program("status", *options({**cluster, **elsewhere}), "--format", "json"))
    assert {**status.to_dict(), "asked_at": None} == {**printed, "asked_at": None}
    with pytest.raises(errors.HostError, match="cannot read"):
        pfcluster.host.status(**{**cluster, "mysql_defaults_file": tmp_path / "nowhere"})


def test_status_of_a_member_that_says_nothing(cluster: dict[str, Any], server: socket.socket, tmp_path: Path) -> None:
    status = pfcluster.host.status(**cluster, backups=tmp_path, run_directory=tmp_path, timeout=0.2)
    assert status.members[0].database.state == "silent"


def options(arguments: dict[str, Any]) -> list[str]:
    """The same for the command line."""
    return [word for name, value in arguments.items() for word in ("--" + name.replace("_", "-"), str(value))]


def test_config_versions(cluster: dict[str, Any]) -> None:
    where = {"root": cluster["root"], "host": HOST}
    versions = pfcluster.host.config_versions(**where, timeout=30)
    validate(versions, "versions")
    assert [member.config_version for member in versions.members] == ["1510000000.5", None, None]
    assert [(one.member, one.why) for one in versions.silent] == [
        (f"pf{number}.example.com", "connection refused") for number in (2, 3)
    ]
    assert pickle.loads(pickle.dumps(versions)).silent == versions.silent
    decision = pfcluster.resolve_conflict(versions)
    assert decision == pfcluster.resolve_conflict(versions.to_json())
    assert decision.action.kind == "nothing_to_compare"
    with pytest.raises(errors.NotAMemberError):
        pfcluster.host.config_versions(**{**where, "host": "pf9"})
    with pytest.raises(errors.InputError, match="fingerprints"):
        pfcluster.host.config_versions(**where, fingerprints=["00"])
    (cluster["root"] / "conf" / "pf.conf").write_text("[webservices]\nport=no\nuser=u\npass=p\n")
    with pytest.raises(errors.HostError, match="is no port"):
        pfcluster.host.config_versions(**where)
    (cluster["root"] / "conf" / "pf.conf").unlink()
    with pytest.raises(errors.InputError, match="user is missing"):
        pfcluster.host.config_versions(**where)


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
