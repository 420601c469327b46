//! Machines with a systemd of their own: containers of `systemd-nspawn` on one switch. Their files are this machine's, with a layer
//! of their own above that goes with them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pfcluster_tests::netns;
use pfcluster_tests::program::{examples, program};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const PACKAGES: &str = "mariadb-server mariadb-backup galera-4 socat iproute2 util-linux systemd-container";

/// Namespaces and folders of this test begin with it; then the process.
const PREFIX: &str = "pfunit";

/// How long anything may take before the test gives up.
const LIMIT: Duration = Duration::from_secs(120);

/// The supervisors' secret: nothing else is on their network.
const KEY: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2\n";

/// In pf.conf beside the example: two databases fit into a small machine.
const SMALL: &str = "\n[database_advanced]\ninnodb_buffer_pool_size=64\nkey_buffer_size=4\nmax_connections=100\n";

const USERS: &str = "\
FLUSH PRIVILEGES;
CREATE USER pfcluster@localhost IDENTIFIED BY 'aMuchMoreSecurePassword';
CREATE USER pfcluster@'%' IDENTIFIED BY 'aMuchMoreSecurePassword';
GRANT PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT ON *.* TO pfcluster@localhost;
GRANT PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT ON *.* TO pfcluster@'%';
";

/// PacketFence's unit, as far as its facts go.
const PACKETFENCE: &str = "[Unit]\nConflicts=mysql.service mariadb.service\n[Service]\nType=notify\nNotifyAccess=all\n\
                           Restart=on-failure\nTimeoutSec=300\nLimitNOFILE=4096\n\
                           ExecStartPre=/usr/local/pf/bin/pfcmd generatemariadbconfig\nExecStart=/bin/false $MARIADB_ARGS\n";

/// It writes where a sandbox would not let it.
const PFCMD: &str = "#!/bin/sh\necho \"$*\" >>/usr/local/pf/logs/pfcmd.log && touch /etc/prepared\n";

/// What a machine boots into: what systemd itself needs, and no service of this machine's.
const TARGET: &str = "[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n";

/// The machines. All is removed in the end, whatever happens.
pub(crate) struct Room {
    name: String,
    folder: PathBuf,
}

impl Room {
    /// A switch.
    pub(crate) fn new() -> Room {
        assert!(rustix::process::geteuid().is_root(), "run the tests as root: systemd-nspawn needs it");
        for program in ["systemd-nspawn", "mariadbd", "mariadb-install-db", "mariabackup", "socat", "ip", "nsenter"] {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("a shell");
            assert!(found.status.success(), "{program} is not installed: apt-get install {PACKAGES} (tests/install)");
        }
        clear_leftovers();
        let name = format!("{PREFIX}-{}", std::process::id());
        let room = Room { folder: std::env::temp_dir().join(&name), name };
        fs::create_dir(&room.folder).expect("a scratch folder");
        run("ip", &["netns", "add", &room.switch()]);
        run("ip", &["-n", &room.switch(), "link", "add", "br0", "up", "type", "bridge"]);
        room
    }

    fn switch(&self) -> String {
        format!("{}-switch", self.name)
    }

    /// A member of the guide's cluster with an empty database and a unit of pfcluster's; booted.
    pub(crate) fn boot(&self, number: u8, unit: &'static str) -> Machine<'_> {
        let namespace = format!("{}-{number}", self.name);
        let port = format!("port{number}");
        run("ip", &["netns", "add", &namespace]);
        run(
            "ip",
            &["-n", &namespace, "link", "add", "eth0", "type", "veth", "peer", "name", &port, "netns", &self.switch()],
        );
        run("ip", &["-n", &self.switch(), "link", "set", &port, "master", "br0", "up"]);
        run("ip", &["-n", &namespace, "address", "add", &format!("192.168.1.{}/24", 4 + number), "dev", "eth0"]);
        run("ip", &["-n", &namespace, "link", "set", "eth0", "up"]);
        run("ip", &["-n", &namespace, "link", "set", "lo", "up"]);
        let folder = self.folder.join(number.to_string());
        let mut machine = Machine { _room: self, number, unit, namespace, folder, container: None };
        machine.lay_out();
        machine.switch_on();
        machine
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// One machine.
pub(crate) struct Machine<'r> {
    _room: &'r Room,
    number: u8,
    pub(crate) unit: &'static str,
    namespace: String,
    folder: PathBuf,
    container: Option<Child>,
}

impl Machine<'_> {
    fn lay_out(&self) {
        let (layer, root) = (self.folder.display().to_string(), self.folder.join("root"));
        fs::create_dir(&self.folder).expect("a scratch folder");
        run("mount", &["-t", "tmpfs", "-o", "mode=755", "pfunit", &layer]);
        for name in ["upper", "work", "root"] {
            fs::create_dir(self.folder.join(name)).expect("a scratch folder");
        }
        let options = format!("lowerdir=/,upperdir={layer}/upper,workdir={layer}/work");
        run("mount", &["-t", "overlay", "-o", &options, "pfunit", &root.display().to_string()]);
        // What this machine has of its own there is not the member's.
        for name in ["var/lib/mysql", "usr/local/pf", "root/backup", "etc/systemd/system"] {
            let _ = fs::remove_dir_all(root.join(name));
            fs::create_dir_all(root.join(name)).expect("a scratch folder");
        }
        for name in ["conf", "bin", "logs", "var/conf", "var/run"] {
            fs::create_dir_all(root.join("usr/local/pf").join(name)).expect("a scratch folder");
        }
        let write = |name: &str, text: &str, mode| {
            let path = root.join(name);
            let _ = fs::remove_file(&path);
            fs::write(&path, text).expect("a scratch file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own file");
        };
        let example = |name: &str| fs::read_to_string(examples().join("guide").join(name)).expect("an example");
        let cluster = example("cluster.conf");
        // Two of the three: they are enough for a state transfer.
        let sections = cluster.split_inclusive("\n\n").filter(|section| !section.starts_with("[pf3"));
        write("usr/local/pf/conf/cluster.conf", &sections.collect::<String>(), 0o644);
        write("usr/local/pf/conf/pf.conf", &(example("pf.conf") + SMALL), 0o644);
        write("usr/local/pf/conf/pf-release", "PacketFence 14.0.0\n", 0o644);
        write("usr/local/pf/conf/pfcluster.key", KEY, 0o600);
        write("usr/local/pf/bin/pfcmd", PFCMD, 0o755);
        write("usr/local/bin/pfcluster", "", 0o755);
        write("root/backup/packetfence-db-dump-a.sql.gz", "x", 0o600);
        write("etc/machine-id", "", 0o444);
        write("etc/hostname", &format!("{}\n", self.host()), 0o644);
        write("etc/systemd/system/member.target", TARGET, 0o644);
        if let Some(service) = self.unit.strip_prefix("packetfence-") {
            write(&format!("etc/systemd/system/packetfence-{service}.service"), PACKETFENCE, 0o644);
        }
        // As the README and the units say: copied.
        let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/systemd");
        let own = [format!("{}.service", self.unit), format!("{}.service.d", self.unit)];
        for path in own.iter().map(|name| units.join(name)).filter(|path| path.exists()) {
            run("cp", &["-r", &path.display().to_string(), &root.join("etc/systemd/system").display().to_string()]);
        }
        let datadir = root.join("var/lib/mysql");
        run("chown", &["mysql:mysql", &datadir.display().to_string()]);
        let place = format!("--datadir={}", datadir.display());
        let log = "--innodb-log-file-size=8M";
        run(
            "mariadb-install-db",
            &["--no-defaults", "--user=mysql", &place, "--skip-test-db", "--skip-name-resolve", log],
        );
        // The user of state transfers and of queries is in the database before there is a cluster (guide 3.2).
        fs::write(self.folder.join("users.sql"), USERS).expect("a scratch file");
        let users = fs::File::open(self.folder.join("users.sql")).expect("our own file");
        let mut command = Command::new("mariadbd");
        command.args(["--no-defaults", "--user=mysql", "--bootstrap", &place, log]).stdin(users);
        let output = command.output().expect("mariadbd");
        assert!(output.status.success(), "{output:?}");
    }

    fn switch_on(&mut self) {
        let console = fs::File::create(self.folder.join("console")).expect("a log");
        // In control groups of its own: without a systemd on this machine nothing else would give it any.
        let groups = groups(&self.namespace);
        groups.iter().for_each(|group| fs::create_dir(group).expect("a control group"));
        let enter = "while [ \"$1\" != -- ]; do echo $$ >\"$1/cgroup.procs\"; shift; done; shift; exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", enter, "sh"]).args(&groups).args(["--", "systemd-nspawn"]);
        command.args(["--quiet", "--boot", "--register=no", "--keep-unit", "--link-journal=no", "--console=pipe"]);
        command.args(["--resolv-conf=off", "--timezone=off"]);
        command.arg(format!("--directory={}", self.folder.join("root").display()));
        command.arg(format!("--network-namespace-path=/run/netns/{}", self.namespace));
        command.arg(format!("--hostname={}", self.host()));
        command.arg(format!("--bind-ro={}:/usr/local/bin/pfcluster", program().display()));
        command.arg("systemd.unit=member.target");
        command.stdin(Stdio::null()).stdout(console.try_clone().expect("a log")).stderr(console);
        self.container = Some(command.spawn().expect("systemd-nspawn starts"));
        self.wait("it has booted", || {
            self.pid1().is_some()
                && self.output(&["systemctl", "is-active", "--quiet", "member.target"]).status.success()
        });
    }

    /// Its name in cluster.conf.
    pub(crate) fn host(&self) -> String {
        format!("pf{}.example.com", self.number)
    }

    /// Its systemd, seen from here.
    fn pid1(&self) -> Option<u32> {
        netns::pids(&self.namespace).into_iter().find(|pid| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
            numbers.split_whitespace().skip(1).eq(["1"])
        })
    }

    /// Runs a program on it, however that ends.
    pub(crate) fn output(&self, words: &[&str]) -> Output {
        let pid1 = self.pid1().unwrap_or_else(|| panic!("{} is not on\n{}", self.host(), self.log()));
        let mut command = Command::new("nsenter");
        // systemd would wait for a quarter of an hour.
        command.args(["--target", &pid1.to_string(), "--all", "--", "timeout", "120"]).args(words).stdin(Stdio::null());
        command.env_clear().env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command.output().expect("nsenter")
    }

    /// What a program on it prints.
    pub(crate) fn exec(&self, words: &[&str]) -> String {
        let output = self.output(words);
        assert!(output.status.success(), "{words:?}: {output:?}\n{}", self.log());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// `systemctl VERB` for its unit.
    pub(crate) fn systemctl(&self, verb: &str) -> String {
        self.exec(&["systemctl", verb, self.unit])
    }

    /// A property of its unit.
    pub(crate) fn property(&self, name: &str) -> String {
        self.exec(&["systemctl", "show", "--value", "--property", name, self.unit])
    }

    /// What its database answers; `None` if it does not.
    pub(crate) fn ask(&self, sql: &str) -> Option<String> {
        let socket = "--socket=/var/lib/mysql/mysql.sock";
        let output =
            self.output(&["mariadb", "--no-defaults", socket, "--batch", "--skip-column-names", "--execute", sql]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The same, where it has to.
    pub(crate) fn query(&self, sql: &str) -> String {
        self.ask(sql).unwrap_or_else(|| panic!("{sql}: no answer\n{}", self.log()))
    }

    /// The process of its database, as it is numbered there.
    pub(crate) fn database(&self) -> Option<String> {
        let output = self.output(&["pidof", "mariadbd"]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// What the supervisor knows; `None` if there is none.
    pub(crate) fn status(&self) -> Option<Value> {
        let output = self.output(&["pfcluster", "mariadb", "status", "--format=json"]);
        output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("JSON"))
    }

    /// Waits until its database is one of so many in a primary component, and takes statements.
    pub(crate) fn wait_for_members(&self, members: usize) {
        let sql = "SHOW GLOBAL STATUS WHERE Variable_name IN \
                   ('wsrep_cluster_size', 'wsrep_cluster_status', 'wsrep_local_state_comment')";
        let wanted = [
            format!("wsrep_cluster_size\t{members}"),
            "wsrep_cluster_status\tPrimary".to_owned(),
            "wsrep_local_state_comment\tSynced".to_owned(),
        ];
        self.wait(&format!("synced with {members} members"), || {
            let answer = self.ask(sql).unwrap_or_default();
            let rows: Vec<&str> = answer.lines().collect();
            wanted.iter().all(|row| rows.contains(&&**row))
        });
    }

    /// Waits until something is so.
    pub(crate) fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !is_so() {
            assert!(Instant::now() < deadline, "{}: not within {LIMIT:?}: {what}\n{}", self.host(), self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What its unit has logged.
    pub(crate) fn log(&self) -> String {
        let Some(_) = self.pid1() else {
            return fs::read_to_string(self.folder.join("console")).unwrap_or_default();
        };
        let output = self.output(&["journalctl", "--no-pager", "--output=cat", "--unit", self.unit]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        switch_off(&self.namespace);
        if let Some(mut container) = self.container.take() {
            let _ = container.wait();
        }
    }
}

/// What killed runs have left: their process is gone, their namespaces and folders are still there.
fn clear_leftovers() {
    let folders = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| netns::is_left_over(name, PREFIX)).for_each(|name| remove(&name));
}

/// A machine's control groups, in each hierarchy that systemd uses.
fn groups(namespace: &str) -> Vec<PathBuf> {
    let hierarchies = ["", "unified", "systemd"].map(|name| Path::new("/sys/fs/cgroup").join(name));
    let used = hierarchies.into_iter().filter(|hierarchy| hierarchy.join("cgroup.procs").exists());
    used.map(|hierarchy| hierarchy.join(namespace)).collect()
}

/// Ends all that runs in a machine: nothing else is ever in its namespace.
fn switch_off(namespace: &str) {
    for _ in 0..50 {
        let pids = netns::pids(namespace);
        if pids.is_empty() {
            return;
        }
        for pid in pids.into_iter().filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Removes a room with its machines.
fn remove(name: &str) {
    let namespaces = ["1", "2", "switch"].map(|part| format!("{name}-{part}"));
    namespaces.iter().filter(|namespace| Path::new("/run/netns").join(namespace).exists()).for_each(|namespace| {
        switch_off(namespace);
        let _ = Command::new("ip").args(["netns", "delete", namespace]).output();
    });
    for group in namespaces.iter().flat_map(|namespace| groups(namespace)).filter(|group| group.exists()) {
        // Their files go with them.
        let _ = Command::new("find").arg(group).args(["-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]).output();
    }
    let folder = std::env::temp_dir().join(name);
    for machine in ["1", "2"].map(|number| folder.join(number)) {
        for mount in [machine.join("root"), machine] {
            let _ = Command::new("umount").arg(mount).output();
        }
    }
    // Only empty mount points are left: what can't be unmounted is this machine's, and must not be removed.
    for directory in [folder.join("1"), folder.join("2"), folder] {
        let _ = fs::remove_dir(directory);
    }
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}: apt-get install {PACKAGES}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    output
}
