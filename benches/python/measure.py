"""How fast the Python module is, beside Python's configparser and beside Rust, in one run: measure.py [import]

`tests/python/run --bench` runs it on the wheel that users get, with all of it. With `import`, only what importing costs.
Benchmarks are no tests: nothing fails if a number is bad, `MISSED` stands beside the goal.
"""

from __future__ import annotations

import configparser
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pfcluster

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "pfcluster-cli" / "examples"
# The same in Rust: benches/readers/read.rs.
READ = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "pfcluster-read"


def seconds(work: Callable[[], object], budget: float = 0.5) -> float:
    """The median time of a call, as benches/readers/read.rs takes it: of short batches, at least three, so that neither the
    clock nor what else the machine does counts."""
    batch_time = 1e-4
    took = timed(work, 1)
    if took < batch_time:
        took = timed(work, 1)
    calls = max(1, int(batch_time / max(took, 1e-9)))
    times = []
    begin = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < budget:
        times.append(timed(work, calls) / calls)
    return statistics.median(times)


def timed(work: Callable[[], object], calls: int) -> float:
    begin = time.perf_counter()
    for _ in range(calls):
        work()
    return time.perf_counter() - begin


def cluster_conf(members: int) -> str:
    """The guide's shape with so many members."""
    lines = []
    for number in range(members + 1):
        owner = f"pf{number}.example.com" if number else "CLUSTER"
        address = f"{number >> 14 & 255}.{number >> 7 & 127}.{number & 127}"
        lines += [f"[{owner}]", f"management_ip=10.{address}", ""]
        for interface, net in (("eth0", 10), ("eth1.2", 20), ("eth1.3", 30)):
            lines += [f"[{owner} interface {interface}]", f"ip={net}.{address}", ""]
    return "\n".join(lines)


def configparser_reads(text: str) -> configparser.ConfigParser:
    # PacketFence's reader takes repeated sections and keys as well.
    config = configparser.ConfigParser(strict=False, interpolation=None)
    config.read_string(text)
    return config


def row(what: str, measured: str, goal: str = "", met: bool | None = None) -> None:
    print(f"{what:58} {measured:>12}  {goal:16} {'' if met is None else 'met' if met else 'MISSED'}", flush=True)


def parsing(name: str, text: str, goal: int) -> None:
    ours, theirs = seconds(lambda: pfcluster.parse(text)), seconds(lambda: configparser_reads(text))
    row(f"parse {name} ({len(text):,} characters)", f"{ours * 1e6:,.1f} us")
    row(f"configparser, {name}", f"{theirs * 1e6:,.1f} us")
    row("  times as fast", f"{theirs / ours:.0f} x", f"at least {goal} x", theirs / ours >= goal)


def calls() -> None:
    guide = pfcluster.load(EXAMPLES / "guide" / "cluster.conf")
    finding = guide.with_value("CLUSTER", "management_ip", "1").check()[0]
    for what, work in {
        "an empty function of Python": lambda: None,
        "alive_quorum(2, 3)": lambda: pfcluster.alive_quorum(2, 3),
        "cluster.clustered": lambda: guide.clustered,
        "finding.code": lambda: finding.code,
        "cluster.check(), the guide's example": guide.check,
        "cluster.members, the guide's example": lambda: guide.members,
    }.items():
        row(what, f"{seconds(work) * 1e9:,.0f} ns")


def overhead() -> None:
    """`check()` of a file of 30 members, beside the reading and checking of it in Rust."""
    text = cluster_conf(30)
    check = pfcluster.parse(text).check
    assert not check().summary.errors
    rounds = []
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        for _ in range(5):
            said = subprocess.run([READ, "check", file.name, "0.3"], check=True, capture_output=True, text=True)
            first = seconds(lambda: pfcluster.parse(text).check(), 0.3)
            rounds.append((float(said.stdout.split()[0]), first, seconds(check, 0.3)))
    in_rust, first, again = (statistics.median(times) for times in zip(*rounds))
    row("30 members read and checked, in Rust", f"{in_rust * 1e6:,.1f} us")
    row("parse(text).check(), of 30 members", f"{first * 1e6:,.1f} us")
    row("  to Rust", f"{first / in_rust:.0%}", "under 130 %", first < 1.3 * in_rust)
    row("check() again, of what was read", f"{again * 1e6:,.1f} us")


def importing() -> None:
    def start(code: str) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-S", "-E", "-c", code], check=True)
        return time.perf_counter() - begin

    paths = f"import sys; sys.path[:] = {sys.path!r}; "
    pairs = [(start(paths), start(paths + "import pfcluster")) for _ in range(21)]
    took = statistics.median(with_module - without for without, with_module in pairs) * 1e3
    row("import pfcluster", f"{took:.1f} ms", "under 10 ms", took < 10)
    wheel = Path(pfcluster.__file__).parent
    size = sum(path.stat().st_size for path in wheel.rglob("*") if path.is_file())
    row("the module on disk", f"{size / 1e6:.1f} MB")


def main() -> None:
    print(f"Python {sys.version.split()[0]}, pfcluster {pfcluster.__version__}\n")
    importing()
    if sys.argv[1:] == ["import"]:
        return
    parsing("1.2 KB", cluster_conf(5), 20)
    parsing("9 MB", cluster_conf(43_000), 100)
    calls()
    overhead()


if __name__ == "__main__":
    main()
