"""The members of a case of tests/testdata/bootstrap, as the evidence that `pfcluster evidence` would print of them.

The language is described in tests/src/decisions/bootstrap.rs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ZERO = "00000000-0000-0000-0000-000000000000"
LETTERS = "ABCDvx"
SILENCES = {"unknown": "not_asked", "silent": "no_answer", "refused": "refused", "garbled": "it is no JSON"}
STATUSES = {"primary": "synced", "nonprimary": "initialized", "disconnected": "initialized"}
LOCAL_STATES = ("initialized", "joining", "donor", "joined", "synced", "inconsistent")


def uuid(number: int) -> str:
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def history(letter: str) -> str:
    return uuid(ord(letter) << 120 | 0x11F1_8000 << 48 | ord(letter))


def node(number: int) -> str:
    return uuid(number << 96 | 0x11F1_8000 << 32)


def host(name: str) -> str:
    return f"{name}.example.com"


def hosts(names: str) -> list[str]:
    return [host(name) for name in names.split(",") if name]


def place(word: str) -> dict[str, Any]:
    letter, _, number = word.partition(":")
    return {"uuid": history(letter), "seqno": int(number)}


@dataclass
class Said:
    """What a line says of a member, word by word."""

    name: str
    state: str
    words: list[str]
    number: int

    def all(self, key: str) -> Iterator[str]:
        return (word[len(key) + 1 :] for word in self.words if word.startswith(key + "="))

    def value(self, key: str) -> str | None:
        return next(self.all(key), None)

    def position(self) -> dict[str, Any] | None:
        return next((place(word) for word in self.words if word[1:2] == ":"), None)

    def silence(self) -> str | None:
        return SILENCES.get(self.state)

    def documents(self) -> list[dict[str, Any]]:
        """Two that differ, and no clock tells which is newer, where the case says `twice`."""
        one = self.evidence()
        return [one, {**one, "starting": True}] if self.state == "twice" else [one]

    def evidence(self) -> dict[str, Any]:
        return {
            "version": 1,
            "host": host(self.name),
            "maintenance": "maintenance" in self.words,
            "arbitrator": "arbitrator" in self.words,
            "disabled": hosts(self.value("disables") or ""),
            "members_hash": self.value("members"),
            "running": self.running() if self.state in STATUSES else None,
            "starting": self.state == "starting",
            "bootstrapping": self.state == "bootstrapping",
            "not_responding": self.state == "mute",
            "files": None if "nofiles" in self.words else self.files(),
        }

    def running(self) -> dict[str, Any]:
        position = self.position() or {"uuid": ZERO, "seqno": -1}
        sees = hosts(self.value("sees") or "")
        return {
            "uuid": ZERO if "zero" in self.words else position["uuid"],
            "cluster_status": "non_primary" if self.state == "nonprimary" else self.state,
            "local_state": next((state for state in LOCAL_STATES if state in self.words), STATUSES[self.state]),
            "cluster_size": len(sees),
            "last_committed": position["seqno"],
            "members": sees + list(self.all("stranger")),
        }

    def files(self) -> dict[str, Any]:
        view = self.view()
        return {
            "grastate": self.grastate(),
            "gvwstate": view,
            "recovered": self.recovered(),
            "last_recorded": next(map(place, self.all("recorded")), None),
            "view_record": self.view_record(view),
            "clean_stop": self.clean_stop(),
            "forks": [fork(text) for text in self.all("fork")],
            "sst_marker": "marker" in self.words,
            "unsynced_transfer": "unsynced" in self.words,
            "ran_standalone": "ranalone" in self.words,
            "supervised": hosts(self.value("supervised") or ""),
            "start_failures": self.start_failures(),
            "datadir_empty": "empty" in self.words,
        }

    def grastate(self) -> dict[str, Any] | None:
        if "torn" in self.words:
            return {"error": "line 4 has no end"}
        if "nograstate" in self.words or "empty" in self.words:
            return None
        position = {"uuid": ZERO, "seqno": -1} if "zero" in self.words else self.position()
        position = position or {"uuid": ZERO, "seqno": -1}
        if self.state != "stopped":
            position = {**position, "seqno": -1}
        return {**position, "safe_to_bootstrap": self.value("flag") == "1"}

    def recovered(self) -> dict[str, Any] | None:
        asked, position = self.value("recovered"), self.position()
        if asked == "failed":
            return {"error": "the server did not start"}
        if asked == "none":
            return {"uuid": ZERO, "seqno": -1}
        if asked not in (None, "no"):
            return place(asked)
        if asked is None and position is None and "marker" in self.words:
            return {"uuid": ZERO, "seqno": -1}
        looked = self.state in ("crashed", "stopped", "starting")
        return position if asked is None and looked and position and position["seqno"] >= 0 else None

    def clean_stop(self) -> dict[str, Any] | None:
        """`joined=` has no place here: evidence has `unsynced_transfer`, which comes of it."""
        last, clean = self.value("last"), self.value("clean")
        word = last or clean
        return {**place(word), "last": last is not None} if word else None

    def start_failures(self) -> dict[str, Any] | None:
        failed = self.value("failed")
        return {"count": int(failed), "why": "exit status 1"} if failed else None

    def view(self) -> dict[str, Any] | None:
        view = self.value("view")
        if view is None:
            return None
        if view == "torn":
            return {"error": "it has no `#vwend`"}
        name, _, members = view.removesuffix("}").partition("{")
        return {
            "my_uuid": node(int(self.value("node") or self.number)),
            "view_uuid": history("x" if name.startswith("x") else "v"),
            "view_seq": int(name.removeprefix("x")),
            "members": sorted(node(int(number)) for number in members.split(",")),
        }

    def view_record(self, view: dict[str, Any] | None) -> dict[str, Any] | None:
        floor, alone = self.value("floor"), self.value("alone")
        if floor is None and alone is None:
            return None
        unnamed: dict[str, Any] = {"view_uuid": ZERO, "view_seq": 0, "members": [ZERO]}
        held = view if view and "error" not in view else unnamed
        recorded = self.value("recorded")
        known = self.position() or (place(recorded) if recorded else {"uuid": ZERO})
        return {
            "view_uuid": held["view_uuid"],
            "view_seq": held["view_seq"],
            "uuid": known["uuid"],
            "floor": int(floor or alone or 0),
            "size": len(held["members"]) if floor is not None else 1,
        }


def fork(text: str) -> dict[str, Any]:
    at, _, number = text.partition("#")
    return {"id": f"{int(number or 1):016x}", **place(at)}


def members(text: str) -> list[Said]:
    """The members of a case, in order."""
    lines = enumerate((line.split() for line in text.splitlines()), 1)
    return [Said(name, state, words, number) for number, (name, state, *words) in lines]


def readable(text: str) -> str:
    """UUIDs as the letters that they stand for."""
    for letter in LETTERS:
        text = text.replace(history(letter), letter)
    return text.replace(".example.com", "")
