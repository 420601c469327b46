//! The real MariaDB and Galera on generated files: they start, say nothing against them, and form a cluster.
//!
//! Each member is a network namespace with the member's own address. Needs root and Debian's mariadb-server, galera-4,
//! mariadb-backup, socat, iproute2 and util-linux.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::document::Document;
use pfcluster_core::generate::{Access, Rendered, Request, mariadb};
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::span::Source;
use rustix::process::{Pid, Signal, kill_process};

const PACKAGES: &str = "mariadb-server mariadb-backup galera-4 socat iproute2 util-linux";

// The tests ----------------------------------------------------------------------------------------------------------

#[test]
fn the_guides_member_starts_with_version_8() {
    starts("guide", "pf2.example.com", "8", Change::None);
}

#[test]
fn the_guides_member_starts_with_version_12() {
    starts("guide", "pf2.example.com", "12", Change::None);
}

#[test]
fn the_guides_member_starts_with_version_14_and_the_hook() {
    starts("guide", "pf2.example.com", "14", Change::Hook);
}

#[test]
fn five_members_start() {
    ["8", "12", "14"]
        .into_iter()
        .for_each(|version| starts("five-members", "nac1.corp.example", version, Change::None));
}

#[test]
fn two_zones_start() {
    ["8.2", "12", "14"]
        .into_iter()
        .for_each(|version| starts("two-zones", "pf1-dc2.example.com", version, Change::None));
}

#[test]
fn a_member_on_its_own_starts() {
    ["8", "12", "14"].into_iter().for_each(|version| starts("guide", "pf2.example.com", version, Change::Alone));
}

#[test]
fn a_zone_that_follows_and_its_master_start() {
    starts("two-zones", "pf1-dc2.example.com", "14", Change::Following);
    starts("two-zones", "pf1-dc1.example.com", "14", Change::Following);
}

/// Everything that can be in a password, read back by the programs that MariaDB's scripts use.
#[test]
fn a_password_survives_mysqld_safe_and_the_transfer_scripts() {
    let lab = Lab::new(&["192.168.1.6"]);
    let member = lab.member(0, "guide", "pf2.example.com", "14", &Change::Password(PASSWORD));
    for groups in [&["--mysqld"][..], &["galera"]] {
        let printed = run("my_print_defaults", &[&[&*member.defaults_file()], groups].concat());
        let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
        let auth: Vec<&str> = printed.lines().filter(|line| line.starts_with("--wsrep_sst_auth=")).collect();
        assert_eq!(auth, [format!("--wsrep_sst_auth=pfcluster:{PASSWORD}")]);
        // mysqld_safe splits this at blanks, and takes what begins with `--` for an option.
        let words = printed.split_whitespace().filter(|word| !word.starts_with("--"));
        assert!(words.into_iter().all(|word| matches!(word, "NAMES" | "utf8mb4")), "{printed}");
    }
}

const PASSWORD: &str = "p\"a\\b#c'd;$(e)`f`{g}*%h";

/// Three members, mariabackup, a password that needs quotes, and the hook through all that can happen to a member.
#[test]
fn three_members_form_a_cluster_and_the_hook_follows_it() {
    let lab = Lab::new(&["192.168.1.5", "192.168.1.6", "192.168.1.7"]);
    let change = Change::HookAndPassword(PASSWORD);
    let hosts = ["pf1.example.com", "pf2.example.com", "pf3.example.com"];
    let mut members: Vec<Member<'_>> =
        hosts.iter().enumerate().map(|(n, host)| lab.member(n, "guide", host, "14", &change)).collect();

    members[0].start(&["--wsrep-new-cluster"]);
    members[0].wait_for("wsrep_ready", "ON");
    members[0].create_replication_user(PASSWORD);
    // One of three is no majority: the guide's read-only mode (4.1, 4.2).
    members[0].wait_for_read_only(true);

    for joiner in &mut members[1..] {
        fs::remove_dir_all(&joiner.datadir).expect("an empty member");
        make_dir(&joiner.datadir);
        joiner.start(&[]);
        joiner.wait_for("wsrep_local_state_comment", "Synced");
    }
    for member in &members {
        member.wait_for("wsrep_cluster_size", "3");
        member.wait_for_read_only(false);
        let incoming = member.status("wsrep_incoming_addresses");
        ["192.168.1.5:3306", "192.168.1.6:3306", "192.168.1.7:3306"]
            .iter()
            .for_each(|address| assert!(incoming.contains(address), "{incoming}"));
    }
    let ids: Vec<String> = members.iter().map(|member| member.query("SELECT @@server_id")).collect();
    assert_eq!(ids, ["3232235781", "3232235782", "3232235783"]);
    members[0].query("CREATE DATABASE pf; CREATE TABLE pf.node (mac CHAR(17) PRIMARY KEY)");
    members[2].query("INSERT INTO pf.node VALUES ('00:11:22:33:44:55')");
    wait_until("the row is on pf1", 10, || members[0].query("SELECT COUNT(*) FROM pf.node") == "1");

    // Cut off, and back.
    lab.plug(2, "down");
    members[2].wait_for("wsrep_cluster_status", "non-Primary");
    members[2].wait_for_read_only(true);
    members[0].wait_for("wsrep_cluster_size", "2");
    members[0].wait_for_read_only(false);
    lab.plug(2, "up");
    members[2].wait_for("wsrep_local_state_comment", "Synced");
    members[2].wait_for_read_only(false);

    // The others leave gracefully: Galera's survivor stays primary, the guide wants it read-only.
    members[2].stop();
    members[1].stop();
    members[0].wait_for("wsrep_cluster_size", "1");
    assert_eq!(members[0].status("wsrep_cluster_status"), "Primary");
    members[0].wait_for_read_only(true);

    // By hand, without Galera's arguments and with: it answers at once and shows the password to nobody.
    for arguments in
        [&[][..], &["--status", "synced", "--uuid", "u", "--primary", "yes", "--index", "0", "--members", "a/b/c"]]
    {
        members[0].query("SET GLOBAL read_only=OFF");
        let began = Instant::now();
        let output = members[0].call_hook(arguments);
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        assert!(began.elapsed() < Duration::from_secs(2), "Galera waits for it");
        wait_until("read_only is ON again", 10, || {
            assert_eq!(command_lines_with(PASSWORD), Vec::<String>::new());
            members[0].query("SELECT @@GLOBAL.read_only") == "1"
        });
    }
    for member in &members {
        assert_eq!(member.complaints(), Vec::<String>::new());
    }
}

/// Neither a database that does not answer nor a lock that `read_only` has to wait for holds up the hook, and with it
/// Galera. (What it starts has nothing of the server's open: the server can end and start again meanwhile.)
#[test]
fn the_hook_never_blocks() {
    let lab = Lab::new(&["192.168.1.6"]);
    let mut member = lab.member(0, "guide", "pf2.example.com", "14", &Change::HookAndPassword(PASSWORD));
    let began = Instant::now();
    assert!(member.call_hook(&["--status", "connecting"]).status.success());
    assert!(began.elapsed() < Duration::from_secs(2), "without a database");
    // Galera starts with it and goes on without it.
    member.start(&["--wsrep-new-cluster"]);
    member.wait_for("wsrep_ready", "ON");
    let workers = member.processes_of("db-update");
    assert!(!workers.is_empty(), "Galera has called the hook");
    for pid in workers {
        // What the server has open must not stay open in a process that outlives it.
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let targets: Vec<String> =
            open.filter_map(|fd| Some(fs::read_link(fd.path()).ok()?.display().to_string())).collect();
        let foreign = |target: &&String| target.contains("socket:") || target.contains("/data");
        assert_eq!(targets.iter().filter(foreign).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    member.create_replication_user(PASSWORD);
    member.wait_for_read_only(true);
    member.query("SET GLOBAL read_only=OFF; CREATE DATABASE pf; CREATE TABLE pf.node (mac CHAR(17) PRIMARY KEY)");
    std::thread::scope(|scope| {
        let lock = scope.spawn(|| member.query("LOCK TABLES pf.node WRITE; SELECT SLEEP(7)"));
        wait_until("the lock is there", 5, || member.query("SHOW PROCESSLIST").contains("SLEEP(7)"));
        let began = Instant::now();
        assert!(member.call_hook(&[]).status.success());
        assert!(began.elapsed() < Duration::from_secs(2), "with a lock");
        lock.join().expect("the lock's session");
    });
    member.wait_for_read_only(true);
}

// Starting one member -----------------------------------------------------------------------------------------------

/// What is different from the example.
#[derive(Clone, Copy, Debug)]
enum Change {
    None,
    Hook,
    /// The other members are disabled.
    Alone,
    /// DC2 follows DC1.
    Following,
    Password(&'static str),
    HookAndPassword(&'static str),
}

/// The member starts, says nothing against the file, and has the file's values.
fn starts(example: &str, host: &str, version: &str, change: Change) {
    let (rendered, address) = generate(example, host, version, &change, "/unused");
    let with_galera = rendered.files[0].text.contains("wsrep_on=ON");
    let lab = Lab::new(&[&address]);
    let mut member = lab.member(0, example, host, version, &change);
    member.shows_its_values();
    member.start(if with_galera { &["--wsrep-new-cluster"] } else { &[] });
    if with_galera {
        member.wait_for("wsrep_ready", "ON");
        assert_eq!(member.status("wsrep_cluster_size"), "1");
        assert_eq!(member.status("wsrep_incoming_addresses"), format!("{address}:3306"));
    } else {
        member.wait_for("threads_connected", "1");
    }
    assert_eq!(member.query("SELECT @@bind_address, @@port"), format!("{address}\t3306"));
    member.stop();
    assert_eq!(member.complaints(), Vec::<String>::new(), "{example} {version} {change:?}");
}

/// The generated files and the member's address.
fn generate(example: &str, host: &str, version: &str, change: &Change, install_dir: &str) -> (Rendered, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/examples").join(example);
    let read = |file| fs::read_to_string(folder.join(file)).expect("a file of the example");
    let (mut cluster_conf, mut pf_conf) = (read("cluster.conf"), read("pf.conf"));
    pf_conf += "\n[database_advanced]\ninnodb_buffer_pool_size=32\nkey_buffer_size=4\nmax_connections=50\n";
    match change {
        Change::Following => {
            cluster_conf = cluster_conf.replace("[DC2 CLUSTER]\n", "[DC2 CLUSTER]\nmasterslavemode=SLAVE\n");
        }
        Change::Password(password) | Change::HookAndPassword(password) => {
            pf_conf = pf_conf.replace("aMuchMoreSecurePassword", password);
        }
        Change::None | Change::Hook | Change::Alone => {}
    }
    let version = version.parse().expect("a version");
    let cluster_conf = Document::parse(Source::ClusterConf, cluster_conf.as_bytes()).value;
    let cluster = Cluster::from_document(&cluster_conf).value;
    let pf_conf = Document::parse(Source::PfConf, pf_conf.as_bytes()).value;
    let pf_conf = PfConf::new(&pf_conf, None, version);
    let me: Hostname = host.parse().expect("a host name");
    let mut request = Request::new(&cluster, &pf_conf, &me, version);
    request.options.readonly_hook = matches!(change, Change::Hook | Change::HookAndPassword(_));
    install_dir.clone_into(&mut request.options.install_dir);
    if let Change::Alone = change {
        let others = cluster.members().map(|member| &member.host).filter(|other| **other != me);
        request.disabled = others.cloned().collect();
    }
    let rendered = mariadb(&request).expect("an example that works");
    let address = cluster.member(host).and_then(|member| member.addresses.management_ip).expect("an address");
    (rendered, address.value.to_string())
}

// A machine room -----------------------------------------------------------------------------------------------------

/// Network namespaces on one switch, and a scratch folder. All is removed in the end, whatever happens.
struct Lab {
    name: String,
    folder: PathBuf,
    namespaces: Vec<String>,
    /// One lab at a time: the machine is small.
    _alone: MutexGuard<'static, ()>,
}

impl Lab {
    /// A namespace for each address.
    fn new(addresses: &[&str]) -> Lab {
        static ALONE: Mutex<()> = Mutex::new(());
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(rustix::process::geteuid().is_root(), "run the tests as root: MariaDB and network namespaces need it");
        for program in ["mariadbd", "mariadb", "mariadb-install-db", "my_print_defaults", "mariabackup", "socat", "ip"]
        {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("a shell");
            assert!(found.status.success(), "{program} is not installed: apt-get install {PACKAGES} (tests/install)");
        }
        assert!(
            Path::new("/usr/lib/galera/libgalera_smm.so").exists(),
            "galera-4 is not installed: apt-get install {PACKAGES}"
        );
        clear_leftovers();
        let name = format!("pfmdb-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(&name);
        fs::create_dir(&folder).expect("a scratch folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("its mode");
        let mut lab = Lab { name: name.clone(), folder, namespaces: Vec::new(), _alone: alone };
        let switch = lab.namespace("sw");
        ip(&["-n", &switch, "link", "add", "br0", "up", "type", "bridge"]);
        for (number, address) in addresses.iter().enumerate() {
            let (member, port) = (lab.namespace(&number.to_string()), format!("port{number}"));
            ip(&["-n", &member, "link", "add", "eth0", "type", "veth", "peer", "name", &port, "netns", &switch]);
            ip(&["-n", &switch, "link", "set", &port, "master", "br0", "up"]);
            ip(&["-n", &member, "address", "add", &format!("{address}/24"), "dev", "eth0"]);
            ip(&["-n", &member, "link", "set", "eth0", "up"]);
            ip(&["-n", &member, "link", "set", "lo", "up"]);
        }
        lab
    }

    fn namespace(&mut self, what: &str) -> String {
        let name = format!("{}-{what}", self.name);
        ip(&["netns", "add", &name]);
        self.namespaces.push(name.clone());
        name
    }

    /// Plugs a member's cable in (`up`) or out (`down`).
    fn plug(&self, number: usize, state: &str) {
        ip(&["-n", &self.namespaces[0], "link", "set", &format!("port{number}"), state]);
    }

    /// A member with an initialized database and its generated files; not started.
    fn member(&self, number: usize, example: &str, host: &str, version: &str, change: &Change) -> Member<'_> {
        let folder = self.folder.join(number.to_string());
        let datadir = folder.join("data");
        for folder in [&folder, &folder.join("var"), &folder.join("var/conf"), &folder.join("var/run")] {
            fs::create_dir(folder).expect("a scratch folder");
        }
        make_dir(&datadir);
        let install = format!("--datadir={}", datadir.display());
        let log = "--innodb-log-file-size=8M";
        run(
            "mariadb-install-db",
            &["--no-defaults", "--user=mysql", &install, "--skip-test-db", "--skip-name-resolve", log],
        );
        let (rendered, _) = generate(example, host, version, change, &folder.display().to_string());
        for file in &rendered.files {
            let path = folder.join(file.path);
            let text = file.text.replace("/var/lib/mysql", &datadir.display().to_string());
            fs::write(&path, text).expect("a scratch file");
            let (mode, group) = match file.access {
                Access::Database => (0o640, true),
                Access::DatabaseScript => (0o750, true),
                _ => (0o644, false),
            };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
            if group {
                run("chgrp", &["mysql", &path.display().to_string()]);
            }
        }
        let namespace = self.namespaces[number + 1].clone();
        Member { _lab: self, namespace, socket: datadir.join("mysql.sock"), folder, datadir, server: None }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.namespaces.iter().for_each(|namespace| remove_namespace(namespace));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What killed runs have left: their process is gone, their namespaces and folders are still there.
fn clear_leftovers() {
    let is_left = |name: &str| {
        let pid = name.strip_prefix("pfmdb-").and_then(|rest| rest.split('-').next());
        pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
    };
    let listed = Command::new("ip").args(["netns", "list"]).output().expect("ip");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    listed.lines().filter_map(|line| line.split(' ').next()).filter(|name| is_left(name)).for_each(remove_namespace);
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_left) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Ends what runs in it: the database, transfer scripts, hooks. Nothing else is ever in it.
fn remove_namespace(namespace: &str) {
    for _ in 0..50 {
        let pids = pids_in(namespace);
        if pids.is_empty() {
            break;
        }
        for pid in pids.into_iter().filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = Command::new("ip").args(["netns", "delete", namespace]).output();
}

fn pids_in(namespace: &str) -> Vec<u32> {
    let output = Command::new("ip").args(["netns", "pids", namespace]).output().expect("ip");
    String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.trim().parse().ok()).collect()
}

/// A member of the lab.
struct Member<'a> {
    _lab: &'a Lab,
    namespace: String,
    /// Its install directory.
    folder: PathBuf,
    datadir: PathBuf,
    socket: PathBuf,
    server: Option<Child>,
}

impl Member<'_> {
    fn defaults_file(&self) -> String {
        format!("--defaults-file={}", self.folder.join("var/conf/mariadb.conf").display())
    }

    fn error_log(&self) -> PathBuf {
        self.folder.join("error.log")
    }

    /// Starts the server with the generated file and overrides for scratch paths only.
    fn start(&mut self, more: &[&str]) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "mariadbd", &self.defaults_file(), "--user=mysql"]);
        command.arg(format!("--datadir={}", self.datadir.display()));
        command.arg(format!("--pid-file={}", self.datadir.join("pid").display())).args(more);
        let log = fs::File::options().append(true).create(true).open(self.error_log()).expect("a log");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.server = Some(command.spawn().expect("mariadbd starts"));
    }

    /// Stops the server gracefully.
    fn stop(&mut self) {
        let mut server = self.server.take().expect("a running server");
        let pid = Pid::from_raw(server.id().cast_signed()).expect("a pid");
        kill_process(pid, Signal::TERM).expect("our own child");
        wait_until("the server stops", 30, || server.try_wait().expect("our own child").is_some());
    }

    fn ask(&self, sql: &str) -> Output {
        let socket = format!("--socket={}", self.socket.display());
        let arguments = ["--no-defaults", "--user=root", &socket, "--batch", "--skip-column-names", "--execute", sql];
        Command::new("mariadb").args(arguments).output().expect("the client")
    }

    fn query(&self, sql: &str) -> String {
        let output = self.ask(sql);
        assert!(output.status.success(), "{sql}: {output:?}\n{}", self.log());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn status(&self, name: &str) -> String {
        let output = self.ask(&format!("SHOW GLOBAL STATUS LIKE '{name}'"));
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        line.split_whitespace().nth(1).unwrap_or_default().to_owned()
    }

    fn wait_for(&self, name: &str, value: &str) {
        let what = format!("{name} is {value} on {}", self.namespace);
        wait_or(&what, 60, || self.status(name) == value, || format!("it is {}\n{}", self.status(name), self.log()));
    }

    fn wait_for_read_only(&self, on: bool) {
        let wanted = if on { "1" } else { "0" };
        let read = || String::from_utf8_lossy(&self.ask("SELECT @@GLOBAL.read_only").stdout).trim().to_owned();
        wait_or(&format!("read_only is {wanted} on {}", self.namespace), 30, || read() == wanted, || self.log());
    }

    /// As the guide has it (3.2), with what MariaDB 10.11 asks for in addition.
    fn create_replication_user(&self, password: &str) {
        let password = password.replace('\\', "\\\\").replace('\'', "\\'");
        self.query(&format!(
            "CREATE USER pfcluster@localhost IDENTIFIED BY '{password}'; \
             GRANT PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT, SUPER, READ_ONLY ADMIN ON *.* TO pfcluster@localhost"
        ));
    }

    /// Calls the hook as the server does: as mysql.
    fn call_hook(&self, arguments: &[&str]) -> Output {
        let hook = self.folder.join("var/run/db-update").display().to_string();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "setpriv", "--reuid=mysql", "--regid=mysql", "--clear-groups"]);
        command.arg(hook).args(arguments).output().expect("setpriv")
    }

    /// Pids of the namespace whose command line has the word.
    fn processes_of(&self, word: &str) -> Vec<u32> {
        let has_word = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| holds(&line, word));
        let mut pids = pids_in(&self.namespace);
        pids.retain(|pid| has_word(pid) && Some(*pid) != self.server.as_ref().map(Child::id));
        pids
    }

    fn log(&self) -> String {
        fs::read_to_string(self.error_log()).unwrap_or_default()
    }

    /// The errors and warnings of the log that are not about this being a new or a changing cluster.
    fn complaints(&self) -> Vec<String> {
        const FOREIGN: [&str; 10] = [
            // A new database, or one that is being filled.
            "Could not open state file for reading",
            "No persistent state found",
            "Could not open saved primary component",
            // mariadb-install-db's, for the machine's own name.
            "'proxies_priv' entry",
            // Members come and go.
            "last inactive check more than",
            "evs::proto",
            "Failed to report last committed",
            "Quorum: No node with complete state",
            "No re-merged primary component found",
            "access file(",
        ];
        let log = self.log();
        let is_complaint = |line: &&str| line.contains("[ERROR]") || line.to_lowercase().contains("[warning]");
        let is_ours = |line: &&str| !FOREIGN.iter().any(|known| line.contains(known));
        log.lines().filter(is_complaint).filter(is_ours).map(str::to_owned).collect()
    }

    /// `mariadbd --help --verbose` shows each value of the file, and no warning.
    fn shows_its_values(&self) {
        let output = Command::new("mariadbd")
            .args([&*self.defaults_file(), "--user=mysql", &format!("--datadir={}", self.datadir.display())])
            .args(["--help", "--verbose"])
            .output()
            .expect("mariadbd");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        let (_, table) = help.split_once("\n--------").expect("a table of values");
        let shown: BTreeMap<String, &str> = table
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, value)| (name.replace('-', "_"), value.trim()))
            .collect();
        let text = fs::read_to_string(self.folder.join("var/conf/mariadb.conf")).expect("our file");
        let server = text.split("\n[mysqld_safe]").next().unwrap_or_default();
        let lines = server.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
        let mut compared = 0;
        for line in lines {
            let (name, value) = line.split_once('=').unwrap_or((line, "TRUE"));
            // A password is not shown, and this one is only about the shell.
            let name = name.replace('-', "_");
            if matches!(name.as_str(), "wsrep_sst_auth" | "skip_external_locking" | "skip_name_resolve") {
                continue;
            }
            let shown = shown.get(&name).unwrap_or_else(|| panic!("{name} is no option of this server"));
            assert_eq!(normal(shown), normal(value), "{name}");
            compared += 1;
        }
        assert!(compared > 20, "{compared} values compared");
    }
}

/// A value as a number of bytes, a switch, or its text.
fn normal(value: &str) -> String {
    let value = value.trim_matches('"');
    if let Some(number) = value.strip_suffix('M').and_then(|number| number.parse::<u64>().ok()) {
        return (number * 1024 * 1024).to_string();
    }
    match value.to_uppercase().as_str() {
        "ON" | "TRUE" => "1".to_owned(),
        "OFF" | "FALSE" => "0".to_owned(),
        other => other.split(',').collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(","),
    }
}

/// Everybody's command lines that hold a text.
fn command_lines_with(text: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| holds(line, text)).map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
}

fn holds(line: &[u8], text: &str) -> bool {
    line.windows(text.len()).any(|window| window == text.as_bytes())
}

fn make_dir(path: &Path) {
    fs::create_dir(path).expect("a scratch folder");
    run("chown", &["mysql:mysql", &path.display().to_string()]);
}

fn ip(arguments: &[&str]) {
    run("ip", arguments);
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}: apt-get install {PACKAGES}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    output
}

fn wait_until(what: &str, seconds: u64, is_so: impl FnMut() -> bool) {
    wait_or(what, seconds, is_so, String::new);
}

fn wait_or(what: &str, seconds: u64, mut is_so: impl FnMut() -> bool, tell: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}\n{}", tell());
        std::thread::sleep(Duration::from_millis(100));
    }
}
