"""What the supervisors of a cluster would do after an outage: supervise.py CLUSTER_CONF EVIDENCE

The evidence is of all members, as `pfcluster bootstrap --evidence` reads it. Each member's supervisor runs here, over a
network in which a datagram takes a millisecond. Needs Python 3.10, for `match`.
"""

from __future__ import annotations

import heapq
import json
import secrets
import sys
from pathlib import Path
from typing import Any

import pfcluster
from pfcluster import Detail, Input, Output, Supervisor


class World:
    """What happens when, and the supervisors to which it happens."""

    def __init__(self, cluster: pfcluster.Cluster, evidence: dict[str, Any]) -> None:
        key = secrets.token_bytes(32)
        self.evidence = evidence
        self.now = 0
        self.coming: list[tuple[int, int, str, Input]] = []
        self.number = 0
        # What each was asked to do.
        self.acts: dict[str, Output] = {}
        hosts = cluster.database_members()
        self.supervisors = {host: Supervisor(host, cluster, key, secrets.randbits(64)) for host in hosts}

    def happen(self, after: int, to: str, what: Input) -> None:
        self.number += 1
        heapq.heappush(self.coming, (self.now + after, self.number, to, what))

    def carry_out(self, host: str, output: Output) -> None:
        match output:
            case Output("look", number=number) if host in self.evidence:
                # The data stay as they are until something is done.
                self.happen(2, host, Input("looked", number=number, evidence=self.evidence[host], data=0))
            case Output("ask", number=number):
                # No database runs yet.
                self.happen(2, host, Input("asked", number=number, answers=()))
            case Output("send", to=to, bytes=datagram):
                self.happen(1, to, Input("received", bytes=datagram))
            case Output("act"):
                self.acts[host] = output
            case Output("tell", text=text):
                print(f"{self.now:5} ms  {host}: {text}")

    def run(self, until: int) -> None:
        """Until everybody who can act does, or this moment."""
        while len(self.acts) < len(self.supervisors):
            for host, supervisor in self.supervisors.items():
                while output := supervisor.poll_output():
                    self.carry_out(host, output)
            wakes = ((timeout[0], host) for host, one in self.supervisors.items() if (timeout := one.poll_timeout()))
            when, host = min(wakes)
            what = Input("woken")
            if self.coming and self.coming[0][0] <= when:
                when, _, host, what = heapq.heappop(self.coming)
            if when > until:
                return
            self.now = max(self.now, when)
            self.supervisors[host].handle_input(self.now, what)


def told(step: Detail) -> str:
    match step:
        case Detail("start", how=how, position=Detail(uuid=uuid, seqno=seqno)):
            return f"start ({how}) at {uuid}:{seqno}"
        case Detail("start", how=how):
            return f"start ({how})"
        case _:
            return str(step.kind)


def main(cluster_conf: str, evidence: str) -> int:
    cluster = pfcluster.load(cluster_conf)
    members = json.loads(Path(evidence).read_bytes())["members"]
    world = World(cluster, {member["host"]: {"version": 1, **member} for member in members})
    world.run(until=5000)
    for host, output in world.acts.items():
        print(f"{host}: {output.text}: {', '.join(told(step) for step in output.steps)}")
    return 0 if world.acts else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
