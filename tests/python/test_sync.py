"""The configuration between members: pushed, pulled, compared, called off. Against the stand-ins of the Rust tests."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_documents import PROGRAM, validate

import pfcluster
from pfcluster import errors, host

SWITCHES = "conf/switches.conf"
VERSION = "var/conf/config_version"


@dataclass(frozen=True)
class StandIns:
    """Three members with one configuration, each with its web services."""

    process: subprocess.Popen[str]
    members: list[dict[str, str]]
    password: str

    def order(self, member: int, **order: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"member": member, **order}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def root(self, member: int) -> Path:
        return Path(self.members[member]["root"])

    def address(self, member: int) -> str:
        return self.members[member]["address"]

    def where(self, member: int) -> dict[str, Any]:
        return {"root": self.root(member), "host": self.members[member]["host"]}

    def texts(self, name: str) -> list[str]:
        return [(self.root(member) / name).read_text() for member in range(3)]


@pytest.fixture
def members() -> Iterator[StandIns]:
    command = [PROGRAM.with_name("stand-ins")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield StandIns(process, said["members"], said["password"])
        process.stdin.close()


def printed(members: StandIns, *arguments: str) -> str:
    """What the command line says, as the first member."""
    where = [word for name, value in members.where(0).items() for word in ("--" + name, str(value))]
    environment = {"PATH": os.environ["PATH"]}
    run = subprocess.run([PROGRAM, "sync", *arguments, *where], capture_output=True, text=True, env=environment)
    assert run.returncode in (0, 1), run.stderr
    return run.stdout


def states(sync: pfcluster.Sync) -> list[dict[str, str]]:
    return [{Path(file.path).name: file.state for file in member.files} for member in sync.members]


def test_a_dry_run_says_what_would_change_and_changes_nothing(members: StandIns) -> None:
    (members.root(0) / SWITCHES).write_text("[10.0.0.1]\ncliPwd=hunter2\ndescription=new\n")
    before = members.texts(SWITCHES), members.texts(VERSION)
    sync = host.push(**members.where(0), dry_run=True)
    validate(sync, "sync")
    assert (sync.direction, sync.dry_run, sync.complete, sync.config_version) == ("push", True, False, None)
    assert [one["switches.conf"] for one in states(sync)] == ["differs", "differs"]
    # The same as the command line, for programs and for people.
    assert sync.to_json() + "\n" == printed(members, "--as-master", "--dry-run", "--format", "json")
    assert str(sync) == printed(members, "--as-master", "--dry-run")
    assert "+description=new" in str(sync) and "hunter2" not in str(sync) + repr(sync) + sync.to_json()
    assert (members.texts(SWITCHES), members.texts(VERSION)) == before
    assert not (members.root(0) / "var" / "pfcluster").exists()
    again = pickle.loads(pickle.dumps(sync))
    assert again == sync and (again.complete, str(again)) == (False, str(sync))


def test_a_push_reaches_everybody(members: StandIns) -> None:
    (members.root(0) / SWITCHES).write_text("[10.0.0.1]\n")
    sync = host.push(**members.where(0))
    validate(sync, "sync")
    assert sync.complete and sync.backup is None
    assert [member.version_state for member in sync.members] == ["set", "set"]
    assert members.texts(SWITCHES) == ["[10.0.0.1]\n"] * 3
    assert members.texts(VERSION) == [sync.config_version] * 3
    assert host.push(**members.where(0), dry_run=True).complete


def test_one_file_or_store_changes_no_version(members: StandIns) -> None:
    (members.root(0) / SWITCHES).write_text("[10.0.0.2]\n")
    before = members.texts(VERSION)
    sync = host.push(**members.where(0), storage="pf::ConfigStore::Switch")
    assert sync.complete and states(sync) == [{"switches.conf": "done"}] * 2
    sync = host.push(**members.where(0), file="/usr/local/pf/conf/pf.conf")
    assert sync.complete and states(sync) == [{"pf.conf": "done"}] * 2
    assert members.texts(VERSION) == before and members.texts(SWITCHES) == ["[10.0.0.2]\n"] * 3


def test_a_pull_keeps_what_it_replaces(members: StandIns) -> None:
    (members.root(1) / SWITCHES).write_text("[10.0.0.3]\n")
    (members.root(1) / VERSION).write_text("1600000000.5")
    before = members.texts(SWITCHES)
    planned = host.pull(members.address(1), **members.where(0), dry_run=True)
    validate(planned, "sync")
    assert (planned.direction, planned.complete) == ("pull", False) and members.texts(SWITCHES) == before
    sync = host.pull(members.address(1), **members.where(0))
    assert sync.complete and sync.config_version == "1600000000.5"
    assert members.texts(SWITCHES)[0] == "[10.0.0.3]\n" and members.texts(VERSION)[0] == "1600000000.5"
    assert sync.backup is not None and (Path(sync.backup) / SWITCHES).read_text() == before[0]
    assert "written: /usr/local/pf/conf/switches.conf" in str(sync)


@pytest.mark.parametrize("fault", ["garbage", "closed", "refuse"])
def test_a_member_with_a_fault_gets_no_version(members: StandIns, fault: str) -> None:
    before = members.texts(VERSION)
    members.order(2, fail=fault, method="notify_configfile_changed")
    sync = host.push(**members.where(0))
    assert not sync.complete
    assert [member.version_state for member in sync.members] == ["set", "not_set"]
    assert members.texts(VERSION)[2] == before[2] and members.texts(VERSION)[1] == sync.config_version
    members.order(2, mend=True)
    assert host.push(**members.where(0)).complete


def test_the_deadline_is_for_all_of_it(members: StandIns) -> None:
    before = members.texts(VERSION)
    members.order(1, fail="hang", method="notify_configfile_changed")
    # What comes before the member that hangs must be through by then, also on a machine that is busy.
    sync = host.push(**members.where(0), timeout=8.0)
    assert not sync.complete
    assert [member.version_state for member in sync.members] == ["not_set", "not_set"]
    assert "the time for all of it is over" in sync.to_json()
    assert members.texts(VERSION) == before and members.order(2, count="set_config_version") == 0
    members.order(2, fail="hang", method="download_configfile")
    with pytest.raises(errors.MemberError, match="no answer within") as caught:
        host.pull(members.address(2), **members.where(0), timeout=2.0)
    assert caught.value.kind == "member" and "nothing was written" in caught.value.help


def test_other_threads_go_on_and_an_interrupt_calls_it_off(members: StandIns) -> None:
    members.order(1, fail="hang", method="notify_configfile_changed")
    script = """
import sys, threading, pfcluster.host
root, host = sys.argv[1:]
threading.Thread(target=lambda: print("another thread", flush=True), daemon=True).start()
try:
    pfcluster.host.push(root=root, host=host)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    arguments = [str(value) for value in members.where(0).values()]
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True) as process:
        while members.order(1, count="notify_configfile_changed") == 0:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    assert sorted(said.splitlines()) == ["another thread", "interrupted"] and process.returncode == 0
    assert members.order(2, count="notify_configfile_changed") == 0, "nothing follows"


def test_two_at_once_do_not_mix(members: StandIns) -> None:
    members.order(1, fail="hang", method="notify_configfile_changed")
    thread = threading.Thread(target=lambda: host.push(**members.where(0), timeout=5.0))
    thread.start()
    while members.order(1, count="notify_configfile_changed") == 0:
        assert thread.is_alive()
    with pytest.raises(errors.InputError, match="another pfcluster changes the configuration from this host just now"):
        host.push(**members.where(0))
    thread.join()


def test_what_is_refused(members: StandIns) -> None:
    where = members.where(0)
    with pytest.raises(errors.InputError, match="not the management address of a member"):
        host.pull("127.0.0.1", **where)
    with pytest.raises(errors.InputError, match="this member itself"):
        host.pull(members.address(0), **where)
    with pytest.raises(errors.InputError, match="address: `pf2`"):
        host.pull("pf2", **where)
    with pytest.raises(errors.InputError, match="no store `pf::ConfigStore::Nope`"):
        host.push(**where, storage="pf::ConfigStore::Nope")
    with pytest.raises(errors.InputError, match="raddb/missing is not there"):
        host.push(**where, file="/usr/local/pf/raddb/missing")
    with pytest.raises(errors.InputError, match="it is outside"):
        host.push(**where, file="/etc/passwd")
    with pytest.raises(errors.InputError, match="exclude each other"):
        host.push(**where, file="/usr/local/pf/conf/pf.conf", with_fingerbank_db=True)
    with pytest.raises(errors.NotAMemberError):
        host.push(**{**where, "host": "pf9"})
    disabled = members.root(0) / "var" / "run" / "pf1.example.com-cluster-disabled"
    disabled.parent.mkdir(parents=True)
    disabled.touch()
    with pytest.raises(errors.InputError, match="is disabled on itself"):
        host.push(**where)
    for member in range(3):
        assert members.order(member, count="set_config_version") == 0


def test_a_certificate_that_is_not_known(members: StandIns) -> None:
    (members.root(0) / "conf" / "ssl" / "server.crt").unlink()
    with pytest.raises(errors.MemberError, match="shows a certificate that is not known here") as caught:
        host.push(**members.where(0), dry_run=True)
    assert caught.value.kind == "certificate" and "`fingerprints`" in caught.value.help
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.kind, str(again)) == (caught.value.kind, str(caught.value))
    assert members.order(1, count="get_config_version") == 0, "nothing is sent to a stranger"
    fingerprint = caught.value.message.rpartition(" ")[2]
    assert host.push(**members.where(0), dry_run=True, fingerprints=[fingerprint]).direction == "push"
