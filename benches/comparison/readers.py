"""pfcluster beside the other readers of cluster.conf: speed, growth, memory."""

import math
import statistics
import sys

from .machine import BENCHES, TARGET, output
from .tables import rounded, table

# What is built for it.
PACKAGES = ["pfcluster-benches"]
READ = TARGET / "pfcluster-read"

PERL = "Config::IniFiles (Perl)"
PYTHON = "configparser (Python)"
# What the table shows, and the reader's name in readers/read.rs; the last two are programs of their own.
READERS = {
    "line floor": "floor",
    "pfcluster: scan": "scan",
    "pfcluster: document": "document",
    "pfcluster: document + cluster": "cluster",
    "pfcluster: document + cluster + check": "check",
    "pfcluster: file + document + cluster": "file",
    "rust-ini": "rust-ini",
    PYTHON: None,
    PERL: None,
}
FILES = {"guide": "the guide's example", "large": "100,004 sections", "masks": "100,004 sections with masks"}
GROWTH = [3, 30, 300, 3_000, 30_000]
# What a reading costs however short the file is bends the line below this.
LARGE = 300
ROUNDS = 3
# For each reader, file and round; a reading that takes longer is done once.
SECONDS = 0.4


def compare(inputs):
    """Prints the tables; returns the goals."""
    output(READ, "inputs", inputs)
    speed = throughput(inputs)
    exponents = growth(inputs)
    return goals(speed, exponents, peak_memory(inputs))


def throughput(inputs):
    """Seconds by (reader, file); all readers take turns, so that a slow minute hits all of them."""
    times, repetitions = {}, {}
    for file in FILES:
        for _ in range(ROUNDS):
            for reader in READERS:
                seconds, count = measure(reader, inputs / f"{file}.conf", SECONDS)
                times.setdefault((reader, file), []).append(seconds)
                repetitions[reader, file] = repetitions.get((reader, file), 0) + count
    medians = {key: statistics.median(seconds) for key, seconds in times.items()}
    for file, name in FILES.items():
        size = (inputs / f"{file}.conf").stat().st_size
        rows = []
        for reader in READERS:
            seconds = medians[reader, file]
            ratio = rounded(medians[PERL, file] / seconds) + " x"
            rows.append([reader, rounded(size / seconds / 1e6), ratio, f"{repetitions[reader, file]:,}"])
        table([f"{name}, {size_of(size)}", "MB/s", "to Config::IniFiles", "readings"], rows)
    return medians


def growth(inputs):
    """The power of the size that the time grows with, by reader: 1 is linear."""
    exponents, rows = {}, []
    for reader in READERS:
        points = []
        for members in GROWTH:
            path = inputs / f"{members}.conf"
            seconds, _ = measure(reader, path, SECONDS)
            points.append((math.log(path.stat().st_size), math.log(seconds)))
        large = points[GROWTH.index(LARGE) :]
        exponents[reader] = statistics.linear_regression(*zip(*large)).slope
        milliseconds = [rounded(math.exp(log_seconds) * 1e3) for _, log_seconds in points]
        rows.append([reader, *milliseconds, f"{exponents[reader]:.2f}"])
    table(["growth, ms with members:", *(f"{members:,}" for members in GROWTH), f"exponent from {LARGE} on"], rows)
    return exponents


def peak_memory(inputs):
    """Bytes per byte of the file, by (reader, file)."""
    ratios, rows = {}, []
    for reader in ["pfcluster: file + document + cluster", "rust-ini", PYTHON, PERL]:
        row = [reader]
        for file in ["large", "masks"]:
            path = inputs / f"{file}.conf"
            peak = int(output(*command(reader, path, 0)))
            ratios[reader, file] = peak / path.stat().st_size
            row += [f"{peak:,}", f"{ratios[reader, file]:.1f} x"]
        rows.append(row)
    table(["peak memory", FILES["large"] + ": bytes", "to the file", FILES["masks"] + ": bytes", "to the file"], rows)
    return ratios


def goals(speed, exponents, memory):
    whole, model = "pfcluster: document + cluster + check", "pfcluster: document + cluster"
    micro = speed[whole, "guide"] * 1e6
    scan = speed["pfcluster: scan", "large"] / speed["line floor", "large"]
    to_perl = {file: speed[PERL, file] / speed[model, file] for file in FILES}
    memory = max(ratio for (reader, _), ratio in memory.items() if reader.startswith("pfcluster"))
    exponent = max(exponents[reader] for reader in READERS if reader.startswith("pfcluster: document"))
    return [
        ("guide's example read and checked", f"{micro:.1f} us", "under 100 us", micro < 100),
        ("scan to line floor", f"{scan:.1f} x", "at most 4 x", scan <= 4),
        (f"{model} to Config::IniFiles", f"{to_perl['large']:.0f} x", "at least 100 x", to_perl["large"] >= 100),
        ("the same with masks", f"{to_perl['masks']:.0f} x", "at least 100 x", to_perl["masks"] >= 100),
        ("peak memory to the file's size", f"{memory:.1f} x", "under 8 x", memory < 8),
        ("growth", f"exponent {exponent:.2f}", "at most 1.1", exponent <= 1.1),
    ]


def command(reader, path, seconds):
    programs = {PERL: ["perl", BENCHES / "readers/read.pl"], PYTHON: [sys.executable, BENCHES / "readers/read.py"]}
    return [*programs.get(reader, [READ, READERS[reader]]), path, str(seconds)]


def measure(reader, path, seconds):
    """(median seconds of one reading, number of readings)"""
    median, count = output(*command(reader, path, seconds)).split()
    return float(median), int(count)


def size_of(size):
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size:,} bytes"
