"""What `to_json` gives is what the command line prints, letter by letter, and what its schema says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cases import EXAMPLES, REPOSITORY
from referencing import Registry, Resource

import pfcluster

PROGRAM = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "debug" / "pfcluster"
SCHEMAS = REPOSITORY / "pfcluster-cli" / "schemas"
VERSIONS = json.dumps(
    {
        "version": 1,
        "local": "pf1",
        "now": "1510000400",
        "members": [
            {"host": "pf1", "config_version": "1510000000.12345"},
            {"host": "pf2", "config_version": "1500000000"},
            {"host": "pf3", "config_version": None},
        ],
    }
)
clusters = pytest.mark.parametrize("example", ["guide", "five-members", "two-zones"])


def program(*arguments: str, stdin: str = "") -> str:
    """What the command line says."""
    environment = {"PATH": os.environ["PATH"]}
    run = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, text=True, env=environment)
    assert run.returncode in (0, 1), run.stderr
    return run.stdout


def validate(document: pfcluster.Document | pfcluster.Cluster, name: str) -> None:
    schemas: Registry[Any] = Registry(retrieve=lambda uri: Resource.from_contents(schema(uri)))  # type: ignore[call-arg]
    jsonschema.Draft202012Validator(schema(f"{name}.json"), registry=schemas).validate(document.to_dict())


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_text())


def load(example: str) -> tuple[pfcluster.Cluster, list[str]]:
    """An example, and the command line's arguments for it."""
    path, pf_conf = str(EXAMPLES / example / "cluster.conf"), str(EXAMPLES / example / "pf.conf")
    host = pfcluster.load(path).members[0].host
    cluster = pfcluster.load(path, pf_conf=pf_conf, host=host)
    return cluster, [path, "--pf-conf", pf_conf, "--host", host, "--format", "json"]


@clusters
def test_check(example: str, tmp_path: Path) -> None:
    cluster, arguments = load(example)
    assert cluster.check().to_json() + "\n" == program("check", *arguments)
    broken = tmp_path / "cluster.conf"
    address = cluster.members[0].management_ip
    assert address is not None
    broken.write_text(cluster.to_ini().replace(address, "192.168.1.999") + "junk\n")
    found = pfcluster.load(broken).check()
    assert found.summary.errors > 1
    assert found.to_json() + "\n" == program("check", str(broken), "--format", "json")
    validate(found, "check")


@clusters
def test_show(example: str) -> None:
    cluster, arguments = load(example)
    assert cluster.to_json() + "\n" == program("show", *arguments)
    assert json.loads(cluster.to_json()) == cluster.to_dict()
    assert str(cluster) == program("show", *arguments[:-2])
    raw: dict[str, Any] = json.loads(program("show", "--raw", *arguments))
    assert [section.to_dict() for section in cluster.sections] == raw["sections"]
    validate(cluster, "show")


@clusters
def test_bootstrap(example: str) -> None:
    cluster, arguments = load(example)
    evidence = EXAMPLES / example / "power-cut.json"
    decision = pfcluster.select_bootstrap(cluster, [evidence.read_bytes()])
    assert decision.to_json() + "\n" == program("bootstrap", *arguments, "--evidence", str(evidence))
    assert str(decision) == program("bootstrap", *arguments[:-2], "--evidence", str(evidence))
    assert decision == pfcluster.select_bootstrap(cluster, [json.loads(evidence.read_text())])
    alone = pfcluster.Evidence(json.loads(evidence.read_text())["members"][0])
    few = pfcluster.select_bootstrap(cluster, [alone])
    assert few.action.kind == "wait"
    validate(decision, "bootstrap")
    validate(few, "bootstrap")
    validate(alone, "evidence")


@clusters
def test_quorum(example: str) -> None:
    cluster, arguments = load(example)
    first, second = cluster.database_members()[:2]
    assert pfcluster.quorum(cluster).to_json() + "\n" == program("quorum", *arguments)
    answer = pfcluster.what_if(cluster, [pfcluster.ViewChange(down=[first]), pfcluster.ViewChange(left=[second])])
    then = ["--down", first, "--then", "--left", second]
    assert answer.to_json() + "\n" == program("quorum", *arguments, *then)
    assert str(answer) == program("quorum", *arguments[:-2], *then)
    validate(answer, "quorum")


def test_conflict() -> None:
    decision = pfcluster.resolve_conflict(VERSIONS)
    assert decision.to_json() + "\n" == program("conflict", "--versions", "-", "--format", "json", stdin=VERSIONS)
    assert str(decision) == program("conflict", "--versions", "-", stdin=VERSIONS)
    pairs = [("pf1", "1510000000.12345"), ("pf2", "1500000000"), ("pf3", None)]
    assert decision == pfcluster.resolve_conflict(pairs, host="pf1", now=1510000400)
    assert decision == pfcluster.resolve_conflict(dict(pairs), host="pf1", now="1510000400")
    validate(decision, "conflict")


def test_rules() -> None:
    documents = json.loads(program("check", "--rules", "--format", "json"))["rules"]
    assert [rule.to_dict() for rule in pfcluster.rules()] == documents
    assert pfcluster.rule("duplicate-address") == pfcluster.rule("pfc012")


@clusters
def test_generate(example: str, tmp_path: Path) -> None:
    cluster, arguments = load(example)
    root = tmp_path / "pf"
    (root / "conf").mkdir(parents=True)
    for name in ("cluster.conf", "pf.conf"):
        (root / "conf" / name).write_bytes((EXAMPLES / example / name).read_bytes())
    provider = "/usr/lib/galera/libgalera_smm.so"
    generated = pfcluster.generate(cluster, haproxy_version="2.6", keepalived_version="2.2", galera_provider=provider)
    validate(generated, "generate")
    here = ["--root", str(root), "--host", arguments[4], "--haproxy-version", "2.6", "--keepalived-version", "2.2"]
    program("generate", "all", *here, "--install")
    for file in generated.files:
        assert (root / file.path).read_text() == file.text, file.path
    printed = json.loads(program("generate", "all", *here, "--explain", "--format", "json"))
    document = generated.to_dict()
    assert [file["state"] for file in document["files"]] == [None] * len(generated.files)
    assert document["deviations"] == printed["deviations"] and document["notices"] == printed["notices"]
