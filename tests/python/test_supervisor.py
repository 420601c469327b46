"""The supervisor, driven from Python: what it is told, what it wants, what it refuses. (Its stories are Rust's tests.)"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from cases import EXAMPLES
from test_documents import validate

import pfcluster
from pfcluster import Input, Output, Supervisor, errors

HOSTS = ("pf1", "pf2", "pf3")
KEY = bytes(range(32))
HISTORY = "ec9a1a36-e6ed-11f1-823f-231ddacb0bd4"
BOOT = "5c0ffee0-2d7a-4b8e-9f11-0a1b2c3d4e5f"
make: Any = Supervisor
say: Any = Input


def stopped(host: str, seqno: int) -> dict[str, Any]:
    """Evidence of a member that was stopped cleanly."""
    position = {"uuid": HISTORY, "seqno": seqno}
    grastate = {**position, "safe_to_bootstrap": seqno == 9}
    return {"version": 1, "host": host, "files": {"grastate": grastate, "recovered": position}}


def outputs(supervisor: Supervisor) -> Iterator[Output]:
    while (output := supervisor.poll_output()) is not None:
        yield output


def exchange(supervisors: dict[str, Supervisor], now: int) -> dict[str, list[Output]]:
    """Answers looks and questions, and delivers datagrams, until nothing more is wanted. What else was wanted, by member."""
    rest: dict[str, list[Output]] = {host: [] for host in supervisors}
    moved = True
    while moved:
        moved = False
        for host, supervisor in supervisors.items():
            for output in outputs(supervisor):
                moved = True
                if output.kind == "look":
                    evidence = stopped(host, 9 if host == "pf2" else 5)
                    supervisor.handle_input(now, Input("looked", number=output.number, evidence=evidence, data=0))
                elif output.kind == "ask":
                    supervisor.handle_input(now, Input("asked", number=output.number, answers=[]))
                elif output.kind == "send":
                    supervisors[output.to].handle_input(now, Input("received", bytes=output.bytes))
                else:
                    rest[host].append(output)
    return rest


def run(supervisors: dict[str, Supervisor]) -> tuple[int, dict[str, list[Output]]]:
    """Until somebody acts, or a minute is over."""
    now = 0
    told: dict[str, list[Output]] = {host: [] for host in supervisors}
    while now < 60_000:
        for host, rest in exchange(supervisors, now).items():
            told[host] += rest
        if any(output.kind == "act" for all_of_one in told.values() for output in all_of_one):
            break
        timeouts = [(timeout[0], host) for host, one in supervisors.items() if (timeout := one.poll_timeout())]
        now, host = min(timeouts)
        supervisors[host].handle_input(now, Input("woken"))
    return now, told


def test_three_decide() -> None:
    supervisors = {host: Supervisor(host, HOSTS, KEY, run) for run, host in enumerate(HOSTS)}
    now, told = run(supervisors)
    (act,) = [output for output in told["pf2"] if output.kind == "act"]
    assert (act.part, act.text) == ("bootstrap", "start a new primary component")
    # That its stop was clean was recorded when it was found.
    assert [step.kind for step in act.steps] == ["allow_bootstrap", "start"]
    *_, records = [output.records for output in told["pf2"] if output.kind == "record"]
    assert records.clean_stop.to_dict() == {"uuid": HISTORY, "seqno": 9, "last": True}
    assert records.supervised == ("pf1", "pf3")
    start = act.steps[-1]
    assert (start.how, start.position.uuid, start.position.seqno) == ("new_cluster", HISTORY, 9)
    status = supervisors["pf2"].status(now)
    validate(status, "mariadb-status")
    assert (status.host, status.part) == ("pf2", "bootstrap")
    assert status.decision is not None and status.decision.action.kind == "bootstrap"
    assert "now: start a new primary component" in str(status)
    heard = {output.member for output in told["pf2"] if output.kind == "tell" and output.event == "heard"}
    assert heard == {"pf1", "pf3"}
    assert (status.decision.action.member, status.decision.action.position) == ("pf2", start.position)


def test_one_that_hears_nobody_waits_until_it_is_told() -> None:
    alone = Supervisor("pf1", HOSTS, KEY, 7)
    for output in outputs(alone):
        if output.kind == "look":
            alone.handle_input(0, Input("looked", number=output.number, evidence=stopped("pf1", 5), data=0))
    decision = alone.status(0).decision
    assert decision is not None and decision.action.kind == "wait"
    alone.handle_input(1, Input("said", id=3, saying={"kind": "force", "member": "pf1"}))
    assert [word.text for word in alone.status(1).words] == ["force a new cluster on pf1, whatever data the others have"]
    decision = alone.status(1).decision
    assert decision is not None and (decision.action.kind, decision.action.member) == ("bootstrap", "pf1")


def test_what_was_written_down_counts_again() -> None:
    records = {
        "version": 1,
        "last_recorded": {"uuid": HISTORY, "seqno": 4},
        "view_record": None,
        "clean_stop": {"uuid": HISTORY, "seqno": 4, "last": True},
        "forks": [{"id": "00000000000000ff", "uuid": HISTORY, "seqno": 2}],
        "ran_standalone": False,
        "supervised": ["pf2"],
        "start_failures": {"count": 2, "why": "exit status 1"},
        "joined_in_boot": BOOT,
    }
    for form in (records, json.dumps(records), json.dumps(records).encode()):
        supervisor = Supervisor("pf1", HOSTS, KEY, 1, records=form)
        written = supervisor.status(0).records
        assert written.to_dict() == records
        assert Supervisor("pf1", HOSTS, KEY, 1, records=written).status(0).records == written


def test_records_of_earlier_builds_count() -> None:
    fork = {"uuid": HISTORY, "seqno": 2, "present": ["pf1"], "known": True}
    records = {"version": 1, "last_recorded": None, "view_record": None, "forks": [fork], "ran_standalone": False}
    written = Supervisor("pf1", HOSTS, KEY, 1, records=records).status(0).records
    assert [one.to_dict() for one in written.forks] == [{"id": "0" * 16, "uuid": HISTORY, "seqno": 2}]
    assert (written.clean_stop, written.supervised, written.start_failures) == (None, (), None)


def test_a_state_transfer_is_synced_to_disk() -> None:
    """In the boot in which it came in; after another boot the data may be incomplete."""
    records: dict[str, Any] = {
        "version": 1,
        "last_recorded": None,
        "view_record": None,
        "forks": [],
        "ran_standalone": False,
        "joined_in_boot": BOOT,
    }
    supervisor = Supervisor("pf1", ["pf1"], KEY, 1, boot=BOOT, records=records)
    wanted = [output.kind for output in exchange({"pf1": supervisor}, 0)["pf1"]]
    assert wanted.count("sync") == 1
    supervisor.handle_input(1, Input("synced", error="input/output error"))
    (told,) = [output for output in outputs(supervisor) if output.kind == "tell"]
    assert (told.event, told.why) == ("not_synced", "input/output error")
    again = Supervisor("pf1", ["pf1"], KEY, 1, boot=BOOT, records=records)
    exchange({"pf1": again}, 0)
    again.handle_input(1, Input("synced"))
    assert again.status(1).records.joined_in_boot is None
    later = Supervisor("pf1", ["pf1"], KEY, 1, boot=HISTORY, records=records)
    assert "sync" not in [output.kind for output in exchange({"pf1": later}, 0)["pf1"]]


@pytest.mark.parametrize("kind", ["discard", "trust", "end", "seed", "force"])
def test_overrides_of_one_member(kind: str) -> None:
    supervisor = Supervisor("pf1", HOSTS, KEY, 1)
    supervisor.handle_input(0, Input("said", id=1, saying={"kind": kind, "member": "pf2"}))
    (word,) = supervisor.status(0).words
    assert "pf2" in word.text
    with pytest.raises(errors.NotAMemberError, match="pf9 is not a member"):
        supervisor.handle_input(0, Input("said", id=2, saying={"kind": kind, "member": "pf9"}))


def test_a_database_that_does_not_respond_is_ended_on_the_override() -> None:
    mute = {"version": 1, "host": "pf1", "not_responding": True, "files": stopped("pf1", 5)["files"]}
    supervisor = Supervisor("pf1", ["pf1"], KEY, 1)
    supervisor.handle_input(0, Input("said", id=1, saying={"kind": "end", "member": "pf1"}))
    acts = []
    for output in outputs(supervisor):
        if output.kind == "look":
            supervisor.handle_input(0, Input("looked", number=output.number, evidence=mute, data=0, age=0.5))
        elif output.kind == "act":
            acts.append(output)
    (act,) = acts
    assert (act.part, [step.kind for step in act.steps], act.steps[0].kill_after) == ("end", ["end"], 20)


def test_it_ends() -> None:
    supervisor = Supervisor("pf1", ["pf1"], KEY, 1, passive=True)
    exchange({"pf1": supervisor}, 0)
    supervisor.handle_input(1, Input("end"))
    # It looks whether there is a process to be ended.
    assert [output.kind for output in exchange({"pf1": supervisor}, 1)["pf1"]][-1] == "end"
    assert supervisor.poll_timeout() is None


def test_one_that_is_passive_only_says_what_it_would_do() -> None:
    supervisor = Supervisor("pf1", ["pf1"], KEY, 1, passive=True)
    _, told = run({"pf1": supervisor})
    assert "would_act" in [output.event for output in told["pf1"] if output.kind == "tell"]


def test_addresses_are_members_where_the_cluster_is_known() -> None:
    guide = pfcluster.load(EXAMPLES / "guide" / "cluster.conf")
    first, *others = guide.database_members()
    supervisor = Supervisor(first, guide, KEY, 1)
    running = {
        "uuid": HISTORY,
        "cluster_status": "primary",
        "local_state": "synced",
        "cluster_size": 2,
        "last_committed": 9,
        "members": [member.management_ip for member in guide.members[:2]],
    }
    evidence = {"version": 1, "host": others[0], "running": running}
    number = next(output.number for output in outputs(supervisor) if output.kind == "look")
    supervisor.handle_input(0, Input("looked", number=number, evidence=stopped(first, 5), data=0))
    moment = supervisor.poll_timeout()
    while moment is not None and moment[1] != "ask":
        supervisor.handle_input(moment[0], Input("woken"))
        moment = supervisor.poll_timeout()
    assert moment is not None
    supervisor.handle_input(moment[0], Input("woken"))
    asked = [output for output in outputs(supervisor) if output.kind == "ask"]
    assert asked[0].hosts == tuple(others)
    supervisor.handle_input(moment[0], Input("asked", number=asked[0].number, answers=[evidence]))
    decision = supervisor.status(moment[0]).decision
    assert decision is not None and decision.action.kind == "join"


def test_inputs_are_what_match_takes_apart() -> None:
    looked = Input("looked", number=1, evidence=stopped("pf1", 5), data=7)
    assert (looked.number, looked.data, looked.age, looked.view_number) == (1, 7, 0.0, None)
    assert looked.evidence.files.grastate.seqno == 5
    assert looked == Input("looked", number=1, evidence=pfcluster.Evidence(stopped("pf1", 5)), data=7)
    received = Input("received", bytes=b"\x00\xff")
    assert received.bytes == b"\x00\xff" and received.to_dict() == {"kind": "received", "bytes": "00ff"}
    assert pickle.loads(pickle.dumps(received)).bytes == b"\x00\xff"
    assert Input("acted") == Input("acted", error=None)
    assert Input("synced") == Input("synced", error=None) != Input("acted")
    assert Input("looked", number=1, evidence=stopped("pf1", 5), data=7, age=2) != looked
    with pytest.raises(AttributeError):
        Input("woken").bytes


def test_a_backup_is_known_where_it_was_told() -> None:
    made = {"file": "packetfence-db-dump-a.sql.gz", "time": "1764030600"}
    for told, known in (({}, None), ({"last_backup": None}, None), ({"last_backup": made}, made)):
        supervisor = Supervisor("pf1", HOSTS, KEY, 1)
        number = next(output.number for output in outputs(supervisor) if output.kind == "look")
        looked = say("looked", number=number, evidence=stopped("pf1", 5), data=0, **told)
        supervisor.handle_input(0, looked)
        assert [one["last_backup"] for one in supervisor.status(0).to_dict()["members"]] == [known, None, None]
    broken = say("looked", number=number, evidence=stopped("pf1", 5), data=0, last_backup={"file": "a"})
    with pytest.raises(errors.InputError, match="last_backup: a backup has a file and a time, or neither"):
        supervisor.handle_input(0, broken)


REFUSED_INPUTS: list[tuple[str, dict[str, Any], str]] = [
    ("sleeping", {}, "unknown variant `sleeping`"),
    ("looked", {"number": 1, "evidence": stopped("pf1", 5)}, "missing field `data`"),
    ("looked", {"number": -1, "evidence": stopped("pf1", 5), "data": 0}, "number is out of range"),
    ("looked", {"number": 1, "evidence": stopped("pf1", 5), "data": 0, "age": -1}, "age is out of range"),
    ("looked", {"number": 1, "evidence": stopped("pf1", 5), "data": 0, "age": float("nan")}, "age is out of range"),
    ("looked", {"number": 1, "evidence": stopped("pf1", 5), "data": 0, "begins": True}, "unknown field `begins`"),
    ("asked", {"number": 2**64, "answers": []}, "number is out of range"),
    ("asked", {"number": 1, "answers": [{"version": 1}]}, "evidence: missing field `host`"),
    ("woken", {"why": "x"}, "unknown field `why`"),
    ("end", {"kind": "x"}, "`kind` is there twice"),
    ("ended", {"why": 5}, "invalid type"),
    ("said", {"id": 1, "saying": {"kind": "shout"}}, "unknown variant `shout`"),
]


@pytest.mark.parametrize("kind, fields, message", REFUSED_INPUTS)
def test_inputs_that_make_no_sense(kind: str, fields: dict[str, Any], message: str) -> None:
    if "kind" in fields:
        with pytest.raises((TypeError, errors.InputError)):
            say(kind, **fields)
        return
    with pytest.raises(errors.InputError, match=message):
        say(kind, **fields)


def test_what_is_of_others_is_refused() -> None:
    supervisor = Supervisor("pf1", HOSTS, KEY, 1)
    with pytest.raises(errors.InputError, match="this is evidence of pf2"):
        supervisor.handle_input(0, Input("looked", number=1, evidence=stopped("pf2", 5), data=0))
    with pytest.raises(errors.InputError, match="pf2 says nothing in `running`"):
        supervisor.handle_input(0, Input("asked", number=1, answers=[stopped("pf2", 5)]))
    with pytest.raises(errors.NotAMemberError, match="pf9 is not a member"):
        supervisor.handle_input(0, Input("asked", number=1, answers=[{**stopped("pf9", 5)}]))
    with pytest.raises(errors.NotAMemberError, match="pf9 is not a member"):
        supervisor.handle_input(0, Input("said", id=1, saying={"kind": "assume_lost", "members": ["pf9"]}))
    for now in (-1, 2**63, 10**30):
        with pytest.raises(errors.InputError, match="now is out of range"):
            supervisor.handle_input(now, Input("woken"))
    with pytest.raises(TypeError):
        make("pf1", HOSTS, KEY, 1).handle_input(0, "woken")


def test_an_override_names_its_origin_and_counts_there() -> None:
    supervisor = make("pf1", HOSTS, KEY, 1)
    saying = {"kind": "discard", "member": "pf2"}
    supervisor.handle_input(0, Input("said", id=1, saying=saying, user=1000))
    (given,) = supervisor.status(0).words
    assert (given.given_on, given.user) == ("pf1", 1000)
    told = [output for output in outputs(supervisor) if output.kind == "tell"]
    assert [output.given_on for output in told if output.event == "said"] == ["pf1"]
    with pytest.raises(errors.InputError):
        Input("said", id=1, saying=saying, user=2**32)


def test_keys_are_read_again() -> None:
    supervisor = make("pf1", HOSTS, KEY, 1)
    old, new = (supervisor.status(0).keys, bytes([9] * 32).hex())
    assert old.next is None
    supervisor.read_keys(1, KEY.hex() + "\n" + new + "\n")
    rotated = supervisor.status(1).keys
    assert rotated.current == old.current and rotated.next not in (None, old.current)
    assert new not in str(supervisor.status(1))
    with pytest.raises(errors.InputError, match="64 hexadecimal digits"):
        supervisor.read_keys(2, "x")


def test_a_member_is_heard_only_with_its_own_key() -> None:
    own = {host: bytes([at] * 32).hex() for at, host in enumerate(HOSTS, 1)}
    supervisors = {host: Supervisor(host, HOSTS, KEY, run, signing_key=own[host]) for run, host in enumerate(HOSTS)}
    now, told = run(supervisors)
    *_, pinned = [output.pinned.to_dict() for output in told["pf1"] if output.kind == "pin"]
    assert set(pinned) == {"pf2", "pf3"} and own["pf2"] not in str(pinned)
    status = supervisors["pf1"].status(now)
    validate(status, "mariadb-status")
    before = [member.signing_key for member in status.members]
    assert len(set(before)) == 3 and None not in before
    # All start again; pf2 gets another key.
    again = {host: Supervisor(host, HOSTS, KEY, 9 + at, signing_key=own[host]) for at, host in enumerate(HOSTS)}
    again["pf1"] = Supervisor("pf1", HOSTS, KEY, 8, signing_key=own["pf1"], pinned=pinned)
    again["pf2"].read_signing_key(0, bytes([9] * 32).hex())
    now, _ = run(again)
    for moment in range(now, now + 2000, 100):
        for one in again.values():
            one.handle_input(moment, Input("woken"))
        exchange(again, moment)
        now = moment
    (known,) = [member for member in again["pf1"].status(now).members if member.host == "pf2"]
    assert (known.supervisor, known.signing_key) == (False, before[1])
    (refused,) = known.refused_keys
    assert refused != before[1]
    with pytest.raises(errors.InputError, match="shows no key with this id"):
        again["pf1"].accept_key(now, "pf2", before[1])
    again["pf1"].accept_key(now, "pf2", refused)
    (known,) = [member for member in again["pf1"].status(now).members if member.host == "pf2"]
    assert known.signing_key not in (None, before[1])
    again["pf1"].forget_key(now, "pf2")
    status = again["pf1"].status(now)
    validate(status, "mariadb-status")
    assert [member.signing_key for member in status.members if member.host == "pf2"] == [None]
    for wrong in ({"signing_key": "x"}, {"pinned": {"pf2": "x"}}):
        with pytest.raises(errors.InputError, match="64 hexadecimal digits"):
            Supervisor("pf1", HOSTS, KEY, 1, **wrong)


def test_a_supervisor_that_makes_no_sense() -> None:
    with pytest.raises(errors.NotAMemberError, match="pf9 is not a member"):
        Supervisor("pf9", HOSTS, KEY, 1)
    with pytest.raises(errors.InputError, match="key: a key has 64 hexadecimal digits") as caught:
        Supervisor("pf1", HOSTS, "secret", 1)
    assert "secret" not in str(caught.value)
    with pytest.raises(errors.InputError, match="run is out of range"):
        Supervisor("pf1", HOSTS, KEY, -1)
    with pytest.raises(errors.InputError, match="boot: `x`"):
        Supervisor("pf1", HOSTS, KEY, 1, boot="x")
    with pytest.raises(errors.InputError, match="records: missing field"):
        Supervisor("pf1", HOSTS, KEY, 1, records={"version": 1})
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(Supervisor("pf1", HOSTS, KEY, 1))
    assert repr(Supervisor("pf1", HOSTS, KEY.hex() + "\n", 1)) == "<Supervisor of pf1>"


def test_a_datagram_of_another_cluster_is_dropped() -> None:
    other = Supervisor("pf2", HOSTS, bytes(32), 1)
    datagram = next(output.bytes for output in outputs(other) if output.kind == "send" and output.to == "pf1")
    supervisor = Supervisor("pf1", HOSTS, KEY, 1)
    supervisor.handle_input(0, Input("received", bytes=datagram))
    (dropped,) = supervisor.status(0).dropped
    assert dropped.count == 1 and "made without the key" in dropped.why
