"""Where everything is, how programs are run, and what the figures were measured on."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

BENCHES = Path(__file__).resolve().parents[1]
ROOT = BENCHES.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
CLI = TARGET / "pfcluster"


def output(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.strip()


def build(packages):
    # As maturin does, so that it need not be built for both.
    environment = {**os.environ, "PYO3_BUILD_EXTENSION_MODULE": "1"}
    # Apart from each other: one build would unify the features of all.
    for package in packages:
        command = ["cargo", "build", "--release", "--quiet", "-p", package]
        if subprocess.run(command, cwd=ROOT, env=environment).returncode != 0:
            sys.exit(f"{package} does not build")


def describe(perl_module):
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    rust_ini = re.search(r'name = "rust-ini"\nversion = "(.*)"', (ROOT / "Cargo.lock").read_text())
    processor = model[1] if model else "unknown processor"
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {processor}, load average {os.getloadavg()[0]:.1f}")
    print(f"{output('rustc', '--version')}; rust-ini {rust_ini[1]}; Python {sys.version.split()[0]};", end=" ")
    print(f"Perl {output('perl', '-e', 'print $^V')}, Config::IniFiles {perl_module}\n")
