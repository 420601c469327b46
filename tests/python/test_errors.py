"""Bad input: the right exception, with a text that helps."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases import EXAMPLES

import pfcluster
from pfcluster import errors

GUIDE = EXAMPLES / "guide"
# Types are wrong on purpose here.
pf: Any = pfcluster


def guide(**more: Any) -> Any:
    return pf.load(GUIDE / "cluster.conf", pf_conf=GUIDE / "pf.conf", **more)


def circular() -> dict[str, Any]:
    document: dict[str, Any] = {"version": 1, "host": "pf1"}
    document["files"] = document
    return document


WRONG_TYPES: dict[str, Callable[[], object]] = {
    "a text": lambda: pf.parse(5),
    "no text": lambda: pf.parse(None),
    "a host": lambda: guide().member(5),
    "a list of hosts that is one host": lambda: pf.quorum("pf1"),
    "hosts that are bytes": lambda: pf.quorum(guide(), down=b"pf1"),
    "a mapping for a list": lambda: pf.quorum({"pf1": 1}),
    "a number that is a truth": lambda: pf.alive_quorum(True, 3),
    "a number that is a float": lambda: pf.generate(guide(host="pf1.example.com"), advert_int=5.0),
    "a change": lambda: pf.what_if(["pf1"], ["pf1"]),
    "versions": lambda: pf.resolve_conflict(5, host="pf1"),
    "versions that are no pairs": lambda: pf.resolve_conflict([5], host="pf1"),
    "evidence": lambda: pf.select_bootstrap(["pf1"], [5]),
    "a cluster": lambda: pf.generate("pf1"),
    "keywords only": lambda: pf.parse("", "pf.conf"),
    "an environment": lambda: pf.parse("", environment=5),
    "entries": lambda: guide().with_section("x", "ab"),
}

BAD_VALUES: dict[str, tuple[type[errors.PfclusterError], str, Callable[[], object]]] = {
    "a surrogate": (errors.InputError, "surrogate", lambda: pf.parse("\ud800")),
    "a surrogate in a name": (errors.InputError, "surrogate", lambda: guide().member("pf\udc80")),
    "a host name": (errors.InputError, "holds `/`", lambda: pf.quorum(["pf/1"])),
    "an endless host name": (errors.InputError, "longer than 253", lambda: pf.quorum(["a" * 10**6])),
    "a version": (errors.InputError, "from 7 to 14", lambda: pf.parse("", pf_version="99")),
    "a stranger": (errors.NotAMemberError, "the members are pf1", lambda: guide().seen_by("pf9")),
    "a stranger to quorum": (errors.NotAMemberError, "pf9 is not a member", lambda: pf.quorum(["pf1"], down=["pf9"])),
    "a stranger's word": (
        errors.NotAMemberError,
        "the members are pf1",
        lambda: pf.select_bootstrap(["pf1"], [], force="pf9"),
    ),
    "a stranger's evidence": (
        errors.NotAMemberError,
        "pf9 is not a member",
        lambda: pf.select_bootstrap(guide(), [{"version": 1, "host": "pf9"}]),
    ),
    "a stranger who decides": (errors.NotAMemberError, "pf9", lambda: pf.resolve_conflict({"pf1": "1"}, host="pf9")),
    "a stranger to generate for": (errors.NotAMemberError, "pf9", lambda: pf.generate(guide(), host="pf9")),
    "nobody who decides": (errors.InputError, "which member decides", lambda: pf.resolve_conflict({"pf1": "1"})),
    "a member twice": (errors.InputError, "twice", lambda: pf.select_bootstrap(["pf1", "pf1"], [])),
    "a huge number": (errors.InputError, "from 1 to 255", lambda: pf.generate(guide(), advert_int=10**100)),
    "a negative number": (errors.InputError, "from 0 to", lambda: pf.alive_quorum(-1, 3)),
    "a weight": (errors.InputError, "from 0 to 255", lambda: pf.quorum([("pf1", 256)])),
    "a split without somebody": (errors.InputError, "put every", lambda: pf.quorum(["a", "b"], split=[["a"], []])),
    "a policy": (errors.InputError, "majority", lambda: pf.resolve_conflict({"pf1": "1"}, host="pf1", policy="x")),
    "evidence that is no JSON": (errors.InputError, "line 1 column", lambda: pf.Evidence("{")),
    "evidence with a misspelt field": (
        errors.InputError,
        "unknown field `strating`",
        lambda: pf.Evidence({"version": 1, "host": "pf1", "strating": True}),
    ),
    "evidence of the future": (errors.InputError, "knows only 1", lambda: pf.Evidence({"version": 2, "host": "pf1"})),
    "evidence with a huge number": (
        errors.InputError,
        "evidence",
        lambda: pf.Evidence({"version": 1, "host": "pf1", "files": {"last_recorded": {"uuid": "", "seqno": 10**30}}}),
    ),
    "evidence that holds itself": (errors.InputError, "Circular", lambda: pf.Evidence(circular())),
    "nothing that is generated": (errors.InputError, "keepalived", lambda: pf.generate(guide(), "bind")),
    "nobody to generate for": (errors.InputError, "as `host`", lambda: pf.generate(guide())),
    "no pf.conf": (
        errors.InputError,
        "as `pf_conf`",
        lambda: pf.generate(pf.load(GUIDE / "cluster.conf"), host="pf1.example.com"),
    ),
    "a section that is not there": (errors.EditError, "no section `[x]`", lambda: guide().with_value("x", "a", "b")),
    "a value that can't be written": (
        errors.EditError,
        "can't be written",
        lambda: guide().with_value("CLUSTER", "a", "b\nc"),
    ),
    "a member that is there": (
        errors.EditError,
        "already a member",
        lambda: guide().with_member("pf1.example.com", "10.0.0.1"),
    ),
    "an address": (errors.InputError, "from 0 to 255", lambda: guide().with_member("pf4", "10.0.0.256")),
    "a rule": (errors.InputError, "lists all", lambda: pf.rule("PFC999")),
    "a torn grastate.dat": (errors.UnreadableStateError, "torn", lambda: pf.grastate("uuid: ec9a")),
    "a torn gvwstate.dat": (errors.UnreadableStateError, "empty", lambda: pf.gvwstate(b"\0\0")),
    "a log without a position": (
        errors.UnreadableStateError,
        "no recovered position",
        lambda: pf.recovered_position(""),
    ),
    "a file that is missing": (errors.HostError, "no such file", lambda: pf.load("/nonexistent")),
    "a directory": (errors.HostError, "name the file in it", lambda: pf.load("/")),
    "a pickle that was tampered with": (errors.InputError, "pickle", lambda: pf._native._restore("X", "{}", None, "0")),
    "a pickle that is no document": (
        errors.InputError,
        "document",
        lambda: pf._native._restore("Zone", "{", None, "0"),
    ),
}


@pytest.mark.parametrize("call", WRONG_TYPES.values(), ids=WRONG_TYPES.keys())
def test_wrong_types(call: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        call()


@pytest.mark.parametrize(("kind", "text", "call"), BAD_VALUES.values(), ids=BAD_VALUES.keys())
def test_bad_values(kind: type[errors.PfclusterError], text: str, call: Callable[[], object]) -> None:
    with pytest.raises(errors.PfclusterError) as caught:
        call()
    error = caught.value
    assert type(error) is kind
    assert text in str(error)
    assert error.help and error.message and error.message in str(error)
    assert "\x1b" not in str(error) and len(str(error)) < 1000
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_unreadable_files(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(errors.HostError) as caught:
        pfcluster.load(loop)
    assert caught.value.kind == "unreadable"


def test_findings_are_attached() -> None:
    broken = guide(host="pf1.example.com").with_value("CLUSTER", "management_ip", "999.1.1.1")
    with pytest.raises(errors.GenerateError) as caught:
        pfcluster.generate(broken)
    assert [finding.severity for finding in caught.value.diagnostics]
    assert all(finding.severity == "error" for finding in caught.value.diagnostics)
    with pytest.raises(errors.InvalidConfigurationError) as invalid:
        broken.check().raise_for_errors()
    assert invalid.value.diagnostics == caught.value.diagnostics
    assert pickle.loads(pickle.dumps(invalid.value)).diagnostics == invalid.value.diagnostics
    # A warning is no error.
    assert len(pfcluster.parse("[CLUSTER]\nmanagement_ip=10.0.0.1\n[pf1]\nmanagement_ip=10.0.0.2\n").check()) > 0
    pfcluster.parse("[CLUSTER]\nmanagement_ip=10.0.0.1\n[pf1]\nmanagement_ip=10.0.0.2\n").check().raise_for_errors()


def test_a_panic_is_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(errors.InternalError, match="it broke.*error.rs") as caught:
        pf._native._panic("it broke")
    assert isinstance(caught.value, Exception) and "report it" in caught.value.help
    assert capfd.readouterr() == ("", "")


def test_one_root() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(kind, errors.PfclusterError) for kind in kinds)
    assert issubclass(errors.InputError, ValueError) and issubclass(errors.NotAMemberError, LookupError)
