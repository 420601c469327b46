"""`match` on what is decided, and why (Python 3.10 and later)."""

from __future__ import annotations

from cases import EXAMPLES

import pfcluster

GUIDE = EXAMPLES / "guide"


def told(decision: pfcluster.Decision) -> str:
    match decision:
        case pfcluster.Decision(pfcluster.Action("reform", members=members, joiners=(joiner,))):
            return f"{' and '.join(members)} re-form, {joiner} joins"
        case pfcluster.Decision(pfcluster.Action("wait", for_=(first, *_))):
            return f"wait for {first.member}: {first.need.kind}"
    return "something else"


def test_decisions() -> None:
    guide = pfcluster.load(GUIDE / "cluster.conf")
    everybody = pfcluster.select_bootstrap(guide, [(GUIDE / "power-cut.json").read_bytes()])
    assert told(everybody) == "pf2.example.com and pf3.example.com re-form, pf1.example.com joins"
    assert told(pfcluster.select_bootstrap(guide, [])) == "wait for pf1.example.com: evidence"


def test_reasons() -> None:
    guide = pfcluster.load(GUIDE / "cluster.conf")
    behind = {}
    for reason in pfcluster.select_bootstrap(guide, [(GUIDE / "power-cut.json").read_bytes()]).reasons:
        match reason:
            case pfcluster.Reason("not_chosen", member=member, why=pfcluster.Detail("behind", by=by)):
                behind[member] = by
    assert behind == {"pf1.example.com": 89}


def test_values() -> None:
    match pfcluster.parse("[CLUSTER]\nmanagement_ip=10.0.0.1\n[pf1]\nmanagement_ip=10.0.0.2\n").members:
        case (pfcluster.Member("pf1", address),):
            assert address == "10.0.0.2"
        case other:
            raise AssertionError(other)
