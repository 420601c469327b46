"""How long `pfcluster status` takes while one member is dead: it takes no packet and sends none, as after a power cut.

In a network namespace of its own. One real MariaDB with Galera answers at the addresses of all members that live.
"""

import configparser
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from .machine import CLI, ROOT, output
from .tables import table

# What is built for it.
PACKAGES = ["pfcluster-cli"]
NEEDED = ["mariadbd", "mariadb", "mariadb-install-db", "ip"]
PASSWORD = "aMuchMoreSecurePassword"
# Seconds that `--timeout` gives, and how often each is measured.
DEADLINES = {1: 7, 5: 2}


def compare(scratch):
    """Prints the table; returns the goals."""
    missing = [program for program in NEEDED if not shutil.which(program)]
    if os.geteuid() != 0 or missing:
        why = f"missing: {', '.join(missing)} (tests/install)" if missing else "it needs root"
        print(f"`pfcluster status` with a dead member: NOT MEASURED, {why}\n")
        return []
    rows, latest = [], 0
    for name in ["guide", "five-members"]:
        with contextlib.ExitStack() as stack:
            cluster = Cluster(scratch, name, stack)
            number = len(cluster.addresses)
            answered = [cluster.status(5, dead=False) for _ in range(10)]
            rows.append([f"{number} members, all answer", *shown(answered), "", str(len(answered))])
            cluster.kill_last()
            for deadline, runs in DEADLINES.items():
                seconds = [cluster.status(deadline, dead=True) for _ in range(runs)]
                late = (max(seconds) - deadline) * 1e3
                latest = max(latest, late)
                what = f"{number} members, one dead, `--timeout {deadline}`"
                rows.append([what, *shown(seconds), f"{late:.0f}", str(runs)])
    table(["`pfcluster status`", "median ms", "most ms", "after the deadline ms", "runs"], rows)
    goal = "`status` with one member dead"
    return [(goal, f"deadline + {latest:.0f} ms", "at most deadline + 100 ms", latest <= 100)]


def shown(seconds):
    return [f"{statistics.median(seconds) * 1e3:,.0f}", f"{max(seconds) * 1e3:,.0f}"]


class Cluster:
    """An example's members in a namespace, all alive."""

    def __init__(self, scratch, name, stack):
        self.folder = scratch / name
        # One after the other, the clusters share it.
        self.datadir = scratch / "data"
        self.namespace = f"pfbench-{os.getpid()}-{name}"
        shutil.copytree(ROOT / "pfcluster-cli" / "examples" / name, self.folder / "conf")
        conf = configparser.ConfigParser(strict=False, interpolation=None)
        conf.read(self.folder / "conf" / "cluster.conf")
        members = [section for section in conf.sections() if " " not in section and section != "CLUSTER"]
        self.addresses = {member: conf[member]["management_ip"] for member in members}
        output("ip", "netns", "add", self.namespace)
        stack.callback(output, "ip", "netns", "delete", self.namespace)
        self.ip("link", "set", "lo", "up")
        for address in self.addresses.values():
            self.ip("address", "add", f"{address}/32", "dev", "lo")
        # A cable with nobody at its other end.
        self.ip("link", "add", "eth0", "type", "veth", "peer", "name", "nobody")
        self.ip("link", "set", "eth0", "up")
        self.ip("link", "set", "nobody", "up")
        self.start_database(stack)

    def ip(self, *arguments):
        output("ip", "-n", self.namespace, *arguments)

    def start_database(self, stack):
        self.socket = self.datadir / "socket"
        common = ["--no-defaults", "--user=mysql", f"--datadir={self.datadir}", "--innodb-log-file-size=8M"]
        if not self.datadir.exists():
            self.datadir.mkdir()
            shutil.chown(self.datadir, "mysql", "mysql")
            # The server runs as mysql.
            self.datadir.parent.chmod(0o755)
            output("mariadb-install-db", *common, "--skip-test-db", "--skip-name-resolve")
        galera = ["--wsrep-on=ON", "--wsrep-provider=/usr/lib/galera/libgalera_smm.so", "--wsrep-cluster-address=gcomm://"]
        galera += ["--binlog-format=ROW", "--default-storage-engine=InnoDB", "--innodb-autoinc-lock-mode=2"]
        where = [f"--socket={self.socket}", f"--pid-file={self.datadir}/pid", "--skip-name-resolve"]
        where.append(f"--wsrep-node-address={next(iter(self.addresses.values()))}")
        command = ["ip", "netns", "exec", self.namespace, "mariadbd", *common, *galera, *where, "--wsrep-new-cluster"]
        with open(self.folder / "log", "w") as log:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        user = f"CREATE OR REPLACE USER pfcluster@'%' IDENTIFIED BY '{PASSWORD}'"
        client = ["mariadb", "--no-defaults", "--user=root", f"--socket={self.socket}", f"--execute={user}"]
        deadline = time.monotonic() + 60
        while subprocess.run(client, capture_output=True).returncode != 0:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the database does not start:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.1)

    def kill_last(self):
        """The last member takes no packet any more: nobody at all answers for its address."""
        self.dead, address = list(self.addresses.items())[-1]
        self.ip("address", "delete", f"{address}/32", "dev", "lo")
        self.ip("route", "add", f"{address}/32", "dev", "eth0")
        self.ip("neighbour", "add", address, "lladdr", "02:00:00:00:00:99", "dev", "eth0")

    def status(self, timeout, dead):
        """Seconds, with the start of the program."""
        command = ["ip", "netns", "exec", self.namespace, CLI, "status", "--format=json", f"--timeout={timeout}"]
        command += [f"--root={self.folder}", f"--datadir={self.datadir}", f"--socket={self.socket}"]
        command += [f"--host={next(iter(self.addresses))}", f"--backups={self.folder}", f"--run-directory={self.folder}"]
        begin = time.perf_counter()
        said = subprocess.run(command, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
        members = json.loads(said.stdout)["members"] if said.stdout else []
        states = {member["host"]: member["database"]["state"] for member in members}
        wanted = {member: "silent" if dead and member == self.dead else "primary" for member in self.addresses}
        if states != wanted:
            sys.exit(f"`pfcluster status` says {states}, not {wanted}\n{said.stderr}")
        return seconds
