"""The examples do what they say, and type checkers agree with them and with the stubs."""

from __future__ import annotations

import doctest
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cases import EXAMPLES, REPOSITORY
from test_documents import PROGRAM

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
        "start together: pf2.example.com, pf3.example.com\n  not pf1.example.com: 89 transactions behind\n"
    )
    assert run("elect.py", GUIDE).returncode == 1


@needs_match
def test_supervise() -> None:
    evidence = EXAMPLES / "guide" / "power-cut.json"
    driven = run("supervise.py", GUIDE, str(evidence))
    assert (driven.returncode, driven.stderr) == (0, "")
    # pf2 is behind: it receives what it lacks, and records the boot in which it does.
    for host, steps in (("pf2", "record, start (normal) at "), ("pf3", "start (normal) at ")):
        assert f"\n{host}.example.com: start, to restore the last primary component: {steps}" in driven.stdout
    assert "\npf1.example.com: start" not in driven.stdout


def test_readdress() -> None:
    edited = run("readdress.py", GUIDE, "pf2.example.com", "192.168.1.5")
    assert "error: 192.168.1.5 is" in edited.stderr
    with open(GUIDE) as file:
        assert edited.stdout == file.read().replace("192.168.1.6", "192.168.1.5")
    assert "the members are" in run("readdress.py", GUIDE, "pf9", "192.168.1.5").stderr


def blocks(language: str) -> list[str]:
    """What stands in the page about other languages, in this one."""
    text = (REPOSITORY / "pfcluster-cli" / "docs" / "embed.md").read_text()
    return [block.partition("\n```")[0] for block in text.split(f"\n```{language}\n")[1:]]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The guide's files, and evidence of its members, as the pages name them."""
    for name in ("cluster.conf", "pf.conf"):
        shutil.copy(EXAMPLES / "guide" / name, tmp_path)
    members = json.loads((EXAMPLES / "guide" / "power-cut.json").read_text())["members"]
    for number, member in enumerate(members, 1):
        (tmp_path / f"pf{number}.json").write_text(json.dumps({"version": 1, **member}))
    return tmp_path


@needs_match
def test_the_pages_python(directory: Path) -> None:
    (block,) = blocks("python")
    run = subprocess.run([sys.executable, "-c", block], cwd=directory, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert "start together: pf2.example.com pf3.example.com then: pf1.example.com" in run.stdout
    assert "Decision: start pf2.example.com and pf3.example.com together" in run.stdout
    # There is no installation here.
    assert "cannot read /usr/local/pf/conf/cluster.conf" in run.stdout


def test_the_pages_perl(directory: Path) -> None:
    embedded, beside = blocks("perl")
    text = (directory / "cluster.conf").read_text()
    (directory / "cluster.conf").write_text(text.replace("192.168.1.6", "192.168.1.5"))
    path = f"{PROGRAM.parent}:/usr/bin:/bin"
    environment = {"PATH": path, "PYTHONPATH": str(Path(pfcluster.__file__).parents[1])}
    said = []
    for block in (embedded, beside):
        run = subprocess.run(["perl", "-we", block], cwd=directory, capture_output=True, text=True, env=environment)
        assert (run.returncode, run.stderr) == (0, "")
        said.append(run.stdout)
    assert said[0] == said[1] and said[0].startswith("27: PFC012 192.168.1.5 is ")


def test_the_first_example_is_true() -> None:
    assert doctest.testmod(pfcluster, raise_on_error=True).attempted >= 3
