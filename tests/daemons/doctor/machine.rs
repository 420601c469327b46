//! A machine for `pfcluster doctor`: namespaces with the interfaces of the guide's pf1, PacketFence's directory, and stand-ins
//! for what only a whole system has. It is gone with the process that made it, whatever happens to that.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pfcluster_tests::program::{examples, program_at};
use pfcluster_tests::schema::assert_fits;
use serde_json::Value;

const PACKAGES: &str = "mariadb-server mariadb-backup galera-4 socat iproute2 procps util-linux";

/// Gives the namespaces a file system and a network of their own, then waits for its standard input to end, and everything
/// in them ends with it.
const SET_UP: &str = r#"
set -eu
# What runs in the background has no other standard input.
exec 3<&0
mount -t tmpfs run /run
mkdir -p /run/mysqld
chown mysql:mysql /run/mysqld
# Where the machine's own client looks for it.
ln -s /var/lib/mysql/mysql.sock /run/mysqld/mysqld.sock
# PacketFence's group, where PacketFence is not installed.
cp /etc/group "$1/group"
grep -q ^pf: "$1/group" || echo pf:x:990: >>"$1/group"
mount --bind "$1/group" /etc/group
mount --bind "$1/local" /usr/local
# The program looks for it where the system's are, whatever PATH says.
[ ! -e /usr/bin/systemctl ] || mount --bind "$1/local/sbin/systemctl" /usr/bin/systemctl
mount --bind "$1/mysql" /var/lib/mysql
mount --bind "$1/sysctl" /etc/sysctl.d
mount --bind "$1/units" /etc/systemd/system
hostname pf1.example.com
ip link set lo up
n=1
for name in eth0 eth1.2 eth1.3; do
    ip link add "$name" type veth peer name "peer$n"
    ip address add "192.168.$n.5/24" dev "$name"
    ip link set "$name" up
    n=$((n + 1))
done
echo ready
cat <&3 &
# Waits for orphans too: it is their parent.
wait $!
"#;

/// systemd's own, as far as doctor and its remedies need it. The unit of the database starts the real one.
const SYSTEMCTL: &str = r#"#!/bin/sh
set -eu
state=/usr/local/state
running() { pid=$(cat $state/pid 2>/dev/null) && kill -0 "$pid" 2>/dev/null; }
answers() { mariadb -e 'SELECT 1' >/dev/null 2>&1; }
start() {
    running && return
    setsid mariadbd --defaults-file=/usr/local/pf/var/conf/mariadb.conf --user=mysql --wsrep-new-cluster \
        </dev/null >>$state/log 2>&1 &
    echo $! >$state/pid
    until answers; do
        running || { tail -n 20 $state/log >&2; exit 1; }
        sleep 0.1
    done
}
stop() {
    running || return 0
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}
unit=$state/${2:-}
case "$1 ${2:-}" in
    "start packetfence-mariadb") start ;;
    "stop packetfence-mariadb") stop ;;
    "restart packetfence-mariadb") stop; start ;;
    start\ * | stop\ *) ;;
    get-default\ *) cat $state/default ;;
    set-default\ *) echo "$2" >$state/default ;;
    is-enabled\ *)
        cat "${unit%.service}.unit" 2>/dev/null || { echo "Failed to get unit file state for $2: No such file" >&2; exit 1; }
        ;;
    enable\ *) echo enabled >"${unit%.service}.unit" ;;
    "disable --now") echo disabled >"$state/$3.unit" ;;
    disable\ *) echo disabled >"${unit%.service}.unit" ;;
    unmask\ *) echo disabled >"${unit%.service}.unit" ;;
    show-environment\ *) cat $state/environment ;;
    set-environment\ *) echo "$2" >>$state/environment ;;
    unset-environment\ *) sed -i "/^$2=/d" $state/environment ;;
    status\ *) ps -p "$2" -o comm= ;;
    cat\ *) exit 1 ;;
    *) echo "there is no \`systemctl $*\` here" >&2; exit 1 ;;
esac
"#;

/// What PacketFence's does for the only thing that is asked of it here.
const PFCMD: &str = r#"#!/bin/sh
case "$*" in
    "service httpd.webservices restart")
        setsid socat TCP-LISTEN:9090,bind=192.168.1.5,fork,reuseaddr /dev/null </dev/null >/dev/null 2>&1 &
        until ss -Htln | grep -q 192.168.1.5:9090; do sleep 0.1; done
        ;;
    "service pf start") ;;
    *) echo "there is no \`pfcmd $*\` here" >&2; exit 1 ;;
esac
"#;

/// A package comes back into sight.
const APT_GET: &str = "#!/bin/sh\n[ \"$*\" = \"install -y socat\" ] && umount /usr/bin/socat\n";

/// systemd's, without systemd.
const HOSTNAMECTL: &str = "#!/bin/sh\n[ \"$1\" = set-hostname ] && hostname \"$2\"\n";

/// The machine.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    keeper: Child,
    /// The first process in the namespaces.
    inside: String,
    /// One at a time: the machine is small.
    _alone: MutexGuard<'static, ()>,
}

impl Machine {
    /// A machine on which nothing is wrong that can be right without a database.
    pub(crate) fn new() -> Machine {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(rustix::process::geteuid().is_root(), "run the tests as root: namespaces and MariaDB need it");
        for program in
            ["mariadbd", "mariadb-install-db", "mariabackup", "socat", "ip", "ss", "sysctl", "nsenter", "unshare"]
        {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("a shell");
            assert!(found.status.success(), "{program} is not installed: apt-get install {PACKAGES} (tests/install)");
        }
        let folder = tempfile::tempdir().expect("a scratch folder");
        lay_out(folder.path());
        let mut keeper = Command::new("unshare")
            .args(["--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["sh", "-c", SET_UP, "sh"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let mut line = String::new();
        let out = keeper.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n", "the namespaces could not be set up");
        let children = format!("/proc/{0}/task/{0}/children", keeper.id());
        let inside = fs::read_to_string(children).expect("a child").trim().to_owned();
        Machine { folder, keeper, inside, _alone: alone }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A shell on the machine.
    pub(crate) fn sh(&self, line: &str) -> Output {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.inside, "--net", "--mount", "--uts", "--pid", "--", "sh", "-c", line]);
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        command.env_clear().env("PATH", path).current_dir("/").stdin(Stdio::null()).output().expect("a shell")
    }

    /// The same; it must succeed.
    pub(crate) fn run(&self, line: &str) -> String {
        let output = self.sh(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Waits until a command succeeds.
    pub(crate) fn until(&self, line: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let output = self.sh(line);
            if output.status.success() {
                return;
            }
            assert!(Instant::now() < deadline, "not within 60 s: {line}: {output:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What doctor says, and its exit status.
    pub(crate) fn doctor(&self, arguments: &str) -> (Option<i32>, Value) {
        let output = self.sh(&format!("pfcluster doctor --format json {arguments}"));
        let text = String::from_utf8_lossy(&output.stdout);
        for secret in SECRETS {
            assert!(!text.contains(secret), "a secret is shown: {text}");
        }
        let document: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        assert_fits("doctor.json", &document);
        (output.status.code(), document)
    }

    /// What one check comes to; options may follow its name.
    pub(crate) fn check(&self, id: &str) -> Found {
        let (code, document) = self.doctor(id);
        let finding = &document["members"][0]["checks"][0];
        assert_eq!(finding["id"].as_str(), id.split(' ').next());
        let remedy = finding["remedy"].as_array().expect("a list").iter();
        let found = Found {
            verdict: finding["verdict"].as_str().expect("a word").to_owned(),
            seen: finding["seen"].as_str().expect("a sentence").to_owned(),
            commands: remedy.filter_map(|step| step["run"].as_str().map(str::to_owned)).collect(),
        };
        assert_eq!(code, Some(i32::from(found.verdict == "fail")), "{id}: {found:?}");
        found
    }

    pub(crate) fn passes(&self, id: &str) {
        let found = self.check(id);
        assert_eq!(found.verdict, "pass", "{id}: {found:?}");
    }

    /// All is well; the fault makes the check say so, with these words in it; its own commands mend it.
    pub(crate) fn fault(&self, id: &str, fault: &str, verdict: &str, seen: &str) {
        self.passes(id);
        self.run(fault);
        self.mends(id, verdict, seen);
    }

    /// The fault is there: the check says so, and its own commands mend it.
    pub(crate) fn mends(&self, id: &str, verdict: &str, seen: &str) {
        let found = self.check(id);
        assert!(found.verdict == verdict && found.seen.contains(seen), "{id}: {found:?}");
        assert!(!found.commands.is_empty(), "{id}: no command mends it");
        found.commands.iter().for_each(|command| drop(self.run(command)));
        self.passes(id);
    }
}

/// What a check came to.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) verdict: String,
    pub(crate) seen: String,
    pub(crate) commands: Vec<String>,
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its standard input ends with it, too.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// Passwords of the machine.
const SECRETS: [&str; 3] = ["kTq7vRw2", "kL4vWp2sXz", "Jq8dTn5mRb"];

fn lay_out(folder: &Path) {
    let write = |name: &str, text: &str, mode: u32| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a scratch folder");
        fs::write(&path, text).expect("a scratch file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own file");
    };
    let example = |name: &str| fs::read_to_string(examples().join("guide").join(name)).expect("an example");
    let pf_conf =
        example("pf.conf").replace("aMuchMoreSecurePassword", SECRETS[1]).replace("pass=fence", "pass=Jq8dTn5mRb")
            + "\n[database_advanced]\ninnodb_buffer_pool_size=32\nkey_buffer_size=4\nmax_connections=50\n";
    write("local/pf/conf/cluster.conf", &example("cluster.conf"), 0o644);
    write("local/pf/conf/pf.conf", &pf_conf, 0o660);
    write("local/pf/bin/pfcmd", PFCMD, 0o755);
    write("local/pf/bin/cluster/pfupdate", "#!/bin/sh\n", 0o755);
    write("local/pf/bin/cluster/management_update", "#!/bin/sh\n", 0o755);
    write("local/sbin/systemctl", SYSTEMCTL, 0o755);
    write("local/sbin/apt-get", APT_GET, 0o755);
    write("local/sbin/hostnamectl", HOSTNAMECTL, 0o755);
    write("local/state/default", "packetfence-cluster.target\n", 0o644);
    write("local/state/environment", "LANG=C\n", 0o644);
    write("local/state/mariadb.unit", "disabled\n", 0o644);
    write("local/state/packetfence-mariadb.unit", "enabled\n", 0o644);
    write("sysctl/90-cluster.conf", "net.ipv4.ip_nonlocal_bind = 1\nnet.ipv6.conf.all.disable_ipv6=1\n", 0o644);
    for name in ["local/bin", "local/pf/var/run", "local/pf/var/conf", "mysql", "units"] {
        fs::create_dir_all(folder.join(name)).expect("a scratch folder");
    }
    program_at(&folder.join("local/bin/pfcluster"));
    // The database's user goes through all of them.
    for name in ["", "local", "local/pf", "local/pf/var", "local/pf/var/conf"] {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("our own folder");
    }
}
