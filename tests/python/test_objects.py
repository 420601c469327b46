"""Objects compare, hash, print, pickle and copy."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Iterator

import pytest
from cases import EXAMPLES

import pfcluster

GUIDE = EXAMPLES / "guide"
GRASTATE = "uuid: ec9a1a36-e6ed-11f1-823f-231ddacb0bd4\nseqno: 5\nsafe_to_bootstrap: 1\n"
GVWSTATE = (
    "my_uuid: ceba66bf-e6ef-11f1-8414-5e24ec3e259c\n#vwbeg\nview_id: 3 ce8182e7-e6ef-11f1-8eee-fa6ced77be5e 3\n"
    "bootstrap: 0\nmember: ceba66bf-e6ef-11f1-8414-5e24ec3e259c 0\n#vwend\n"
)


def cluster() -> pfcluster.Cluster:
    return pfcluster.load(GUIDE / "cluster.conf", pf_conf=GUIDE / "pf.conf", host="pf1.example.com")


def objects() -> Iterator[object]:
    """One of each class."""
    guide = cluster()
    yield guide
    yield from (guide.zones[0], guide.zones[0].vips, guide.members[0], guide.members[0].interfaces[0])
    yield from (guide.members[0].vrrp_priority, guide.sections[0], guide.seen_by("pf2.example.com"))
    broken = guide.with_value("pf1.example.com", "management_ip", "192.168.1.6").check()
    yield from (broken, broken[0], broken[0].related[0], pfcluster.rules()[0])
    evidence = (GUIDE / "power-cut.json").read_text()
    decision = pfcluster.select_bootstrap(guide, [evidence])
    yield from (decision, decision.action, decision.reasons[0], pfcluster.Evidence({"version": 1, "host": "pf1"}))
    outage = pfcluster.quorum(guide, down=["pf1.example.com"], left=["pf2.example.com"])
    yield from (outage, outage.steps[0], outage.steps[0].change, outage.action)
    yield pfcluster.resolve_conflict({"pf1": "1", "pf2": None}, host="pf1")
    generated = pfcluster.generate(guide, "keepalived")
    yield from (generated, generated.files[0])
    yield from (pfcluster.grastate(GRASTATE), pfcluster.gvwstate(GVWSTATE))
    yield pfcluster.recovered_position("WSREP: Recovered position: ec9a1a36-e6ed-11f1-823f-231ddacb0bd4:1204\n")
    supervisor = pfcluster.Supervisor("pf1", ["pf1", "pf2"], bytes(32), 1)
    yield from (supervisor.poll_output(), supervisor.poll_output(), supervisor.status(0))
    yield from (pfcluster.Input("received", bytes=b"\xff"), pfcluster.Input("woken"))


def test_objects_are_values() -> None:
    seen = set()
    for one, same in zip(objects(), objects()):
        assert one is not same and one == same and hash(one) == hash(same)
        assert not (one != same) and one != object() and one not in seen
        seen.add(one)
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(one, protocol))
            assert again == one and type(again) is type(one) and repr(again) == repr(one) and str(again) == str(one)
        assert copy.copy(one) is one and copy.deepcopy(one) is one
        assert type(one).__name__ in repr(one) and "object at 0x" not in repr(one) and str(one)
        assert "\x1b" not in repr(one) + str(one)
        with pytest.raises((AttributeError, TypeError)):
            setattr(one, "kind", "other")
    classes = {value for value in vars(pfcluster).values() if isinstance(value, type)}
    # The machine changes, and holds a secret.
    bases = {pfcluster.Document, pfcluster.PfclusterError, pfcluster.Supervisor}
    # test_host.py, test_member.py and test_sync.py have one of each.
    bases |= {pfcluster.ClusterStatus, pfcluster.ConfigVersions, pfcluster.MemberStatus, pfcluster.Sync}
    assert {type(one) for one in seen} == classes - bases


def test_classes_differ_even_if_their_documents_do_not() -> None:
    position = pfcluster.recovered_position("WSREP: Recovered position: ec9a1a36-e6ed-11f1-823f-231ddacb0bd4:5\n")
    state = pfcluster.grastate("uuid: ec9a1a36-e6ed-11f1-823f-231ddacb0bd4\nseqno: 5\n")
    assert position != state
    assert pfcluster.grastate(GRASTATE) != state


def test_no_secret_is_printed() -> None:
    secret = "hunter2-is-secret"
    pf_conf = re.sub("(?m)^(galera_replication_password)=.*", rf"\1={secret}", (GUIDE / "pf.conf").read_text())
    guide = pfcluster.parse((GUIDE / "cluster.conf").read_text(), pf_conf=pf_conf, host="pf1.example.com")
    generated = pfcluster.generate(guide)
    assert any(secret in file.text for file in generated.files)
    for one in (guide, guide.check(), generated, *generated.files):
        assert secret not in repr(one) + str(one)
    assert secret not in generated.to_json() + guide.to_json() + guide.check().to_json()


def test_edits_keep_comments() -> None:
    text = (
        "# the first cluster\n[CLUSTER]\nmanagement_ip = 10.0.0.1 \n\n"
        "# in the other rack\n[pf1]\nmanagement_ip=10.0.0.2\n"
    )
    before = pfcluster.parse(text)
    edited = before.with_value("pf1", "management_ip", "10.0.0.3").with_member("pf2", "10.0.0.4", {"eth0": "10.0.0.4"})
    assert before.to_ini() == text
    assert edited.to_ini() == text.replace("10.0.0.2", "10.0.0.3") + (
        "\n[pf2]\nmanagement_ip=10.0.0.4\n\n[pf2 interface eth0]\nip=10.0.0.4\n"
    )
    assert [member.host for member in edited.members] == ["pf1", "pf2"]
    assert edited.without_member("pf2").member("pf1").management_ip == "10.0.0.3"


def test_bytes_survive() -> None:
    data = b"\xff\xfe[CLUSTER]\r\nmanagement_ip=10.0.0.1\r\n# \x80\x00\n"
    assert bytes(pfcluster.parse(data)) == data
    assert bytes(pfcluster.parse(pfcluster.parse(data).to_ini())) == data


def test_details_say_what_they_have() -> None:
    action = pfcluster.quorum(["pf1", "pf2"]).action
    with pytest.raises(AttributeError, match="only kind, members"):
        action.nothing  # noqa: B018
    waiting = pfcluster.select_bootstrap(["pf1", "pf2"], []).action
    assert waiting.for_[0].need.kind == "evidence"
    assert waiting.for_ == getattr(waiting, "for")
