"""One member's status, from a real server: over its socket as this machine's own, over TCP as a peer's; and from servers that
say nothing, or are not there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cases import EXAMPLES
from test_documents import schema, validate

import pfcluster
from pfcluster import errors, host

# Addresses that no other run of the tests has.
NETWORK = f"127.{1 + os.getpid() % 250}.{os.getpid() // 250 % 250}"
FIRST, SECOND, THIRD = (f"pf{number}.example.com" for number in (1, 2, 3))
PROVIDER = "/usr/lib/galera/libgalera_smm.so"


@dataclass(frozen=True)
class Server:
    """A cluster of one node, at the management address of the first member."""

    process: subprocess.Popen[bytes]
    folder: Path

    def sql(self, text: str) -> None:
        command = ["mariadb", "--no-defaults", f"--socket={self.folder}/socket", "-e", text]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation of the guide's three members, on loopback addresses."""
    root = tmp_path_factory.mktemp("member") / "pf"
    (root / "conf").mkdir(parents=True)
    text = (EXAMPLES / "guide" / "cluster.conf").read_text()
    for number in (5, 6, 7):
        text = text.replace(f"192.168.1.{number}", f"{NETWORK}.{number}")
    (root / "conf" / "cluster.conf").write_text(text)
    account = "galera_replication_username=pf\ngalera_replication_password=s3cretword\n"
    (root / "conf" / "pf.conf").write_text(f"[active_active]\n{account}")
    return root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Server]:
    missing = [name for name in ("mariadbd", "mariadb", "mariadb-install-db") if shutil.which(name) is None]
    assert not missing, f"{missing} not installed: apt-get install mariadb-server galera-4 (tests/install)"
    folder = tmp_path_factory.mktemp("server")
    data = ["--no-defaults", f"--datadir={folder}/data", "--user=root"]
    small = ["--innodb-log-file-size=8M"]
    install = ["mariadb-install-db", *data, *small, "--skip-test-db", "--skip-name-resolve"]
    subprocess.run(install, check=True, capture_output=True)
    address = f"{NETWORK}.5"
    command = ["mariadbd", *data, *small, "--innodb-buffer-pool-size=32M", f"--socket={folder}/socket"]
    command += [f"--pid-file={folder}/pid", f"--bind-address={address}", "--port=3306", "--skip-name-resolve"]
    command += ["--wsrep-on=ON", f"--wsrep-provider={PROVIDER}", "--wsrep-cluster-address=gcomm://", "--wsrep-new-cluster"]
    command += [f"--wsrep-node-address={address}", f"--wsrep-node-incoming-address={address}", "--binlog-format=ROW"]
    command += [f"--wsrep-provider-options=gmcast.listen_addr=tcp://{address}:4567;ist.recv_addr={address}:4568"]
    with open(folder / "log", "wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        running = Server(process, folder)
        try:
            while not is_ready(own(running, root)):
                assert process.poll() is None, (folder / "log").read_text(errors="replace")
            running.sql("CREATE USER pf@'%' IDENTIFIED BY 's3cretword'")
            yield running
        finally:
            process.terminate()


def is_ready(status: pfcluster.MemberStatus) -> bool:
    return status.database.state == "primary" and status.database.galera.ready is True


def own(server: Server, root: Path, **more: Any) -> pfcluster.MemberStatus:
    where = {"datadir": server.folder / "data", "socket": server.folder / "socket", "backups": server.folder}
    return host.member_status(FIRST, root=root, host=FIRST, **{**where, "timeout": 30, **more})


def test_the_own_server_is_asked_at_its_socket(server: Server, root: Path) -> None:
    (server.folder / "packetfence-db-dump-a.sql.gz").write_text("x")
    status = own(server, root)
    database = status.database
    assert (status.host, status.answers, status.maintenance) == (FIRST, True, False)
    assert (database.state, database.galera.local_state, database.galera.cluster_size) == ("primary", "synced", 1)
    assert database.connections.max == 151 and database.connections.used >= 1
    assert status.last_backup is not None and status.last_backup.file == "packetfence-db-dump-a.sql.gz"
    assert status.notes == () and status.supervisor is None


def test_a_peer_is_asked_over_tcp(server: Server, root: Path) -> None:
    where: dict[str, Any] = {"root": root, "host": SECOND, "socket": root / "none", "timeout": 30}
    status = host.member_status(FIRST, **where)
    assert (status.database.state, status.database.galera.cluster_size) == ("primary", 1)
    assert (status.maintenance, status.last_backup) == (None, None), "that only the member itself knows"
    # The same that the status of all says of it, but for what passes.
    (first, *_) = host.status(**where, backups=root, run_directory=root).members
    assert isinstance(first, pfcluster.MemberStatus) and type(first) is type(status)
    assert {**first.to_dict(), "database": None} == {**status.to_dict(), "database": None}
    assert host.member_status(SECOND, root=root, host=FIRST).database.state == "closed"


def test_who_is_not_let_in(server: Server, root: Path) -> None:
    options = server.folder / "client.cnf"
    options.write_text("[client]\nuser=nobody-here\npassword=s3cretword\n")
    where: dict[str, Any] = {"root": root, "host": SECOND, "socket": root / "none", "timeout": 30}
    status = host.member_status(FIRST, **where, mysql_defaults_file=options)
    assert status.database.state == "refused" and "nobody-here" in status.database.why
    assert "s3cretword" not in status.to_json() + repr(status)


def test_a_document_like_those_of_the_status(server: Server, root: Path) -> None:
    document = own(server, root)
    cluster = host.status(
        root=root, host=FIRST, datadir=server.folder / "data", socket=server.folder / "socket",
        backups=server.folder, run_directory=root, timeout=30,
    )  # fmt: skip
    validate(cluster, "status")
    assert set(document.to_dict()) == set(schema("status.json")["$defs"]["member"]["required"])
    match_args = pfcluster.MemberStatus.__match_args__
    assert [getattr(document, name) for name in match_args] == [FIRST, document.database]


@pytest.fixture
def silent(root: Path) -> Iterator[socket.socket]:
    """A server at the third member's address that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind((f"{NETWORK}.7", 3306))
        listener.listen()
        yield listener


def test_a_server_that_says_nothing(root: Path, silent: socket.socket) -> None:
    status = host.member_status(THIRD, root=root, host=FIRST, timeout=0.2)
    assert (status.database.state, status.answers) == ("silent", False)


def test_other_threads_go_on(root: Path, silent: socket.socket) -> None:
    answers: list[pfcluster.MemberStatus] = []
    ask = threading.Thread(target=lambda: answers.append(host.member_status(THIRD, root=root, host=FIRST, timeout=300)))
    ask.start()
    # This thread is the server: if the one that asks kept the lock, nobody would answer it before its time is over.
    silent.accept()[0].close()
    ask.join()
    assert answers[0].database.state == "silent" and "no answer within" not in answers[0].to_json()


def test_who_can_not_be_asked(root: Path) -> None:
    with pytest.raises(errors.NotAMemberError, match=r"pf9 is not a member of the cluster"):
        host.member_status("pf9", root=root, host=FIRST)
    with pytest.raises(TypeError):
        host.member_status(5, root=root, host=FIRST)  # type: ignore[arg-type]
    with pytest.raises(errors.InputError, match="out of range"):
        host.member_status(THIRD, root=root, host=FIRST, timeout=0)
    with pytest.raises(errors.HostError, match="cannot read"):
        host.member_status(THIRD, root=root / "nowhere", host=FIRST)
