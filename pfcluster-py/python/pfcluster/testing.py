"""Hypothesis strategies: clusters, cluster.conf texts, evidence and versions, for other projects' property tests.

Needs Hypothesis: `pip install pfcluster[testing]`.

    >>> from hypothesis import given
    >>> from pfcluster import select_bootstrap
    >>> from pfcluster.testing import clusters, evidence
    >>> @given(clusters().flatmap(lambda cluster: evidence(cluster.database_members())))
    ... def test_something(known):
    ...     ...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pfcluster._native import Cluster, Evidence, parse

__all__ = ["cluster_confs", "clusters", "evidence", "evidence_documents", "hosts", "versions"]

_LABEL = "abcdefghijklmnopqrstuvwxyz0123456789"
_INTERFACES = ("eth0", "eth1", "eth1.2", "eth1.3", "ens192")
_HISTORIES = ("ec9a1a36-e6ed-11f1-823f-231ddacb0bd4", "f9282fe9-e77f-11f1-bcf5-d30baafdcfd0")
_NODES = tuple(f"{number:08x}-e6ef-11f1-8414-5e24ec3e259c" for number in range(1, 8))


def hosts() -> SearchStrategy[str]:
    """Host names, short and with a domain."""
    label = st.text(_LABEL, min_size=1, max_size=12).map("p".__add__)
    return st.builds(str.__add__, label, st.sampled_from(("", ".example.com")))


@st.composite
def _texts(draw: st.DrawFn, min_members: int, max_members: int) -> str:
    """A cluster.conf without a fault."""
    members = draw(st.lists(hosts(), min_size=min_members, max_size=max_members, unique=True))
    interfaces = draw(st.lists(st.sampled_from(_INTERFACES), min_size=1, max_size=3, unique=True))
    blank = draw(st.sampled_from(("", " ")))
    line_end = draw(st.sampled_from(("\n", "\r\n")))
    lines = []
    for number, owner in enumerate(["CLUSTER", *members], 10):
        lines += [f"[{owner}]", f"management_ip{blank}={blank}10.0.0.{number}", ""]
        for subnet, interface in enumerate(interfaces):
            lines += [f"[{owner} interface {interface}]", f"ip{blank}={blank}10.0.{subnet}.{number}", ""]
        if draw(st.booleans()):
            lines.append(f"# {draw(st.text(_LABEL + ' =[]', max_size=20))}")
    return line_end.join(lines) + line_end


def clusters(*, min_members: int = 1, max_members: int = 7) -> SearchStrategy[Cluster]:
    """Clusters of one zone, in whose files there is no error."""
    return _texts(min_members, max_members).map(parse)


@st.composite
def cluster_confs(draw: st.DrawFn) -> bytes:
    """cluster.conf as people leave it: mostly right, with lines lost, doubled, cut, or of another world."""
    lines = draw(_texts(1, 5)).encode().splitlines(keepends=True)
    strange = st.one_of(
        st.sampled_from((b"[general]\n", b"multi_zone=enabled\n", b"[DC1 CLUSTER]\n", b"k=<<EOT\n", b"=\n", b"[\n")),
        st.binary(max_size=30),
    )
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines)))
        change = draw(st.sampled_from(("lose", "double", "cut", "add")))
        if change == "add" or at == len(lines):
            lines.insert(at, draw(strange))
        elif change == "lose":
            del lines[at]
        elif change == "double":
            lines.insert(at, lines[at])
        else:
            lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
    return b"".join(lines)


def _positions() -> SearchStrategy[dict[str, Any]]:
    seqnos = st.one_of(st.integers(100, 104), st.integers(0, 2**63 - 1))
    return st.fixed_dictionaries({"uuid": st.sampled_from(_HISTORIES), "seqno": seqnos})


def _fault() -> SearchStrategy[dict[str, Any]]:
    return st.just({"error": "the line has no end"})


@st.composite
def _files(draw: st.DrawFn, members: Sequence[str]) -> dict[str, Any]:
    stopped = draw(_positions())
    clean = draw(st.booleans())
    grastate = {**stopped, "safe_to_bootstrap": draw(st.sampled_from((True, False, None)))}
    grastate = grastate if clean else {**grastate, "seqno": -1}
    nodes = sorted(draw(st.sets(st.sampled_from(_NODES), min_size=1)))
    view = {"my_uuid": nodes[0], "view_uuid": nodes[-1], "view_seq": draw(st.integers(1, 9)), "members": nodes}
    record = {
        "view_uuid": nodes[-1],
        "view_seq": view["view_seq"],
        "uuid": stopped["uuid"],
        "floor": draw(st.integers(0, 103)),
    }
    fork = {"id": f"{draw(st.integers(0, 3)):016x}", **draw(_positions())}
    clean_stop = {**draw(st.sampled_from((stopped, draw(_positions())))), "last": draw(st.booleans())}
    failures = {"count": draw(st.integers(1, 5)), "why": "exit status 1"}
    return {
        "grastate": draw(st.one_of(st.just(grastate), st.none(), _fault())),
        "gvwstate": draw(st.one_of(st.just(view), st.none(), _fault())),
        "recovered": draw(st.one_of(st.just(stopped), st.none(), _positions(), _fault())),
        "last_recorded": draw(st.none() | _positions()),
        "view_record": draw(st.sampled_from((None, record))),
        "clean_stop": draw(st.sampled_from((None, clean_stop))),
        "forks": draw(st.sampled_from(([], [fork]))),
        "sst_marker": draw(st.integers(0, 9)) == 0,
        "unsynced_transfer": draw(st.integers(0, 9)) == 0,
        "ran_standalone": draw(st.integers(0, 9)) == 0,
        "supervised": draw(st.lists(st.sampled_from(members), unique=True)),
        "start_failures": draw(st.sampled_from((None, None, failures))),
        "datadir_empty": draw(st.integers(0, 9)) == 0,
    }


@st.composite
def _running(draw: st.DrawFn, members: Sequence[str]) -> dict[str, Any]:
    status = draw(st.sampled_from(("primary", "non_primary", "disconnected")))
    position = draw(_positions())
    sees = draw(st.lists(st.sampled_from([*members, "192.0.2.9"]), unique=True))
    return {
        "uuid": position["uuid"],
        "cluster_status": status,
        "local_state": draw(st.sampled_from(("synced", "joined", "donor", "joining", "initialized"))),
        "cluster_size": len(sees),
        "last_committed": draw(st.sampled_from((position["seqno"], -1))),
        "members": sees,
    }


@st.composite
def evidence_documents(draw: st.DrawFn, members: Sequence[str], host: str | None = None) -> dict[str, Any]:
    """What `pfcluster evidence` may print on one of these members, as a dict. Honest or not: any combination occurs."""
    silent = draw(st.sampled_from(("starting", "starting", "bootstrapping", "not_responding")))
    process = draw(st.sampled_from(("stopped", "stopped", "stopped", "running", silent)))
    return {
        "version": 1,
        "host": draw(st.sampled_from(members)) if host is None else host,
        "taken_at": draw(st.none() | st.integers(1_500_000_000, 1_500_000_100).map(str)),
        "boot_id": draw(st.none() | st.uuids().map(str)),
        "gathering": draw(st.none() | st.uuids().map(str)),
        "maintenance": draw(st.integers(0, 9)) == 0,
        "arbitrator": draw(st.integers(0, 19)) == 0,
        "disabled": draw(st.lists(st.sampled_from(members), max_size=1)) if draw(st.integers(0, 9)) == 0 else [],
        "members_hash": draw(st.sampled_from((None, None, None, "x"))),
        "running": draw(_running(members)) if process == "running" else None,
        "starting": process == "starting",
        "bootstrapping": process == "bootstrapping",
        "not_responding": process == "not_responding",
        "files": draw(st.none() | _files(members)),
        "notes": [],
    }


@st.composite
def evidence(draw: st.DrawFn, members: Sequence[str]) -> list[Evidence]:
    """Evidence of some of these members, in any order, for `pfcluster.select_bootstrap`."""
    known = draw(st.lists(st.sampled_from(members), unique=True))
    return [Evidence(draw(evidence_documents(members, host))) for host in known]


def versions(members: Sequence[str]) -> SearchStrategy[dict[str, str | None]]:
    """What each of these members says of its configuration's version, for `pfcluster.resolve_conflict`."""
    few = st.sampled_from(("1510000000.12345", "1510000000.5", "1500000000"))
    times = st.integers(1, 2**40).map(str)
    version = st.one_of(few, few, times, st.none(), st.sampled_from(("", "0", "0\n", "no version")))
    return st.fixed_dictionaries({host: version for host in members})
