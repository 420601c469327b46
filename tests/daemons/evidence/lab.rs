//! One database in a network namespace, its install directory, and the program under test.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pfcluster_tests::netns;
use pfcluster_tests::program::{examples, program_at};
use rustix::process::{Flock, FlockType, Pid, Signal, kill_process};
use serde_json::Value;

const PACKAGES: &str = "mariadb-server galera-4 socat iproute2 util-linux";

/// Namespaces and folders of this test begin with it; then the process and a number.
const PREFIX: &str = "pfev";

/// The member's address in the guide.
const ADDRESS: &str = "192.168.1.5";

/// Whether the database is in a cluster.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Galera {
    On,
    Off,
}

/// A member's database. All is removed in the end, whatever happens.
pub(crate) struct Database {
    folder: PathBuf,
    namespace: String,
    server: Option<Child>,
    /// One at a time: the machine is small.
    _alone: MutexGuard<'static, ()>,
}

impl Database {
    /// A database as `mariadb-install-db` makes it; not started.
    pub(crate) fn new(galera: Galera) -> Database {
        static ALONE: Mutex<()> = Mutex::new(());
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(rustix::process::geteuid().is_root(), "run the tests as root: MariaDB and network namespaces need it");
        for program in ["mariadbd", "mariadb", "mariadb-install-db", "socat", "ip", "setpriv", "unshare"] {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("a shell");
            assert!(found.status.success(), "{program} is not installed: apt-get install {PACKAGES} (tests/install)");
        }
        clear_leftovers();
        let name = format!("{PREFIX}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(&name);
        let database = Database { folder, namespace: name, server: None, _alone: alone };
        database.lay_out(galera);
        database
    }

    fn lay_out(&self, galera: Galera) {
        for name in ["", "run", "tmp", "pf/conf", "pf/var/conf", "pf/var/run"] {
            fs::create_dir_all(self.folder.join(name)).expect("a scratch folder");
        }
        mode(&self.folder, 0o755);
        mode(&self.folder.join("tmp"), 0o777);
        run("chown", &["mysql:mysql", &self.path("run")]);
        run("ip", &["netns", "add", &self.namespace]);
        run("ip", &["-n", &self.namespace, "link", "set", "lo", "up"]);
        run("ip", &["-n", &self.namespace, "address", "add", &format!("{ADDRESS}/32"), "dev", "lo"]);
        program_at(&self.folder.join("pfcluster"));
        let example = examples().join("guide/cluster.conf");
        fs::copy(example, self.folder.join("pf/conf/cluster.conf")).expect("a scratch file");
        let datadir = format!("--datadir={}", self.path("data"));
        let log = "--innodb-log-file-size=8M";
        run(
            "mariadb-install-db",
            &["--no-defaults", "--user=mysql", &datadir, "--skip-test-db", "--skip-name-resolve", log],
        );
        let mut text = format!(
            "[mysqld]\ndatadir = {}\nsocket = {}\npid-file = {}\nbind-address = {ADDRESS}\nport = 3306\n\
             innodb_log_file_size = 8M\ninnodb_buffer_pool_size = 32M\ninnodb_flush_log_at_trx_commit = 1\n",
            self.path("data"),
            self.path("run/socket"),
            self.path("run/pid"),
        );
        if galera == Galera::On {
            text += &format!(
                "[galera]\nwsrep_on=ON\nwsrep_provider=/usr/lib/galera/libgalera_smm.so\nwsrep_cluster_name=pfcluster\n\
                 wsrep_cluster_address=gcomm://{ADDRESS}\nwsrep_node_address={ADDRESS}\n\
                 wsrep_node_incoming_address={ADDRESS}\nbinlog_format=ROW\ninnodb_autoinc_lock_mode=2\n"
            );
        }
        fs::write(self.conf(), text).expect("a scratch file");
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn datadir(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.folder.join("pf/var/conf/mariadb.conf")
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    // The program -----------------------------------------------------------------------------------------------------

    /// What the program says, and its exit status.
    pub(crate) fn evidence(&self, arguments: &[&str]) -> (i32, Value) {
        self.answer(Command::new("ip").args(["netns", "exec", &self.namespace, &self.path("pfcluster")]), arguments)
    }

    pub(crate) fn evidence_as_nobody(&self, arguments: &[&str]) -> (i32, Value) {
        self.answer(Command::new(self.path("pfcluster")).uid(65534).gid(65534), arguments)
    }

    /// Any command of the program, on the member.
    pub(crate) fn program(&self, arguments: &[&str]) -> Output {
        self.run_program(
            Command::new("ip").args(["netns", "exec", &self.namespace, &self.path("pfcluster")]),
            arguments,
        )
    }

    pub(crate) fn program_as_nobody(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
        self.run_program(command.arg(self.path("pfcluster")), arguments)
    }

    /// Any command of the program, on the member, beside a process that has this name. Nobody outside sees that.
    pub(crate) fn program_beside(&self, name: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        // The program looks once: the other must have its name by then.
        let other = format!("(exec -a {name} sleep 60) & until grep -q ^{name} /proc/$!/cmdline; do :; done");
        command.args(["bash", "-c", &format!("{other}; exec \"$0\" \"$@\"")]);
        self.run_program(command.arg(self.path("pfcluster")), arguments)
    }

    /// Any command of the program, on the member, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, &self.path("pfcluster")]);
        self.prepare(&mut command, arguments);
        command
    }

    fn run_program(&self, command: &mut Command, arguments: &[&str]) -> Output {
        self.prepare(command, arguments);
        command.output().expect("the program starts")
    }

    fn prepare(&self, command: &mut Command, arguments: &[&str]) {
        command.args(arguments).args(["--root", &self.path("pf"), "--run-directory", &self.path("run-pfcluster")]);
        command.args(["--state-directory", &self.path("state-pfcluster")]);
        command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin").current_dir(&self.folder).stdin(Stdio::null());
    }

    /// An address of the member, beside its own.
    pub(crate) fn add_address(&self, address: &str) {
        run("ip", &["-n", &self.namespace, "address", "add", &format!("{address}/32"), "dev", "lo"]);
    }

    fn answer(&self, command: &mut Command, arguments: &[&str]) -> (i32, Value) {
        command.args(["evidence", "--host=pf1.example.com", "--root", &self.path("pf")]).args(arguments);
        command.env_clear().env("TMPDIR", self.folder.join("tmp")).env("PATH", "/usr/bin:/bin");
        let output = command.stdin(Stdio::null()).output().expect("the program starts");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        let document = serde_json::from_slice(&output.stdout).expect("JSON");
        crate::files::assert_fits(&document);
        (output.status.code().expect("no signal"), document)
    }

    // The server ------------------------------------------------------------------------------------------------------

    pub(crate) fn start(&mut self, arguments: &[&str]) {
        let log = fs::File::options().append(true).create(true).open(self.path("error.log")).expect("a log");
        let mut command = self.server_command();
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.server = Some(command.spawn().expect("mariadbd starts"));
        self.wait("the server stands in its data directory", || {
            let place = fs::read_link(format!("/proc/{}/cwd", self.pid().as_raw_nonzero()));
            place.is_ok_and(|place| place == self.datadir())
        });
    }

    fn server_command(&self) -> Command {
        let mut command = Command::new("ip");
        let defaults = format!("--defaults-file={}", self.conf().display());
        command.args(["netns", "exec", &self.namespace, "mariadbd", &defaults, "--user=mysql"]);
        command
    }

    fn pid(&self) -> Pid {
        let server = self.server.as_ref().expect("a server that was started");
        Pid::from_raw(server.id().cast_signed()).expect("a pid")
    }

    /// The server that this started has not ended.
    pub(crate) fn is_there(&mut self) -> bool {
        let server = self.server.as_mut().expect("a server that was started");
        server.try_wait().expect("our own child").is_none()
    }

    /// Some process holds a lock on `InnoDB`'s tablespace.
    pub(crate) fn has_engine_locked(&self) -> bool {
        let file = fs::File::open(self.datadir().join("ibdata1")).expect("a tablespace");
        rustix::process::fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).expect("a lock").is_some()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("our own child");
    }

    pub(crate) fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    pub(crate) fn stop(&mut self) {
        self.end(Signal::TERM);
    }

    fn end(&mut self, signal: Signal) {
        self.signal(signal);
        let mut server = self.server.take().expect("a server that was started");
        wait_until("the server ends", String::new, || server.try_wait().expect("our own child").is_some());
    }

    fn ask(&self, sql: &str) -> Output {
        self.client(sql).output().expect("the client")
    }

    fn client(&self, sql: &str) -> Command {
        let socket = format!("--socket={}", self.path("run/socket"));
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--user=root", &socket, "--batch", "--skip-column-names", "--execute", sql]);
        command
    }

    /// A session that goes on until this is dropped.
    pub(crate) fn session(&self, sql: &str) -> Taken {
        Taken(self.client(sql).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the client"))
    }

    pub(crate) fn query(&self, sql: &str) -> String {
        let output = self.ask(sql);
        assert!(output.status.success(), "{sql}: {output:?}\n{}", self.log());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn status(&self, name: &str) -> String {
        let output = self.ask(&format!("SHOW GLOBAL STATUS LIKE '{name}'"));
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        line.split_whitespace().nth(1).unwrap_or_default().to_owned()
    }

    pub(crate) fn last_committed(&self) -> i64 {
        self.status("wsrep_last_committed").parse().expect("a number")
    }

    pub(crate) fn wait_for(&self, name: &str, value: &str) {
        self.wait(&format!("{name} is {value}"), || self.status(name) == value);
    }

    /// The server that runs on the member, whoever started it.
    pub(crate) fn server_pid(&self) -> Option<u32> {
        let name = |pid: u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        netns::pids(&self.namespace).into_iter().find(|pid| name(*pid).trim() == "mariadbd")
    }

    /// The command lines of all that runs on the member.
    pub(crate) fn command_lines(&self) -> Vec<String> {
        let line = |pid| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        netns::pids(&self.namespace).into_iter().map(|pid| String::from_utf8_lossy(&line(pid)).into_owned()).collect()
    }

    pub(crate) fn wait(&self, what: &str, is_so: impl FnMut() -> bool) {
        wait_until(what, || self.log(), is_so);
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("error.log")).unwrap_or_default()
    }

    /// The log of a recovery as a person would run it.
    pub(crate) fn recover_by_hand(&self) -> Vec<u8> {
        let output = self.server_command().arg("--wsrep-recover").stdin(Stdio::null()).output().expect("mariadbd");
        output.stderr
    }

    /// Something that has the database's port, until it is dropped.
    pub(crate) fn take_port(&self) -> Taken {
        self.listen(ADDRESS, "/dev/null")
    }

    /// Something that has a UDP port, until it is dropped.
    pub(crate) fn take_udp_port(&self, port: u16) -> Taken {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "socat", &format!("UDP-RECVFROM:{port},fork"), "/dev/null"]);
        let taken = Taken(command.spawn().expect("socat"));
        wait_until("the port is taken", String::new, || {
            let listening = run("ip", &["netns", "exec", &self.namespace, "ss", "-Huln"]);
            String::from_utf8_lossy(&listening.stdout).contains(&format!(":{port} "))
        });
        taken
    }

    /// Something that listens like a database at an address, and answers with what socat has on its other side.
    pub(crate) fn listen(&self, address: &str, other_side: &str) -> Taken {
        let listen = format!("TCP-LISTEN:3306,bind={address},fork,reuseaddr");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "socat", &listen, other_side]);
        let taken = Taken(command.spawn().expect("socat"));
        wait_until("the port is taken", String::new, || {
            let listening = run("ip", &["netns", "exec", &self.namespace, "ss", "-Htln"]);
            String::from_utf8_lossy(&listening.stdout).contains(&format!("{address}:3306"))
        });
        taken
    }

    // Its files -------------------------------------------------------------------------------------------------------

    /// Galera's own files, byte by byte.
    pub(crate) fn state_files(&self) -> [Vec<u8>; 2] {
        ["grastate.dat", "gvwstate.dat"].map(|name| fs::read(self.datadir().join(name)).expect("Galera's file"))
    }

    /// Names, sizes and times of all files of the data directory.
    pub(crate) fn listing(&self) -> BTreeMap<PathBuf, (u64, std::time::SystemTime)> {
        let entries = fs::read_dir(self.datadir()).expect("our folder").flatten();
        let listed = entries.map(|entry| {
            let data = entry.metadata().expect("our file");
            (entry.path(), (data.len(), data.modified().expect("a time")))
        });
        listed.collect()
    }

    /// True if something is left in the directory for temporary files.
    pub(crate) fn has_leftovers(&self) -> bool {
        fs::read_dir(self.folder.join("tmp")).expect("our folder").next().is_some()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        remove_namespace(&self.namespace);
        if let Some(mut server) = self.server.take() {
            let _ = server.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A program that has a port, or a session.
pub(crate) struct Taken(Child);

impl Drop for Taken {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What killed runs have left: their process is gone, their namespaces and folders are still there.
fn clear_leftovers() {
    netns::left_over(PREFIX).iter().for_each(|namespace| remove_namespace(namespace));
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| netns::is_left_over(name, PREFIX)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Ends what runs in it: the database and what has its port. Nothing else is ever in it.
fn remove_namespace(namespace: &str) {
    for _ in 0..50 {
        let pids = netns::pids(namespace);
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

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}: apt-get install {PACKAGES}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    output
}

pub(crate) fn wait_until(what: &str, tell: impl Fn() -> String, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within 60 s: {what}\n{}", tell());
        std::thread::sleep(Duration::from_millis(50));
    }
}
