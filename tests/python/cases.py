"""The cases of tests/testdata, read as tests/src/lib.rs reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TESTDATA = REPOSITORY / "tests" / "testdata"
EXAMPLES = REPOSITORY / "pfcluster-cli" / "examples"


@dataclass(frozen=True)
class Case:
    """A command with its words, its input and the output that is expected."""

    name: str
    command: str
    words: tuple[str, ...]
    text: str
    expected: str

    def value(self, key: str) -> str | None:
        """The value of the word `key=value`."""
        return next((word[len(key) + 1 :] for word in self.words if word.startswith(key + "=")), None)

    def listed(self, key: str) -> list[str]:
        """The same, as a list."""
        return [part for part in (self.value(key) or "").split(",") if part]

    def input(self) -> bytes:
        """The input; with the word `escaped` its line ends are those that it names."""
        data = unescaped(self.text) if "escaped" in self.words else self.text.encode()
        return data + b" " * int(self.value("blanks") or 0) + b"\0" * int(self.value("zeros") or 0)


def unescaped(text: str) -> bytes:
    """`\\n`, `\\r`, `\\t`, `\\\\` and `\\xNN`; the line ends of the test file itself do not count."""
    plain = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\"}
    out, rest = bytearray(), text.replace("\n", "")
    while rest:
        before, _, rest_of_escape = rest.partition("\\")
        out += before.encode()
        if len(before) == len(rest):
            break
        if rest_of_escape[0] == "x":
            out.append(int(rest_of_escape[1:3], 16))
            rest = rest_of_escape[3:]
        else:
            out += plain[rest_of_escape[0]]
            rest = rest_of_escape[1:]
    return bytes(out)


def cases(folder: str) -> Iterator[Case]:
    """All cases of a folder, file by file."""
    for path in sorted((TESTDATA / folder).glob("*.txt")):
        # A case may hold any control character: only LF ends a line.
        lines = iter(enumerate(path.read_bytes().decode().split("\n"), 1))
        for number, line in lines:
            if line.startswith("#") or not line.strip():
                continue
            command, *words = line.split()
            text, expected = [], []
            for _, line in lines:
                if line == "----":
                    break
                text.append(line + "\n")
            for _, line in lines:
                if not line.strip():
                    break
                expected.append(line + "\n")
            name = f"{folder}/{path.name}:{number}"
            yield Case(name, command, tuple(words), "".join(text), "".join(expected))
