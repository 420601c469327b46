"""Random calls with random arguments: only documented exceptions come out, and the interpreter lives on."""

from __future__ import annotations

import os
import pickle
import random
from collections.abc import Callable
from typing import Any

from cases import EXAMPLES, cases

import pfcluster
import pfcluster.host
from pfcluster.errors import InternalError, PfclusterError

CALLS = int(os.environ.get("FUZZ_CALLS", "100000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))

GUIDE = (EXAMPLES / "guide" / "cluster.conf").read_text()
PF_CONF = (EXAMPLES / "guide" / "pf.conf").read_text()
EVIDENCE = (EXAMPLES / "guide" / "power-cut.json").read_text()
TEXTS = [case.input() for folder in ("document", "cluster", "galera") for case in cases(folder)]
HOSTS = ["pf1.example.com", "pf2.example.com", "pf3.example.com"]
WORDS = [
    *HOSTS,
    "CLUSTER",
    "eth0",
    "management_ip",
    "192.168.1.9",
    "14.1",
    "8",
    "keepalived",
    "mariadb",
    "all",
    "guide",
]

# Types are wrong on purpose here.
pf: Any = pfcluster
host: Any = pfcluster.host

# Also one that is none.
KINDS = ["Zone", "WhatIf", "Diagnostics", "Generated", "Evidence", "Reason", "Input", "Output", "Nothing"]
KINDS += ["Sync", "MemberStatus", "ClusterStatus", "ConfigVersions"]
# No machine has it: what is asked there is refused at the latest when it is read.
NOWHERE = "/nonexistent/pfcluster"
INPUTS = ("looked", "asked", "acted", "not_recorded", "received", "ended", "said", "end", "woken", "synced", "nothing")

Make = Callable[[random.Random], Any]


def mangled(rng: random.Random, data: bytes) -> bytes:
    """A text with something lost, doubled or changed."""
    at, length = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 20))
    middle = rng.choice((b"", data[at : at + length] * 2, rng.randbytes(length)))
    return data[:at] + middle + data[at + length :]


def text(rng: random.Random) -> str | bytes:
    data = rng.choice((GUIDE.encode(), rng.choice(TEXTS), b"", rng.randbytes(rng.randrange(40))))
    data = mangled(rng, data) if rng.random() < 0.7 else data
    if rng.random() < 0.5:
        return data
    # With "surrogatepass" some of them are surrogates that stand for no byte.
    errors = rng.choice(("replace", "surrogateescape", "surrogatepass"))
    try:
        return data.decode("utf-8", errors)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def junk(rng: random.Random) -> object:
    """Anything that Python has."""
    atoms: list[Any] = [None, True, False, 0, -1, 5, 255, 256, 10**30, -(2**63), 1.5, float("nan"), "", "\0", "\ud800"]
    atoms += ["pf1", b"pf1", b"\xff", object(), int, len, range(3), "a" * 300, Exception("x")]
    if rng.random() < 0.75:
        return rng.choice(atoms)
    few = [rng.choice(atoms) for _ in range(rng.randrange(4))]
    return rng.choice((few, tuple(few), dict(zip(["pf1", "", "version"], few)), iter(few), {str(one) for one in few}))


def word(rng: random.Random) -> object:
    return rng.choice(WORDS) if rng.random() < 0.9 else junk(rng)


def words(rng: random.Random) -> object:
    return [word(rng) for _ in range(rng.randrange(4))] if rng.random() < 0.9 else junk(rng)


def pairs(rng: random.Random) -> object:
    few = [(word(rng), rng.choice((None, "1510000000", "1500000000.5", word(rng)))) for _ in range(rng.randrange(4))]
    return few if rng.random() < 0.9 else junk(rng)


def evidence(rng: random.Random) -> object:
    one = rng.choice((EVIDENCE, mangled(rng, EVIDENCE.encode()), {"version": 1, "host": word(rng)}, junk(rng)))
    return [one] if rng.random() < 0.95 else junk(rng)


def bit(rng: random.Random) -> str:
    """A document, or what is hardly one."""
    return rng.choice(("null", "{}", "[]", "1", "{", '{"diagnostics": [1], "summary": 5, "kind": "x"}'))


def change(rng: random.Random) -> object:
    try:
        return pf.ViewChange(down=words(rng), left=words(rng), split=[words(rng)] if rng.random() < 0.3 else None)
    except (PfclusterError, TypeError):
        return junk(rng)


def number(rng: random.Random) -> object:
    return rng.randrange(4) if rng.random() < 0.8 else junk(rng)


def happening(rng: random.Random) -> Any:
    """An input of a supervisor, mostly one that makes sense."""
    kind = rng.choice(INPUTS)
    fields: dict[str, dict[str, Make]] = {
        "looked": {"number": number, "evidence": lambda rng: {"version": 1, "host": word(rng)}, "data": number},
        "asked": {"number": number, "answers": evidence},
        "acted": {"error": word},
        "synced": {"error": word},
        "not_recorded": {"why": word},
        "received": {"bytes": lambda rng: rng.choice((rng.randbytes(rng.randrange(90)), junk(rng)))},
        "ended": {"why": word},
        "said": {"id": number, "saying": lambda rng: {"kind": rng.choice(("force", "seed", "end")), "member": word(rng)}},
    }
    return pf.Input(kind, **{name: make(rng) for name, make in fields.get(kind, {}).items() if rng.random() < 0.95})


class Fuzz:
    """A cluster that was read, and what is asked of it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.guide = pfcluster.parse(GUIDE, pf_conf=PF_CONF, host=HOSTS[0])
        self.objects: list[Any] = [self.guide]
        self.supervisor: Any = None
        self.now = 0

    def cluster(self) -> Any:
        return self.guide if self.rng.random() < 0.8 else self.rng.choice(self.objects)

    def maybe(self, **arguments: Make) -> dict[str, Any]:
        return {name: make(self.rng) for name, make in arguments.items() if self.rng.random() < 0.2}

    def call(self) -> object:
        rng = self.rng
        members = rng.choice((self.cluster(), HOSTS, words(rng)))
        known: list[Callable[[], object]] = [
            lambda: pf.parse(text(rng), **self.maybe(pf_conf=text, host=word, pf_version=word, environment=pairs)),
            lambda: self.cluster().with_value(word(rng), word(rng), word(rng)),
            lambda: self.cluster().without_key(word(rng), word(rng)),
            lambda: self.cluster().with_section(word(rng), pairs(rng), **self.maybe(after=word)),
            lambda: self.cluster().without_section(word(rng)),
            lambda: self.cluster().with_member(word(rng), word(rng), pairs(rng), **self.maybe(zone=word)),
            lambda: self.cluster().without_member(word(rng)),
            lambda: self.cluster().member(word(rng)),
            lambda: self.cluster().seen_by(word(rng), **self.maybe(disabled=words)),
            lambda: self.cluster().database_members(word(rng)),
            lambda: pf.quorum(members, **self.maybe(down=words, left=words, split=words)),
            lambda: pf.what_if(members, [change(rng) for _ in range(rng.randrange(3))]),
            lambda: pf.alive_quorum(junk(rng), junk(rng)),
            lambda: pf.resolve_conflict(pairs(rng), host=word(rng), **self.maybe(now=junk, policy=word)),
            lambda: pf.select_bootstrap(
                members, evidence(rng), **self.maybe(force=word, trust=words, now=junk, silent=pairs)
            ),
            lambda: pf.Evidence(rng.choice((text, junk))(rng)),
            lambda: pf.grastate(text(rng)),
            lambda: pf.gvwstate(text(rng)),
            lambda: pf.recovered_position(text(rng)),
            lambda: pf.rule(word(rng)),
            lambda: pf._native._restore(rng.choice(KINDS), bit(rng), None, bit(rng)),
            lambda: host.pull(word(rng), root=NOWHERE, **self.maybe(host=word, timeout=junk, fingerprints=words)),
            lambda: host.push(root=NOWHERE, **self.maybe(host=word, file=word, storage=word, dry_run=junk)),
            lambda: host.member_status(word(rng), root=NOWHERE, **self.maybe(host=word, socket=word, timeout=junk)),
            lambda: host.config_versions(root=NOWHERE, **self.maybe(host=word, timeout=junk, fingerprints=words)),
            lambda: self.drive(),
            lambda: self.use(rng.choice(self.objects)),
            lambda: self.use(rng.choice(self.objects)),
        ]
        if rng.random() < 0.02:
            chosen = self.maybe(host=word, advert_int=junk, templates=pairs, dashboard=words)
            known = [lambda: pf.generate(self.cluster(), word(rng), **chosen)]
        return rng.choice(known)()

    def drive(self) -> object:
        """A supervisor, for as long as it lives."""
        rng = self.rng
        if self.supervisor is None or rng.random() < 0.02:
            members = rng.choice((self.cluster(), HOSTS, words(rng)))
            key = rng.choice((bytes(32), "00" * 32, junk(rng)))
            chosen = self.maybe(boot=word, records=junk, now=number)
            self.supervisor = pf.Supervisor(word(rng), members, key, number(rng), **chosen)
        self.now += rng.choice((0, 1, 150, 1000, 20_000))
        now = self.now if rng.random() < 0.95 else junk(rng)
        if rng.random() < 0.5:
            self.supervisor.handle_input(now, happening(rng) if rng.random() < 0.95 else junk(rng))
        while rng.random() < 0.9 and (output := self.supervisor.poll_output()):
            self.objects.append(output)
        return self.supervisor.poll_timeout() if rng.random() < 0.5 else self.supervisor.status(now)

    def use(self, one: Any) -> object:
        """Everything that an object can be asked without arguments."""
        name = self.rng.choice([name for name in dir(one) if not name.startswith("_")] or ["kind"])
        value = getattr(one, name)
        asked: list[Callable[[Any], object]] = [str, repr, hash, bool, pickle.dumps, lambda it: it == one]
        self.rng.choice(asked)(one)
        return value() if callable(value) else value


def test_random_calls() -> None:
    fuzz = Fuzz(SEED)
    answered = refused = 0
    for _ in range(CALLS):
        try:
            answer = fuzz.call()
        except InternalError:
            raise
        # Nothing else is expected: not a bare ValueError, OverflowError, UnicodeError or SystemError.
        except (PfclusterError, TypeError, AttributeError):
            refused += 1
            continue
        answered += 1
        if isinstance(answer, (pfcluster.Document, pfcluster.Cluster)):
            fuzz.objects.append(answer)
            # Enough to be found again, and few enough to stay small.
            del fuzz.objects[1 : len(fuzz.objects) - 50]
    print(f"{CALLS} random calls: {answered} answered, {refused} refused")
    assert answered > CALLS / 10 and refused > CALLS / 10
