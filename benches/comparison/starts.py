"""What a whole program costs from its start to its end: time and memory."""

import os
import shutil
import statistics
import subprocess
import sys
import time

from .machine import CLI, ROOT, TARGET, output
from .tables import table

# What is built for it.
PACKAGES = ["pfcluster-benches", "pfcluster-cli", "pfcluster-py"]
RUNS = 60
NOTHING = "a program that does nothing (`true`)"
IDLE = "`pfcluster --version`"
CHECK = "`pfcluster check FILE`"
PERL = """
my $conf = Config::IniFiles->new( -file => $ARGV[0] ) or die;
print "$_\\n" for grep { !/ / && $_ ne 'CLUSTER' } $conf->Sections;
"""
PYTHON = """
import configparser, sys
conf = configparser.ConfigParser(strict=False, interpolation=None)
conf.read(sys.argv[1])
print(*(name for name in conf.sections() if " " not in name and name != "CLUSTER"), sep="\\n")
"""
MODULE = """
import pfcluster, sys
print(*(member.host for member in pfcluster.load(sys.argv[1]).members), sep="\\n")
"""


def compare(inputs):
    """Prints the table of the guide's example; returns the goals."""
    output(TARGET / "pfcluster-read", "inputs", inputs)
    path = str(inputs / "guide.conf")
    python = [sys.executable, "-c"]
    programs = {
        NOTHING: [shutil.which("true")],
        IDLE: [str(CLI), "--version"],
        CHECK: [str(CLI), "check", path],
        "members: `pfcluster show FILE`": [str(CLI), "show", path],
        "members: Perl, Config::IniFiles": [shutil.which("perl"), "-MConfig::IniFiles", "-e", PERL, path],
        "members: Python, configparser": [*python, PYTHON, path],
        "members: Python, pfcluster": [*python, MODULE, path],
        '`python -c "import pfcluster"`': [*python, "import pfcluster"],
        '`python -c ""`': [*python, ""],
    }
    environment = {**os.environ, "PYTHONPATH": str(module(inputs))}
    for name, program in programs.items():
        said = subprocess.run(program, env=environment, capture_output=True, text=True)
        if said.returncode != 0 or name.startswith("members:") and "pf3.example.com" not in said.stdout:
            sys.exit(f"failed: {name}\n{said.stderr}")
    times = {name: [] for name in programs}
    # The programs take turns, so that a slow minute hits all of them.
    for _ in range(RUNS):
        for name, program in programs.items():
            times[name].append(wall_time(program, environment) * 1e3)
    medians = {name: statistics.median(milliseconds) for name, milliseconds in times.items()}
    peaks = {name: statistics.median(peak(program, environment) for _ in range(5)) for name, program in programs.items()}
    rows = [[name, f"{medians[name]:.2f}", f"{min(times[name]):.2f}", f"{peaks[name] / 1e6:.1f}"] for name in programs]
    table([f"guide's example, start included, {RUNS} runs", "median ms", "least ms", "peak memory MB"], rows)
    memory = (peaks[CHECK] - peaks[IDLE]) / 1e6
    return [
        (f"{CHECK} of the guide's example", f"{medians[CHECK]:.1f} ms", "under 10 ms", medians[CHECK] < 10),
        (f"its memory above that of {IDLE}", f"{memory:.1f} MB", "under 5 MB", memory < 5),
    ]


def module(inputs):
    """A directory with the Python module, as a wheel would install it."""
    package = inputs / "python" / "pfcluster"
    shutil.copytree(ROOT / "pfcluster-py" / "python" / "pfcluster", package, ignore=shutil.ignore_patterns("*.so"))
    shutil.copy(TARGET / "lib_native.so", package / "_native.abi3.so")
    # As pip does.
    output(sys.executable, "-m", "compileall", "-q", package)
    return package.parent


def wall_time(program, environment):
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    begin = time.perf_counter()
    process = os.posix_spawn(program[0], program, environment, file_actions=silent)
    _, status = os.waitpid(process, 0)
    seconds = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"failed: {' '.join(program)}")
    return seconds


def peak(program, environment):
    """The largest resident size, in bytes. (A child of this process itself would begin with this one's.)"""
    command = ["/usr/bin/time", "--format", "%M", *program]
    said = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return int(said.stderr.split()[-1]) * 1024
