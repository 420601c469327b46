"""The strategies give what they promise, and what they give never breaks a promise of pfcluster."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import pfcluster
from pfcluster import testing

slow = [HealthCheck.too_slow]
settings.register_profile("ci", max_examples=150, deadline=None, derandomize=True, suppress_health_check=slow)
settings.load_profile("ci")

MEMBERS = ["pf1", "pf2", "pf3"]
subsets = st.lists(st.sampled_from(MEMBERS), unique=True)


@given(testing.clusters())
def test_clusters_have_no_error(cluster: pfcluster.Cluster) -> None:
    cluster.check().raise_for_errors()
    assert cluster.clustered and cluster.members
    assert pfcluster.parse(cluster.to_ini()) == cluster


@given(testing.clusters(), st.data())
def test_a_member_that_comes_and_goes_leaves_no_trace(cluster: pfcluster.Cluster, data: st.DataObject) -> None:
    new = data.draw(testing.hosts())
    assume(new not in [member.host for member in cluster.members])
    added = cluster.with_member(new, "10.0.9.9", {"eth0": "10.0.9.9"})
    assert [member.host for member in added.members] == [*(member.host for member in cluster.members), new]
    assert added.without_member(new).members == cluster.members


@given(testing.cluster_confs())
def test_texts_are_read_whatever_they_hold(text: bytes) -> None:
    cluster = pfcluster.parse(text)
    assert bytes(cluster) == text
    assert bytes(pfcluster.parse(cluster.to_ini())) == text
    lines = text.count(b"\n") + text.count(b"\r") + text.count(b"\x15") + 1
    for finding in cluster.check():
        assert 1 <= finding.line <= lines and finding.column >= 1 and finding.message and finding.help
    for member in cluster.members:
        assert cluster.member(member.host) == member
        assert cluster.seen_by(member.host).host == member.host


@given(testing.evidence(MEMBERS), subsets, subsets)
def test_elections_are_about_the_evidence_alone(
    evidence: list[pfcluster.Evidence], lost: list[str], discard: list[str]
) -> None:
    ask: Any = {"assume_lost": lost, "discard": discard, "split_confirmed": False}
    decision = pfcluster.select_bootstrap(MEMBERS, evidence, **ask)
    assert decision == pfcluster.select_bootstrap(MEMBERS, evidence[::-1], **ask)
    assert decision.reasons or decision.action.kind in ("wait", "refuse")
    starting = getattr(decision.action, "member", None)
    if starting is not None:
        assert starting in MEMBERS
        document = {one.host: one for one in evidence}.get(starting)
        # Nobody of whom nothing is known is started, nor anybody in maintenance.
        assert decision.action.kind == "standalone" or document is not None and not document.maintenance
    if decision.action.kind in ("wait", "refuse"):
        assert decision.remedy


@given(testing.versions(MEMBERS), st.sampled_from(MEMBERS))
def test_the_winner_is_a_version_that_somebody_has(versions: dict[str, str | None], me: str) -> None:
    decision = pfcluster.resolve_conflict(versions, host=me)
    if decision.action.kind == "push":
        assert decision.action.version == (versions[decision.action.member] or "").strip()
        assert decision.action.member not in [lost.host for lost in decision.action.overwrites]


@given(subsets, subsets)
def test_never_two_primary_groups(down: list[str], left: list[str]) -> None:
    assume(not set(down) & set(left))
    answer = pfcluster.quorum(MEMBERS, down=down, left=left)
    assert sum(group.state == "primary" for group in answer.steps[-1].groups) == answer.primary
    assert (answer.action.kind == "primary") == answer.primary
    assert bool(answer.remedy) != answer.primary
