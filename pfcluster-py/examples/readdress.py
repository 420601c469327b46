"""Gives a member another address, and says what that would break: readdress.py CLUSTER_CONF HOST ADDRESS

Prints the new cluster.conf, in which only the member's own lines differ.
"""

from __future__ import annotations

import sys

import pfcluster


def main(cluster_conf: str, host: str, address: str) -> int:
    cluster = pfcluster.load(cluster_conf)
    old = cluster.member(host).management_ip
    edited = cluster.with_value(host, "management_ip", address)
    for interface in cluster.member(host).interfaces:
        if interface.ip == old:
            edited = edited.with_value(f"{host} interface {interface.name}", "ip", address)
    known = {finding.message for finding in cluster.check()}
    for finding in edited.check():
        if finding.message not in known:
            print(f"{finding.severity}: {finding.message}: {finding.help}", file=sys.stderr)
    sys.stdout.write(edited.to_ini())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except pfcluster.PfclusterError as error:
        sys.exit(str(error))
