//! A hostile server at a member's address, in the place of its database.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
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
        assert!(*state == json!("not_asked") && why.contains("galera_replication_username"), "{document:#}");
        let ran = world.run(&["doctor", "--all", "--timeout=2"]);
        assert_eq!(rogue.heard(), [], "nobody logs in");
        assert!(ran.text().contains("galera_replication_username"), "{}", ran.text());
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
        let status = std::fs::read_to_string(format!("/proc/{}/status", supervisor.child.id())).expect("it runs");
        let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line").trim();
        let kilobytes: u64 = memory.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
        assert!(kilobytes < 200_000, "{kilobytes} kB");
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
        world
            .write("mariadbd", "#!/bin/sh\necho 'WSREP: Recovered position: ec9a1a36-e6ed-11f1-823f-231ddacb0bd4:5'\n");
        let stand_in = world.path("mariadbd");
        std::fs::set_permissions(&stand_in, std::fs::Permissions::from_mode(0o755)).expect("our file");
        let mount = Command::new("mount").arg("--bind").arg(&stand_in).arg("/usr/sbin/mariadbd").status();
        assert!(mount.expect("`mount` must be installed").success());
        world.write(
            "data/grastate.dat",
            "# GALERA saved state\nversion: 2.1\nuuid:    ec9a1a36-e6ed-11f1-823f-231ddacb0bd4\nseqno:   5\n\
             safe_to_bootstrap: 1\n",
        );
        let _flickering = Rogue::new(PF2, Mode::Flickering);
        let supervisor = world.supervisor_of("pf1.example.com", &["--force-new-cluster"]);
        assert!(supervisor.says("not done after all"), "{}", supervisor.log());
        assert!(supervisor.says("the database at 192.168.1.6:3306 (pf2.example.com) said"), "{}", supervisor.log());
    });
}

/// Whoever sends a byte now and then holds nobody up; and who asks has no privileges, and gives nothing away.
#[test]
fn who_asks_is_confined_and_gone_in_time() {
    in_namespace("databases::who_asks_is_confined_and_gone_in_time", || {
        let world = World::new();
        let _slow = Rogue::new(PF2, Mode::Slow);
        let began = Instant::now();
        let mut child = world.command(&STATUS).stdout(Stdio::null()).spawn().expect("the program starts");
        let asks = |pid: &u32| {
            let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            arguments.contains("--ask-a-database")
        };
        let worker = loop {
            assert!(began.elapsed() < Duration::from_secs(20), "no worker asks");
            let of =
                |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).expect("it runs").flatten();
            let pids = threads.map(of).collect::<Vec<_>>().join(" ");
            // Those who are refused at once are gone at once; the one that waits has confined itself by then.
            std::thread::sleep(Duration::from_millis(500));
            if let Some(worker) = pids.split_whitespace().filter_map(|pid| pid.parse().ok()).find(asks) {
                break worker;
            }
        };
        let began = Instant::now();
        let read = |name: &str| {
            let bytes = std::fs::read(format!("/proc/{worker}/{name}")).expect("it waits for the server");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let line = |text: &str, start: &str| text.lines().find(|line| line.starts_with(start)).map(str::to_owned);
        let status = read("status");
        let user = line(&status, "Uid:").expect("a user");
        assert!(!user.split_whitespace().skip(1).any(|id| id == "0"), "{user}");
        assert_eq!(line(&status, "Groups:").as_deref().map(str::trim), Some("Groups:"));
        assert_eq!(line(&status, "CapEff:").as_deref(), Some("CapEff:\t0000000000000000"));
        assert_eq!(line(&status, "NoNewPrivs:").as_deref(), Some("NoNewPrivs:\t1"));
        let limits = read("limits");
        assert!(line(&limits, "Max address space").is_some_and(|line| line.contains("134217728")), "{limits}");
        assert!(line(&limits, "Max core file size").is_some_and(|line| line.contains(" 0 ")), "{limits}");
        for name in ["cmdline", "environ"] {
            assert!(!read(name).contains(PASSWORD), "{name}");
        }
        let ended = child.wait().expect("our own child");
        assert!(ended.code() == Some(1) && began.elapsed() < Duration::from_secs(5), "{:?}: {ended}", began.elapsed());
        std::thread::sleep(Duration::from_millis(200));
        // Its new parent may not have noticed yet.
        let state = std::fs::read_to_string(format!("/proc/{worker}/status")).unwrap_or_default();
        let state = line(&state, "State:").unwrap_or_default();
        assert!(state.is_empty() || state.contains('Z'), "who asked is gone: {state}");
    });
}
