"""Which member starts the database: elect.py CLUSTER_CONF EVIDENCE...

The evidence is what `pfcluster evidence --recover` printed on the members. Needs Python 3.10, for `match`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pfcluster
from pfcluster import Action, Decision, Detail, Reason


def instruction(decision: Decision) -> str:
    match decision.action:
        case Action("reform", members=members):
            return f"start together: {', '.join(members)}"
        case Action("bootstrap" | "promote" | "fresh" as kind, member=member):
            return f"{kind} {member}"
        case Action("join", joiners=joiners):
            return f"a member is primary already; start: {', '.join(joiners) or 'none'}"
        case Action("wait", for_=awaited):
            return f"wait for {', '.join(one.member for one in awaited)}"
        case action:
            return str(action)


def losers(decision: Decision) -> dict[str, str]:
    """Who is not started first, and why."""
    lost = {}
    for reason in decision.reasons:
        match reason:
            case Reason("not_chosen", member=member, why=Detail("behind", by=by)):
                lost[member] = f"{by} transactions behind"
            case Reason("not_chosen", member=member, why=why):
                lost[member] = why.kind
    return lost


def main(cluster_conf: str, paths: list[str]) -> int:
    cluster = pfcluster.load(cluster_conf)
    decision = pfcluster.select_bootstrap(cluster, [Path(path).read_bytes() for path in paths])
    print(instruction(decision))
    for member, why in losers(decision).items():
        print(f"  not {member}: {why}")
    print(*decision.remedy, sep="\n")
    return 1 if decision.action.kind in ("wait", "refuse") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
