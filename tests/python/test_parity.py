"""Every case of tests/testdata that Python can ask gives the answer that Rust gives."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Any

import pytest
from cases import TESTDATA, Case, cases

import elections
import pfcluster
from pfcluster.errors import EditError, InputError, PfclusterError, UnreadableStateError

FOLDERS = ("document", "cluster", "checks", "quorum", "conflict", "galera", "bootstrap")

# Cases that are not Python's to answer, or that it answers elsewhere.
NOT_HERE = {
    "cli": "sessions of the program itself",
    "doctor": "what the program sees of the server that it runs on",
    "drill": "days in the simulated world, which the module does not carry",
    "generate": "whole files: test_documents.py compares what both generate",
    "golden": "formats as they were reviewed: the module's documents are the program's (test_documents.py)",
    "maintenance": "steps of a command that only the program carries out",
    "runbook": "procedures for people, which the program prints",
    "removals": "rules taken away from the library, to see that something breaks",
    "status": "the verdict on what databases answered, which `pfcluster.host.status` asks: see test_host.py",
    "supervisor": "stories of hosts over time, in a language of their own: test_supervisor.py drives the same machine",
    "sync": "calls of the web services: test_sync.py makes them against a stand-in server",
    "words.txt": "words of the field, looked for in what the program prints",
}

# What Rust's tests ask that Python has no function for.
NOT_IN_PYTHON = {
    "interfaces": "pf.conf's interfaces and their roles are not part of the module",
    "monitor": "when conflicts are resolved is the scheduled check's",
    "compare": "versions are compared by `resolve_conflict` only",
    "status": "the server's status is asked by `pfcluster.host`",
    "members": "the hash is part of the evidence",
    "pfcluster": "the program itself: test_documents.py compares what both answer",
    "weights": "weights are numbers in Python, not texts",
}


def files(case: Case) -> dict[str, Any]:
    """cluster.conf, and after lines like `>>> pf.conf` the other files; and what is known beside them."""
    arguments: dict[str, Any] = {}
    name = "cluster_conf"
    for line in case.input().splitlines(keepends=True) if b">>> " in case.input() else [case.input()]:
        if line.startswith(b">>> "):
            name = line[4:].strip().decode().replace(".", "_")
            arguments[name] = b""
        else:
            arguments[name] = arguments.get(name, b"") + line
    arguments.setdefault("cluster_conf", b"")
    variables = (word[4:].partition("=") for word in case.words if word.startswith("env:"))
    return {
        **arguments,
        "host": case.value("me"),
        "disabled": case.listed("disabled"),
        "pf_version": case.value("version"),
        "environment": {name: value for name, _, value in variables},
    }


def findings(diagnostics: Any) -> str:
    out = ""
    for one in diagnostics:
        out += f"{one.file[5:]}:{one.line}:{one.column} {one.severity} {one.code} {one.message}\n"
        out += "".join(f"  {at.file[5:]}:{at.line}:{at.column} {at.message}\n" for at in one.related)
    return out


def check(case: Case) -> str:
    return findings(pfcluster.parse(**files(case)).check()) or "clean\n"


def parse(case: Case) -> str:
    """Only what is found in the file itself: the other rules have cases of their own."""
    expands = "expand" in case.words
    cluster = pfcluster.parse(**{**files(case), "pf_version": "14" if expands else "11"})
    out = ""
    for section in cluster.sections:
        out += f"[{printable(section.name)}]\n"
        for entry in section.entries:
            values = " ".join(f'"{printable(value)}"' for value in entry.values)
            out += f"  {printable(entry.key)} = {values}\n"
    own = [one for one in cluster.check() if one.code.startswith("PFC1")]
    return out + findings(own)


def printable(text: str) -> str:
    plain = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    hidden = "\u00a0\u00ad\u200b\u202e\u2028\ufeff"

    def shown(c: str) -> str:
        if c in hidden:
            return f"\\u{{{ord(c):x}}}"
        return plain.get(c) or (c if c.isprintable() else f"\\x{ord(c):02x}")

    return "".join(map(shown, text))


def show(case: Case) -> str:
    cluster = pfcluster.parse(**files(case))
    out = "clustered\n" if cluster.clustered else "not clustered\n"

    def addresses(of: pfcluster.Member | pfcluster.Addresses) -> str:
        return " ".join([of.management_ip or "-", *(f"{one.name}={one.ip or '-'}" for one in of.interfaces)])

    for zone in cluster.zones:
        out += f"zone {zone.name}\n"
        out += f"  virtual {addresses(zone.vips)}\n" if zone.vips else ""
        out += "".join(f"  network {network}\n" for network in zone.networks)
        out += "".join(f"  {member.host} {addresses(member)}\n" for member in zone.members)
    return out


def lists(case: Case) -> str:
    arguments = files(case)
    if "centralize_vips" in case.words:
        arguments["pf_conf"] = "[active_active]\ncentralize_vips=enabled\n"
    cluster = pfcluster.parse(**arguments)
    try:
        view = cluster.seen_by(arguments["host"])
    except PfclusterError as error:
        return error.message + "\n"
    priority = view.vrrp_priority

    def shown(value: int | None) -> str:
        return "none" if value is None else str(value)

    return (
        f"index {shown(view.index)}\nzone {' '.join(view.zone_members)}\n"
        f"configuration {' '.join(view.configuration_members)}\ndatabase {' '.join(view.database_members)}\n"
        f"database order {' '.join(view.database_order)}\n"
        f"priority management {shown(priority.management)} radius {shown(priority.radius)} "
        f"registration {shown(priority.registration)}\n"
    )


def edit(case: Case) -> str:
    cluster = pfcluster.parse(case.input())
    section = (case.value("section") or "").replace("+", " ")
    interfaces = [word[3:].partition("=")[::2] for word in case.words if word.startswith("on:")]
    entries = [word.partition(":")[::2] for word in [case.value("entry")] if word]
    after = case.value("after")

    def value(key: str) -> str:
        return case.value(key) or ""

    edits: dict[str, Callable[[], pfcluster.Cluster]] = {
        "set": lambda: cluster.with_value(section, value("key"), value("value")),
        "unset": lambda: cluster.without_key(section, value("key")),
        "remove-section": lambda: cluster.without_section(section),
        "add-section": lambda: cluster.with_section(section, entries, after=after and after.replace("+", " ")),
        "remove-member": lambda: cluster.without_member(value("host")),
        "add-member": lambda: cluster.with_member(value("host"), value("ip"), interfaces, zone=case.value("zone")),
    }
    try:
        edited = edits[case.command]()
    except (EditError, InputError) as error:
        return f"refused: {error.message}\n"
    return changed_lines(bytes(cluster), bytes(edited))


def changed_lines(old: bytes, new: bytes) -> str:
    """Lines that are gone with `-`, new ones with `+`, each with its number."""

    def lines(data: bytes) -> list[str]:
        return [printable(line.decode()) for line in data.splitlines(keepends=True)]

    before, after = lines(old), lines(new)
    out = ""
    for kind, i, j, k, end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            out += "".join(f"-{number + 1} {before[number]}\n" for number in range(i, j))
            out += "".join(f"+{number + 1} {after[number]}\n" for number in range(k, end))
    return out


def rules(_: Case) -> str:
    return "".join(f"{rule.code} {rule.severity} {rule.name}\n" for rule in pfcluster.rules())


def quorum(case: Case) -> str:
    first, *lines = case.text.splitlines()

    def weighed(weight: str) -> int | None:
        return None if weight == "?" else int(weight or "1")

    parts = [word.partition("=") for word in first.split()[1:]]
    try:
        changes = [change(line) for line in lines]
        answer = pfcluster.what_if([(name, weighed(weight)) for name, _, weight in parts], changes)
    except InputError as error:
        which = "change 1: " if len(lines) == 1 else ""
        return f"refused: {which}{error.message}\n"
    out = ""
    for title, step in zip(lines or ["healthy"], answer.steps):
        out += f"{title}:\n"
        out += "".join(f"  {g.state.replace('_', '-')} {' '.join(g.members)}\n" for g in step.groups)
        out += "".join(f"  down {absent.host} ({absent.absence})\n" for absent in step.down)
        out += "".join(f"  because {reason.text} ({reason.kind})\n" for reason in step.reasons)
    tolerance = answer.steps[-1].tolerance
    if tolerance:
        out += f"may crash at once: {tolerance.crash_at_once}\nmay crash in turn: {tolerance.crash_in_turn}\n"
        out += f"may leave: {tolerance.leave}\n"
        if tolerance.any_fatal is not None:
            out += f"fatal at once: any {tolerance.any_fatal}\n"
        else:
            sets = "too many sets" if tolerance.fatal is None else " ".join("+".join(one) for one in tolerance.fatal)
            out += f"fatal at once: {sets}\n"
    return out + "".join(f"to do: {step}\n" for step in answer.remedy)


def change(line: str) -> pfcluster.ViewChange:
    arguments: dict[str, Any] = {}
    for part in line.split(";"):
        word, _, names = part.strip().partition(" ")
        if word == "split":
            arguments["split"] = [group.replace(",", " ").split() for group in names.split("/")]
        elif word != "nothing":
            arguments[word] = arguments.get(word, []) + names.replace(",", " ").split()
    return pfcluster.ViewChange(**arguments)


def alive_quorum(case: Case) -> str:
    pairs = [line.split(" of ") for line in case.text.splitlines()]
    answers = [(a, b, pfcluster.alive_quorum(int(a), int(b))) for a, b in pairs]
    return "".join(f"{a} of {b}: {'quorum' if x == 'majority' else 'no quorum'}, {x}\n" for a, b, x in answers)


def features(case: Case) -> str:
    offered = getattr(pfcluster.quorum(["pf1"]).features, case.words[0])
    return "".join(f"{one.availability}: {one.text} ({one.feature})\n" for one in offered)


def resolve(case: Case) -> str:
    versions = []
    for line in case.text.splitlines():
        name, _, said = line.partition(" ")
        if said.startswith('"'):
            said = said[1:-1].replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
        versions.append((name, None if line.endswith(" silent") else said))
    policy: Any = case.value("policy")
    try:
        decision = pfcluster.resolve_conflict(versions, host=case.value("me"), now=case.value("now"), policy=policy)
    except InputError as error:
        return f"refused: {error.message}\n"
    action = decision.action
    out = (
        f"{action.member} pushes {action.version}\n" if action.kind == "push" else action.kind.replace("_", " ") + "\n"
    )
    out += "".join(f"  over {o.host} {o.version}\n" for o in getattr(action, "overwrites", ()))
    warnings = str(decision).splitlines()
    for reason in decision.reasons:
        out += f"  {'warning' if f'warning: {reason.text}' in warnings else 'because'} {reason.text}\n"
    return out + "".join(f"  remedy {step}\n" for step in decision.remedy)


def grastate(case: Case) -> str:
    state = pfcluster.grastate(case.input())
    flag = {None: "unknown", False: "0", True: "1"}[state.safe_to_bootstrap]
    return f"uuid {state.uuid}\nseqno {state.seqno}\nflag {flag}\n"


def gvwstate(case: Case) -> str:
    state = pfcluster.gvwstate(case.input())
    begun = " bootstrapped" if state.bootstrap else ""
    members = "".join(f"member {member}\n" for member in state.members)
    return f"node {state.my_uuid}\nview {state.view_uuid}#{state.view_seq}{begun}\n{members}"


def recovered(case: Case) -> str:
    position = pfcluster.recovered_position(case.input())
    return f"at {position.uuid}:{position.seqno}\n" if position else "no history\n"


def bootstrap(case: Case) -> str:
    members = elections.members(case.text)

    def named(key: str) -> list[str]:
        return elections.hosts(case.value(key) or "")

    decision = pfcluster.select_bootstrap(
        [elections.host(one.name) for one in members],
        [document for one in members if one.silence() is None for document in one.documents()],
        disabled=[elections.host(one.name) for one in members if "disabled" in one.words],
        assume_lost=named("lost"),
        discard=named("discard"),
        trust=named("trust"),
        force=next(iter(named("force")), None),
        seed=next(iter(named("seed")), None),
        standalone="standalone" in case.words,
        split_confirmed="confirmed" in case.words,
        reform_failed="reform-failed" in case.words,
        silent={elections.host(one.name): one.silence() or "" for one in members if one.silence()},
    )
    said = str(decision).splitlines()
    taken_for_granted = [line.replace("  assumes that", "  assumes:") for line in said if "  assumes that" in line]
    because = [line for line in said if line.startswith(("  because ", "  not ", "  warning: ", "  note: "))]
    # What was recorded and is not kept stands first, as a loss; here it stands with the reasons, as in the cases.
    for at, reason in enumerate(decision.reasons):
        if reason.kind == "tail_lost":
            assert any(line.startswith("DATA LOSS: ") and reason.member in line for line in said)
            because.insert(at, f"  {reason.text}")
    assert len(because) == len(decision.reasons)
    for line, reason in zip(because, decision.reasons):
        assert line.strip() in [lead + reason.text for lead in ("", "because ", "warning: ", "note: ")]
    lines = [decision.action.text, *because, *taken_for_granted]
    if decision.action.kind in ("wait", "refuse") or "steps" in case.words:
        lines += [f"  > {step}" for step in decision.remedy]
    return elections.readable("".join(f"{line}\n" for line in lines))


EDITS = ("set", "unset", "remove-section", "add-section", "remove-member", "add-member")
COMMANDS: dict[str, Callable[[Case], str]] = {
    "parse": parse,
    "check": check,
    "show": show,
    "lists": lists,
    **dict.fromkeys(EDITS, edit),
    "rules": rules,
    "quorum": quorum,
    "alive-quorum": alive_quorum,
    "features": features,
    "resolve": resolve,
    "grastate": grastate,
    "gvwstate": gvwstate,
    "recovered": recovered,
    "bootstrap": bootstrap,
}


def expected(case: Case) -> str:
    """What Rust says, without what Python's documents leave out."""
    lines = case.expected.splitlines()
    if case.command == "features":
        lines = [line.partition(": ")[2] for line in lines]
    if case.command == "show":
        lines = [line.partition(" sets ")[0] for line in lines]
    if case.command == "parse":
        # JSON has no bytes: one that is no UTF-8 is U+FFFD there.
        lines = [re.sub(r"\\x[89a-f][0-9a-f]", "\ufffd", line) for line in lines]
    if case.command == "quorum":
        lines = [line.rpartition(" (")[0] if line.startswith("refused: ") else line for line in lines]
    return "".join(f"{line}\n" for line in lines)


ALL = [case for folder in FOLDERS for case in cases(folder)]


def is_in_python(case: Case) -> bool:
    """What a supervisor says a person can do is what `Supervisor.status` tells; `select_bootstrap` is for a person."""
    return case.command not in NOT_IN_PYTHON and "supervised" not in case.words


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in filter(is_in_python, ALL)])
def test_case(case: Case) -> None:
    try:
        actual = COMMANDS[case.command](case)
    except UnreadableStateError as error:
        actual = f"error: {error.message}\n"
    if "expand" in case.words:
        # Rust's case has what was expanded last, the module all findings in order of the file.
        assert sorted(actual.splitlines()) == sorted(expected(case).splitlines())
    else:
        assert actual == expected(case)


def test_no_folder_is_forgotten() -> None:
    assert {path.name for path in TESTDATA.iterdir()} == {*FOLDERS, *NOT_HERE}


def test_no_command_is_forgotten() -> None:
    assert {case.command for case in ALL} == COMMANDS.keys() | NOT_IN_PYTHON.keys()
