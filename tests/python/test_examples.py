"""The examples do what they say, and type checkers agree with them and with the stubs."""

from __future__ import annotations

import doctest
import subprocess
import sys

import pytest
from cases import EXAMPLES, REPOSITORY

import pfcluster

PYTHON = REPOSITORY / "pfcluster-py"
GUIDE = str(EXAMPLES / "guide" / "cluster.conf")
needs_match = pytest.mark.skipif(sys.version_info < (3, 10), reason="the example has `match`")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    name, *rest = arguments
    return subprocess.run([sys.executable, PYTHON / "examples" / name, *rest], capture_output=True, text=True)


def test_check() -> None:
    assert run("check.py", GUIDE).returncode == 0
    broken = run("check.py", str(EXAMPLES / "guide" / "pf.conf"))
    assert broken.returncode == 1 and "error PFC" in broken.stdout


@needs_match
def test_elect() -> None:
    elected = run("elect.py", GUIDE, str(EXAMPLES / "guide" / "power-cut.json"))
    assert elected.stdout.startswith(
        "start at once: pf2.example.com, pf3.example.com\n  not pf1.example.com: 89 transactions behind\n"
    )
    assert run("elect.py", GUIDE).returncode == 1


def test_readdress() -> None:
    edited = run("readdress.py", GUIDE, "pf2.example.com", "192.168.1.5")
    assert "error: 192.168.1.5 is" in edited.stderr
    with open(GUIDE) as file:
        assert edited.stdout == file.read().replace("192.168.1.6", "192.168.1.5")
    assert "the members are" in run("readdress.py", GUIDE, "pf9", "192.168.1.5").stderr


def test_the_first_example_is_true() -> None:
    assert doctest.testmod(pfcluster, raise_on_error=True).attempted >= 3
