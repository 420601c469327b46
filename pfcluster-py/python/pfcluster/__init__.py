"""PacketFence clusters: read, checked, generated for, and brought back after an outage.

    >>> import pfcluster
    >>> cluster = pfcluster.parse("[CLUSTER]\\nmanagement_ip=192.168.1.10\\n[pf1]\\nmanagement_ip=192.168.1.5\\n")
    >>> [member.host for member in cluster.members]
    ['pf1']
    >>> [finding.code for finding in cluster.check()]
    ['PFC070']

Nothing here reads the network, a clock or the environment; `load` alone reads the files that it is given.
`pfcluster.host` is for this machine, `pfcluster.testing` for property tests.
"""

from pfcluster import errors
from pfcluster._native import (
    NEWEST_PACKETFENCE,
    Action,
    Addresses,
    Cluster,
    Decision,
    Detail,
    Diagnostic,
    Diagnostics,
    Document,
    Evidence,
    Generated,
    GeneratedFile,
    Grastate,
    Gvwstate,
    Interface,
    Member,
    Position,
    Reason,
    Rule,
    Section,
    Step,
    View,
    ViewChange,
    WhatIf,
    Zone,
    __version__,
    alive_quorum,
    generate,
    grastate,
    gvwstate,
    load,
    parse,
    quorum,
    recovered_position,
    resolve_conflict,
    rule,
    rules,
    select_bootstrap,
    what_if,
)
from pfcluster.errors import PfclusterError

__all__ = [
    "NEWEST_PACKETFENCE",
    "Action",
    "Addresses",
    "Cluster",
    "Decision",
    "Detail",
    "Diagnostic",
    "Diagnostics",
    "Document",
    "Evidence",
    "Generated",
    "GeneratedFile",
    "Grastate",
    "Gvwstate",
    "Interface",
    "Member",
    "PfclusterError",
    "Position",
    "Reason",
    "Rule",
    "Section",
    "Step",
    "View",
    "ViewChange",
    "WhatIf",
    "Zone",
    "__version__",
    "alive_quorum",
    "errors",
    "generate",
    "grastate",
    "gvwstate",
    "load",
    "parse",
    "quorum",
    "recovered_position",
    "resolve_conflict",
    "rule",
    "rules",
    "select_bootstrap",
    "what_if",
]
