//! A hostile server in the place of a database: at a member's address, or on this machine's socket.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pfcluster_tests::rogue::{Heard, Mode, Rogue};
use serde_json::{Value, json};

use crate::world::{PASSWORD, World, in_namespace};

const PF2: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 6);
const PF3: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 7);

const STATUS: [&str; 4] = ["status", "--format=json", "--backups=nowhere", "--timeout=3"];

fn is_password(heard: &Heard) -> bool {
    matches!(heard, Heard::Password(_) | Heard::WantsKey | Heard::File(_))
}

fn member(document: &Value, at: usize) -> (&Value, String) {
    let database = &document["members"][at]["database"];
    (&database["state"], database["why"].as_str().unwrap_or_default().to_owned())
}

/// H1. Who encrypts the password with the key that this very server sends has given it away.
#[test]
fn no_server_gets_the_password() {
    in_namespace("databases::no_server_gets_the_password", || {
        for mode in [Mode::Sha2, Mode::NotAKey, Mode::Clear, Mode::Dialog, Mode::Infile] {
            let world = World::new();
            // Each its own address: a listener stays.
            let rogue = Rogue::new(PF2, mode.clone());
            let ran = world.run(&STATUS);
            assert!(!ran.is_endless && ran.code() == Some(1), "{mode:?}: {ran:?}");
            assert!(rogue.heard().contains(&Heard::Login("pfcluster".into())), "{mode:?}: it was asked");
            let given: Vec<Heard> = rogue.heard().into_iter().filter(is_password).collect();
            assert_eq!(given, [], "{mode:?}");
            assert!(!ran.text().contains(PASSWORD));
            if mode == Mode::Sha2 {
                let document: Value = serde_json::from_slice(&ran.output.stdout).expect("JSON");
                let (state, why) = member(&document, 1);
                assert!(*state == json!("silent") && why.contains("the password itself"), "{document:#}");
            }
            rogue.end();
        }
    });
}

/// H1, by itself: a supervisor asks its silent peers.
#[test]
fn no_server_gets_the_supervisors_password() {
    in_namespace("databases::no_server_gets_the_supervisors_password", || {
        let world = World::new();
        let rogue = Rogue::new(PF2, Mode::Sha2);
        let mut supervisor = world.supervisor();
        assert!(rogue.hears(|heard| matches!(heard, Heard::Login(_))), "{}", supervisor.log());
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(rogue.heard().into_iter().filter(is_password).collect::<Vec<_>>(), []);
        assert_eq!(supervisor.ended(), None);
    });
}

/// H1. Where databases have TLS, a server without it does not even hear who asks.
#[test]
fn with_tls_no_server_hears_the_user() {
    in_namespace("databases::with_tls_no_server_hears_the_user", || {
        let world = World::new();
        let made = Command::new("openssl")
            .args("req -x509 -newkey rsa:2048 -nodes -subj /CN=ca -days 9 -keyout ca.key -out ca.crt".split(' '))
            .current_dir(world.path("root"))
            .output();
        assert!(made.expect("openssl is installed: tests/install").status.success());
        let ca = format!("--database-ca={}", world.text("root/ca.crt"));
        for mode in [Mode::Primary, Mode::FakeTls, Mode::Sha2, Mode::Columns] {
            let rogue = Rogue::new(PF2, mode.clone());
            for command in [&STATUS[..], &["doctor", "--all", "--timeout=3"]] {
                let ran = world.run(&[command, &[&*ca]].concat());
                assert!(ran.code() == Some(1) && !ran.is_endless, "{mode:?}: {ran:?}");
            }
            assert_eq!(rogue.heard(), [], "{mode:?}");
            let document: Value =
                serde_json::from_slice(&world.run(&[&STATUS[..], &[&*ca]].concat()).output.stdout).expect("JSON");
            assert_eq!(member(&document, 1).0, &json!("silent"), "{mode:?}: {document:#}");
            rogue.end();
        }
    });
}

/// H1. The user that may change everything is not for other machines, whatever they are.
#[test]
fn packetfences_own_user_asks_nobody() {
    in_namespace("databases::packetfences_own_user_asks_nobody", || {
        let world = World::new();
        world.write("pf/conf/pf.conf", &format!("[database]\nuser=pf\npass={PASSWORD}\n"));
        let rogue = Rogue::new(PF2, Mode::Primary);
        let ran = world.run(&STATUS);
        assert_eq!(rogue.heard(), [], "nobody logs in");
        let document: Value = serde_json::from_slice(&ran.output.stdout).expect("JSON");
        let (state, why) = member(&document, 1);
        assert!(*state == json!("not_asked") && why.contains("no account to ask with"), "{document:#}");
        let ran = world.run(&["doctor", "--all", "--timeout=2"]);
        assert_eq!(rogue.heard(), [], "nobody logs in");
        assert!(ran.text().contains("no account to ask"), "{}", ran.text());
    });
}

/// H1. The replication user may do much, and stays at home where there is an account without privileges.
#[test]
fn the_account_without_privileges_asks() {
    in_namespace("databases::the_account_without_privileges_asks", || {
        let world = World::new();
        let rogue = Rogue::new(PF2, Mode::Primary);
        let logins = || {
            let heard = rogue.heard().into_iter();
            heard.filter_map(|heard| if let Heard::Login(user) = heard { Some(user) } else { None }).collect::<Vec<_>>()
        };
        let doctor = |verdict: &str, seen: &str| {
            let ran = world.run(&["doctor", "monitoring-account"]);
            assert!(ran.text().contains(verdict) && ran.text().contains(seen), "{}", ran.text());
            assert!(!ran.text().contains(PASSWORD));
        };
        world.run(&STATUS);
        assert_eq!(logins(), ["pfcluster"]);
        doctor("warn", "the replication user, asks them");
        let file = "pf/conf/pfcluster-monitoring.cnf";
        world.write(file, &format!("[client]\nuser=pfmonitor\npassword={PASSWORD}\n"));
        world.run(&STATUS);
        assert_eq!(logins(), ["pfcluster", "pfmonitor"]);
        doctor("pass", "pfmonitor asks them, without TLS");
        // TLS that is configured there is no less strict than on the command line.
        world.write(file, &format!("[client]\nuser=pfmonitor\npassword={PASSWORD}\nssl-ca=nowhere.crt\n"));
        let ran = world.run(&STATUS);
        assert_eq!(ran.code(), Some(2), "{}", ran.text());
        world.write(file, &format!("[client]\npassword={PASSWORD}\n"));
        let ran = world.run(&STATUS);
        assert!(ran.code() == Some(2) && ran.text().contains("names no user"), "{}", ran.text());
        assert_eq!(logins(), ["pfcluster", "pfmonitor"], "there is no way around it");
    });
}

/// H2. The memory that a server asks for is not ours to give: the answer is lost, and nothing else.
#[test]
fn no_server_ends_the_program() {
    in_namespace("databases::no_server_ends_the_program", || {
        let world = World::new();
        let _columns = Rogue::new(PF2, Mode::Columns);
        let _rows = Rogue::new(PF3, Mode::Rows);
        let ran = world.run(&STATUS);
        assert_eq!(ran.code(), Some(1), "{ran:?}");
        assert!(ran.memory < 200, "{} MB", ran.memory);
        let document: Value = serde_json::from_slice(&ran.output.stdout).expect("JSON");
        for at in [1, 2] {
            assert_eq!(member(&document, at).0, &json!("silent"), "{document:#}");
        }
        let ran = world.run(&["doctor", "--all", "--timeout=3"]);
        assert!(ran.code().is_some() && ran.memory < 200 && !ran.is_endless, "{ran:?}");
    });
}

/// H2. The supervisor goes on, and the next question is asked.
#[test]
fn no_server_ends_the_supervisor() {
    in_namespace("databases::no_server_ends_the_supervisor", || {
        let world = World::new();
        let columns = Rogue::new(PF2, Mode::Columns);
        let rows = Rogue::new(PF3, Mode::Rows);
        let mut supervisor = world.supervisor();
        for rogue in [&columns, &rows] {
            assert!(rogue.hears(|heard| matches!(heard, Heard::Query(_))), "{}", supervisor.log());
        }
        let logins = |rogue: &Rogue| rogue.heard().iter().filter(|heard| matches!(heard, Heard::Login(_))).count();
        let end = Instant::now() + Duration::from_secs(15);
        while (logins(&columns) < 2 || logins(&rows) < 2) && Instant::now() < end {
            assert_eq!(supervisor.ended(), None, "{}", supervisor.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(logins(&columns) > 1 && logins(&rows) > 1, "it asks again");
        assert!(most_memory(supervisor.child.id()) < 200_000);
    });
}

/// M4. One answer that nothing proves calls a bootstrap off, which fails safe: but it is said whose answer that was.
#[test]
fn who_calls_a_bootstrap_off_is_named() {
    in_namespace("databases::who_calls_a_bootstrap_off_is_named", || {
        let world = World::new();
        std::fs::create_dir(world.path("data")).expect("our folder");
        std::fs::create_dir(world.path("data/packetfence")).expect("our folder");
        world.write("data/ibdata1", "no tablespace");
        // What it holds is found by a server that stands in for the real one. The first question to the others is then whether
        // one of them is primary after all.
        std::fs::create_dir(world.path("tmp")).expect("our folder");
        stand_in_server(&world, "echo 'WSREP: Recovered position: ec9a1a36-e6ed-11f1-823f-231ddacb0bd4:5'");
        world.write(
            "data/grastate.dat",
            "# GALERA saved state\nversion: 2.1\nuuid:    ec9a1a36-e6ed-11f1-823f-231ddacb0bd4\nseqno:   5\n\
             safe_to_bootstrap: 1\n",
        );
        let _flickering = Rogue::new(PF2, Mode::Flickering);
        let supervisor = world.supervisor_of("pf1.example.com", &["--force-new-cluster"]);
        assert!(supervisor.says("cancelled ("), "{}", supervisor.log());
        assert!(supervisor.says("the database at 192.168.1.6:3306 (pf2.example.com) said"), "{}", supervisor.log());
    });
}

/// In this test, this is mariadbd.
fn stand_in_server(world: &World, script: &str) {
    let stand_in = world.path("mariadbd");
    pfcluster_tests::program::script(&stand_in, &format!("#!/bin/sh\n{script}\n"));
    let mount = Command::new("mount").arg("--bind").arg(&stand_in).arg("/usr/sbin/mariadbd").status();
    assert!(mount.expect("`mount` must be installed").success());
}

/// The user pf writes mariadb.conf: with a directory of root's as the data, and a library of its own for the server to load, its code
/// ran as root.
#[test]
fn no_server_runs_as_root() {
    in_namespace("databases::no_server_runs_as_root", || {
        let world = World::new();
        std::fs::create_dir(world.path("tmp")).expect("our folder");
        std::fs::create_dir(world.path("data")).expect("our folder");
        std::fs::create_dir(world.path("data/packetfence")).expect("our folder");
        world.write("data/ibdata1", "no tablespace");
        world.write(
            "data/grastate.dat",
            "# GALERA saved state\nversion: 2.1\nuuid:    ec9a1a36-e6ed-11f1-823f-231ddacb0bd4\nseqno:   5\n\
             safe_to_bootstrap: 1\n",
        );
        let position = "echo 'WSREP: Recovered position: ec9a1a36-e6ed-11f1-823f-231ddacb0bd4:5'";
        stand_in_server(&world, &format!("echo \"$*\" >> {}\n{position}", world.text("arguments")));
        let mut supervisor = world.supervisor_of("pf1.example.com", &["--force-new-cluster"]);
        let arguments = || std::fs::read_to_string(world.path("arguments")).unwrap_or_default();
        // Once to find the position, then to serve.
        let end = Instant::now() + Duration::from_secs(20);
        while arguments().lines().filter(|line| !line.contains("--wsrep-recover")).count() == 0 && Instant::now() < end
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        let users: Vec<String> =
            arguments().split_whitespace().filter(|word| word.starts_with("--user=")).map(str::to_owned).collect();
        assert!(users.len() >= 2 && users.iter().all(|user| user == "--user=mysql"), "{users:?} {}", supervisor.log());
        assert!(supervisor.ended().is_none());
    });
}

/// H2, on this machine: a server that was taken over may send what it likes, too.
#[test]
fn no_server_of_this_machine_ends_the_program() {
    in_namespace("databases::no_server_of_this_machine_ends_the_program", || {
        let modes = [
            Mode::Columns,
            Mode::Rows,
            Mode::Sha2,
            Mode::Clear,
            Mode::Dialog,
            Mode::Infile,
            Mode::Slow,
            Mode::Full,
            Mode::EscapesInError,
        ];
        for mode in modes {
            let world = World::new();
            std::fs::create_dir(world.path("data")).expect("our folder");
            world.write("client.cnf", &format!("[client]\nuser=root\npassword={PASSWORD}\n"));
            let account = format!("--mysql-defaults-file={}", world.text("client.cnf"));
            let rogue = Rogue::on_socket(&world.path("no-socket"), mode.clone());
            let commands: [&[&str]; 3] = [&STATUS, &["doctor", "--timeout=3"], &["evidence", "--timeout=3"]];
            for command in commands {
                let ran = world.run(&[command, &[&*account]].concat());
                assert!(ran.code().is_some() && ran.memory < 200 && !ran.is_endless, "{mode:?}: {ran:?}");
                assert!(!ran.text().contains(PASSWORD) && !ran.text().contains('\x1b'), "{mode:?}: {ran:?}");
            }
            if mode == Mode::EscapesInError {
                // Where its port is closed, the socket's answer is the one that counts.
                let ran = world.run(&[&STATUS[..], &[&*account]].concat());
                let document: Value = serde_json::from_slice(&ran.output.stdout).expect("JSON");
                assert_eq!(*member(&document, 0).0, json!("refused"), "{ran:?}");
            }
            let asked = rogue.heard().iter().any(|heard| matches!(heard, Heard::Login(_)));
            assert!(asked || matches!(mode, Mode::Slow | Mode::Full), "{mode:?}: it was asked");
            assert_eq!(rogue.heard().into_iter().filter(is_password).collect::<Vec<_>>(), [], "{mode:?}");
        }
    });
}

/// The same, under a supervisor: each answer is lost, and nothing else. One that answers like this may be serving clients.
#[test]
fn no_server_of_this_machine_ends_the_supervisor() {
    in_namespace("databases::no_server_of_this_machine_ends_the_supervisor", || {
        for mode in [Mode::Columns, Mode::Rows, Mode::Infile] {
            let world = World::new();
            std::fs::create_dir(world.path("data")).expect("our folder");
            let rogue = Rogue::on_socket(&world.path("no-socket"), mode.clone());
            let mut supervisor = world.supervisor();
            let logins = || rogue.heard().iter().filter(|heard| matches!(heard, Heard::Login(_))).count();
            let end = Instant::now() + Duration::from_secs(20);
            while logins() < 3 && Instant::now() < end {
                assert_eq!(supervisor.ended(), None, "{mode:?}: {}", supervisor.log());
                std::thread::sleep(Duration::from_millis(50));
            }
            assert!(logins() > 2, "{mode:?}: it asks again: {}", supervisor.log());
            assert!(supervisor.says("may be serving clients"), "{mode:?}: {}", supervisor.log());
            assert_eq!(supervisor.ended(), None);
            assert!(most_memory(supervisor.child.id()) < 200_000, "{mode:?}");
        }
    });
}

/// The supervisor keeps its session: a server that takes no more logins does not blind it. What reads the answers is confined, and
/// where it is ended, a new one asks.
#[test]
fn the_session_with_this_machines_server_is_kept() {
    in_namespace("databases::the_session_with_this_machines_server_is_kept", || {
        let world = World::new();
        std::fs::create_dir(world.path("data")).expect("our folder");
        let rogue = Rogue::on_socket(&world.path("no-socket"), Mode::Once(world.path("data")));
        let mut supervisor = world.supervisor();
        let questions = || rogue.heard().iter().filter(|heard| matches!(heard, Heard::Query(_))).count();
        let end = Instant::now() + Duration::from_secs(30);
        while questions() < 8 && Instant::now() < end {
            assert_eq!(supervisor.ended(), None, "{}", supervisor.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(questions() >= 8, "it asks on: {}", supervisor.log());
        let logins = rogue.heard().into_iter().filter(|heard| matches!(heard, Heard::Login(_)));
        assert_eq!(logins.collect::<Vec<_>>(), [Heard::Login("root".into())], "in one session");
        assert!(!supervisor.log().contains("1040"), "{}", supervisor.log());
        let worker = session_of(supervisor.child.id()).expect("the session is some process's");
        assert_confined(worker);
        let pid = rustix::process::Pid::from_raw(worker.cast_signed()).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("root may");
        assert!(supervisor.says("1040"), "a new session is refused: {}", supervisor.log());
        assert_eq!(supervisor.ended(), None);
    });
}

/// Where the machine has the user, workers share none with other services.
#[test]
fn workers_are_a_user_of_their_own() {
    in_namespace("databases::workers_are_a_user_of_their_own", || {
        let world = World::new();
        let users = std::fs::read_to_string("/etc/passwd").expect("this machine's users");
        let others: String = users.split_inclusive('\n').filter(|line| !line.starts_with("pfcluster:")).collect();
        world.write("passwd", &format!("{others}pfcluster:x:64260:64261::/:/usr/sbin/nologin\n"));
        let mount = Command::new("mount").arg("--bind").arg(world.path("passwd")).arg("/etc/passwd").status();
        assert!(mount.expect("`mount` must be installed").success());
        std::fs::create_dir(world.path("data")).expect("our folder");
        let rogue = Rogue::on_socket(&world.path("no-socket"), Mode::Once(world.path("data")));
        let supervisor = world.supervisor();
        let end = Instant::now() + Duration::from_secs(30);
        // One that has logged in has confined itself before.
        while rogue.heard().is_empty() {
            assert!(Instant::now() < end, "{}", supervisor.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        let worker = session_of(supervisor.child.id()).expect("it keeps its session");
        assert_confined(worker);
        let status = std::fs::read_to_string(format!("/proc/{worker}/status")).expect("it keeps its session");
        let ids =
            |start: &str| line(&status, start).map(|line| line.split_whitespace().skip(1).map(str::to_owned).collect());
        assert_eq!(ids("Uid:"), Some(vec!["64260".to_owned(); 4]));
        assert_eq!(ids("Gid:"), Some(vec!["64261".to_owned(); 4]));
    });
}

/// The most memory that a process has had, in kilobytes.
fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line").trim();
    memory.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// The processes that ask databases for this one.
fn workers_of(pid: u32) -> Vec<u32> {
    let of = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs").flatten();
    let pids = threads.map(of).collect::<Vec<_>>().join(" ");
    let asks = |pid: &u32| {
        let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.contains("--ask-a-database")
    };
    pids.split_whitespace().filter_map(|pid| pid.parse().ok()).filter(asks).collect()
}

/// The one that has the session with this machine's server. Others may just be starting.
fn session_of(pid: u32) -> Option<u32> {
    let is_connected = |worker: &u32| {
        let input = std::fs::read_link(format!("/proc/{worker}/fd/0")).unwrap_or_default();
        input.to_string_lossy().starts_with("socket:")
    };
    workers_of(pid).into_iter().find(is_connected)
}

fn line(text: &str, start: &str) -> Option<String> {
    text.lines().find(|line| line.starts_with(start)).map(str::to_owned)
}

/// It has no privileges and little room, and shows no password.
fn assert_confined(worker: u32) {
    let read = |name: &str| {
        let bytes = std::fs::read(format!("/proc/{worker}/{name}")).expect("it waits");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let status = read("status");
    for ids in ["Uid:", "Gid:"] {
        let ids = line(&status, ids).expect("its user and group");
        assert!(!ids.split_whitespace().skip(1).any(|id| id == "0"), "{ids}");
    }
    assert_eq!(line(&status, "Groups:").as_deref().map(str::trim), Some("Groups:"));
    assert_eq!(line(&status, "CapEff:").as_deref(), Some("CapEff:\t0000000000000000"));
    assert_eq!(line(&status, "NoNewPrivs:").as_deref(), Some("NoNewPrivs:\t1"));
    let limits = read("limits");
    let limit = |start: &str| {
        let line = line(&limits, start).expect("a limit");
        line[start.len()..].split_whitespace().next().and_then(|number| number.parse::<u64>().ok())
    };
    assert!(limit("Max address space").is_some_and(|bytes| bytes < 256 << 20), "{limits}");
    assert_eq!(limit("Max core file size"), Some(0), "{limits}");
    assert_eq!(limit("Max file size"), Some(0), "{limits}");
    assert_eq!(limit("Max processes"), Some(0), "{limits}");
    assert!(!read("cmdline").contains(PASSWORD));
    assert_eq!(read("environ"), "");
    // The channel, the connection, and nothing that the program has open beside them, or was started with.
    let files = std::fs::read_dir(format!("/proc/{worker}/fd")).expect("root may").flatten();
    let targets = files.filter_map(|file| std::fs::read_link(file.path()).ok());
    let open: Vec<String> = targets.map(|target| target.to_string_lossy().into_owned()).collect();
    let is_expected = |file: &String| file == "/dev/null" || file.starts_with("socket:");
    assert!(!open.is_empty() && open.iter().all(is_expected), "{open:?}");
}

/// Who starts the program has a descriptor of a secret open, which is not closed when a program is started.
#[test]
fn a_descriptor_that_the_program_was_started_with_reaches_no_worker() {
    in_namespace("databases::a_descriptor_that_the_program_was_started_with_reaches_no_worker", || {
        let world = World::new();
        let _slow = Rogue::new(PF2, Mode::Slow);
        let program = world.command(&STATUS);
        let mut shell = Command::new("sh");
        // `exec`: the program has the shell's process, and its descriptors.
        shell.args(["-c", "exec 9<\"$0\"; exec \"$@\"", &world.text("root/secret")]).arg(program.get_program());
        shell.args(program.get_args()).env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", world.path("tmp"));
        let mut child = shell.stdout(Stdio::null()).spawn().expect("the program starts");
        let began = Instant::now();
        let worker = loop {
            assert!(began.elapsed() < Duration::from_secs(20), "no worker asks");
            std::thread::sleep(Duration::from_millis(500));
            if let Some(worker) = workers_of(child.id()).pop() {
                break worker;
            }
        };
        let is_inherited =
            std::fs::read_link(format!("/proc/{}/fd/9", child.id())).is_ok_and(|file| file.ends_with("secret"));
        assert!(is_inherited, "the program itself has it");
        assert_confined(worker);
        let _ = child.wait();
    });
}

/// A server that sends a byte now and then holds nothing up; and who asks has no privileges, and gives nothing away.
#[test]
fn who_asks_is_confined_and_gone_in_time() {
    in_namespace("databases::who_asks_is_confined_and_gone_in_time", || {
        let world = World::new();
        let _slow = Rogue::new(PF2, Mode::Slow);
        let began = Instant::now();
        let mut child = world.command(&STATUS).stdout(Stdio::null()).spawn().expect("the program starts");
        let worker = loop {
            assert!(began.elapsed() < Duration::from_secs(20), "no worker asks");
            // Those who are refused at once are gone at once; the one that waits has confined itself by then.
            std::thread::sleep(Duration::from_millis(500));
            if let Some(worker) = workers_of(child.id()).pop() {
                break worker;
            }
        };
        let began = Instant::now();
        assert_confined(worker);
        let ended = child.wait().expect("our own child");
        assert!(ended.code() == Some(1) && began.elapsed() < Duration::from_secs(5), "{:?}: {ended}", began.elapsed());
        std::thread::sleep(Duration::from_millis(200));
        // Its new parent may not have noticed yet.
        let status = std::fs::read_to_string(format!("/proc/{worker}/status")).unwrap_or_default();
        let state = line(&status, "State:").unwrap_or_default();
        assert!(state.is_empty() || state.contains('Z'), "who asked is gone: {state}");
    });
}
