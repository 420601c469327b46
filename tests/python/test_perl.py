"""Perl asks pfcluster in both ways, and gets the same answers."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cases import EXAMPLES, REPOSITORY
from test_documents import PROGRAM

import pfcluster

SCRIPTS = REPOSITORY / "tests" / "perl"
EXPECTED = """\
line 27: error PFC012: 192.168.1.5 is `management_ip` of pf1.example.com and `management_ip` of pf2.example.com
"""


def perl(script: str, *arguments: str) -> str:
    # Inline::Python brings Debian's own Python: an environment of ours would mislead it.
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(pfcluster.__file__).parents[1])}
    run = subprocess.run(["perl", SCRIPTS / script, *arguments], capture_output=True, text=True, env=environment)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


def test_both_ways_give_the_same_answers() -> None:
    embedded = perl("embedded.pl", str(EXAMPLES / "guide"))
    beside = perl("command_line.pl", str(EXAMPLES / "guide"), str(PROGRAM))
    assert embedded == beside
    assert embedded.startswith(EXPECTED)
    for line in ("start: reform", "push: push", "refused: pf9.example.com is not a member of the cluster"):
        assert line in embedded.splitlines()
    starts = [line for line in embedded.splitlines() if line.startswith("  > on pf2.example.com: [ ")]
    assert starts[0].endswith(" && systemctl start packetfence-mariadb")
    # Text is text on both ways.
    assert "café" in embedded
    assert "keepalived.conf: " in embedded
