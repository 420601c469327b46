//! M2: a host that has the shared key poses as other members.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::document::Document;
use pfcluster_core::galera::{ClusterStatus, Evidence, Files, LocalState, Position, Process, Recovered, Running, Uuid};
use pfcluster_core::span::Source;
use pfcluster_core::supervisor::{
    Config, Input, LastBackup, Look, MOST_BYTES, Output, Saying, SigningKey, Supervisor, Tick,
};

use crate::world::{World, in_namespace};

const PORT: u16 = 4254;
const PF1: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);

/// A supervisor with the cluster's key, on another member's address, that says of its database what it likes.
struct Poser {
    supervisor: Supervisor,
    socket: UdpSocket,
    evidence: Evidence,
    began: Instant,
}

impl Poser {
    /// Its database serves.
    fn new(world: &World, at: usize) -> Poser {
        let running = |hosts: &[Hostname]| Running {
            uuid: Uuid::from_u128(0xB << 120),
            status: ClusterStatus::Primary,
            state: LocalState::Synced,
            size: 2,
            last_committed: 20,
            sees: hosts[1..].to_vec(),
            sees_others: Vec::new(),
        };
        Poser::with(world, at, None, |hosts| Evidence {
            process: Process::Running(running(hosts)),
            files: Some(Files::default()),
            ..stopped_at(0)
        })
    }

    /// With a key of its own, or without, and this to say.
    fn with(world: &World, at: usize, signing: Option<u8>, says: impl Fn(&[Hostname]) -> Evidence) -> Poser {
        let text = fs::read(world.path("pf/conf/cluster.conf")).expect("an example");
        let cluster = Cluster::from_document(&Document::parse(Source::ClusterConf, &text).value).value;
        let hosts: Vec<Hostname> = cluster.members().map(|member| member.host.clone()).collect();
        let key = fs::read_to_string(world.path("pf/conf/pfcluster.key")).expect("the stolen key");
        let key: pfcluster_core::supervisor::Key = key.parse().expect("a key");
        let mut config = Config::new(hosts[at].clone(), hosts.clone(), key, 1000 + at as u64);
        (config.members_hash, config.is_passive) = (cluster.members_hash(), true);
        config.signing = signing.map(|byte| SigningKey::new([byte; 32]));
        let evidence = says(&hosts);
        let address = cluster.member(hosts[at].as_str()).and_then(|member| member.addresses.management_ip);
        let address = address.expect("an address").value;
        let socket = UdpSocket::bind((address, PORT)).expect("an address of this namespace");
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("a socket");
        Poser { supervisor: Supervisor::new(config, Tick(0)), socket, evidence, began: Instant::now() }
    }

    fn input(&mut self, input: Input) {
        let now = Tick(u64::try_from(self.began.elapsed().as_millis()).expect("a short time"));
        self.supervisor.handle_input(now, input);
    }

    fn go_on(&mut self) {
        let mut buffer = [0; MOST_BYTES];
        let heard = self.socket.recv_from(&mut buffer).map(|(length, _)| buffer[..length].to_vec());
        self.input(heard.map_or(Input::Woken, |bytes| Input::Received { bytes }));
        while let Some(output) = self.supervisor.poll_output() {
            match output {
                Output::Look { number, .. } => {
                    let look = Look {
                        evidence: self.evidence.clone(),
                        data: 0,
                        view_number: None,
                        receive_queue: None,
                        age: Duration::ZERO,
                        vips: None,
                        backup: LastBackup::Unknown,
                    };
                    self.input(Input::Looked { number, look: Box::new(look) });
                }
                Output::Ask { number, .. } => self.input(Input::Asked { number, answers: Vec::new() }),
                Output::Send { to, bytes } if to.as_str() == "pf1.example.com" => {
                    let _ = self.socket.send_to(&bytes, (PF1, PORT));
                }
                _ => {}
            }
        }
    }
}

/// In the mount namespace of the test.
fn mount(words: &[&str]) {
    let done = std::process::Command::new(words[0]).args(&words[1..]).status();
    assert!(done.as_ref().is_ok_and(std::process::ExitStatus::success), "{words:?}: {done:?}");
}

/// A database that stopped there, and was recovered.
fn stopped_at(seqno: i64) -> Evidence {
    let recovered = Position::new(Uuid::from_u128(0xA << 120), seqno).map_or(Recovered::NotRun, Recovered::At);
    Evidence {
        process: Process::Stopped,
        files: Some(Files { recovered, ..Files::default() }),
        maintenance: false,
        arbitrator: false,
        disabled: Vec::new(),
        members_hash: None,
    }
}

/// Data directories that were moved aside.
fn moved(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(world.path("")).expect("our folder").flatten().map(|entry| entry.path());
    entries.filter(|path| path.to_string_lossy().contains("/data.aside-")).collect()
}

fn go_on_until(posers: &mut [Poser], limit: Duration, is_enough: impl Fn() -> bool) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        posers.iter_mut().for_each(Poser::go_on);
        if is_enough() {
            return true;
        }
    }
    false
}

#[test]
fn who_poses_as_two_members_has_no_data_moved_aside() {
    in_namespace("posed::who_poses_as_two_members_has_no_data_moved_aside", || {
        let world = World::new();
        fs::create_dir(world.path("data")).expect("our folder");
        let grastate = "# GALERA saved state\nversion: 2.1\nuuid: 0a000000-0000-0000-0000-000000000000\nseqno: 30\n\
                        safe_to_bootstrap: 0\n";
        world.write("data/grastate.dat", grastate);
        world.write("data/ibdata1", "the rows of pf1");
        let supervisor = world.supervisor();
        assert!(supervisor.says("wait for"), "{}", supervisor.log());
        let mut posers = [1, 2].map(|at| Poser::new(&world, at));
        for poser in &mut posers {
            let saying = Saying::Discard("pf1.example.com".parse().expect("a name"));
            poser.input(Input::Said { id: 7, saying, user: Some(0) });
        }
        let is_known = || supervisor.log().contains("discard the data of pf1.example.com");
        go_on_until(&mut posers, Duration::from_secs(20), || is_known() || !moved(&world).is_empty());
        // It was done within 10 ms once.
        go_on_until(&mut posers, Duration::from_secs(4), || !moved(&world).is_empty());
        assert_eq!(moved(&world), Vec::<PathBuf>::new(), "{}", supervisor.log());
        assert!(is_known() && supervisor.says("has no effect here"), "{}", supervisor.log());
        let status = world.run(&["mariadb", "status"]).text();
        assert!(status.contains("asked for on pf2.example.com by root"), "{status}");
        // Given here, it is done: the attack would have been seen.
        let allowed = world.run(&["mariadb", "allow", "discard", "pf1", "--yes"]);
        assert_eq!(allowed.code(), Some(0), "{allowed:?}");
        assert!(
            go_on_until(&mut posers, Duration::from_secs(20), || !moved(&world).is_empty()),
            "{}",
            supervisor.log()
        );
        assert!(supervisor.says("allowed on pf1.example.com by root"), "{}", supervisor.log());
    });
}

/// The key is read again while the supervisor runs, when its file changes and when it is told to; what can't be used changes
/// nothing.
#[test]
fn a_key_is_read_again_and_nothing_ends() {
    in_namespace("posed::a_key_is_read_again_and_nothing_ends", || {
        use rustix::process::{Pid, Signal, kill_process};

        let world = World::new();
        let mut supervisor = world.supervisor();
        assert!(supervisor.says("wait for"), "{}", supervisor.log());
        let before = fs::read_to_string(world.path("pf/conf/pfcluster.key")).expect("the key");
        let rotated = world.run(&["key", "rotate"]);
        assert_eq!(rotated.code(), Some(0), "{rotated:?}");
        let after = fs::read_to_string(world.path("pf/conf/pfcluster.key")).expect("two keys");
        assert!(after.starts_with(before.trim()) && after.lines().count() == 2);
        let next = after.lines().nth(1).expect("the next key");
        assert!(supervisor.says("is accepted as the next one"), "{}", supervisor.log());
        let again = world.run(&["key", "rotate"]);
        assert!(again.code() == Some(2) && again.text().contains("a rotation has begun"), "{again:?}");
        let refused = world.run(&["key", "rotate", "--finish"]);
        assert!(refused.code() == Some(2) && refused.text().contains("pf2.example.com"), "{refused:?}");
        let status = world.run(&["mariadb", "status"]).text();
        assert!(status.contains("not accepted yet by pf2.example.com, pf3.example.com"), "{status}");
        // Half a file.
        let path = world.path("pf/conf/pfcluster.key");
        fs::write(&path, &after[..30]).expect("our file");
        assert!(supervisor.says("stay in use"), "{}", supervisor.log());
        fs::write(&path, &after).expect("our file");
        let without = ["key", "rotate", "--finish", "--without=pf2", "--without=pf3"];
        let finished = world.run(&without);
        assert_eq!(finished.code(), Some(0), "{finished:?}");
        assert_eq!(fs::read_to_string(&path).expect("a key").trim(), next);
        let pid = Pid::from_raw(supervisor.child.id().cast_signed()).expect("a pid");
        kill_process(pid, Signal::HUP).expect("our own child");
        let number = |text: &str| text.lines().filter(|line| line.contains("the key is now")).count();
        let end = Instant::now() + Duration::from_secs(20);
        while number(&supervisor.log()) < 2 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(number(&supervisor.log()), 2, "{}", supervisor.log());
        assert_eq!(supervisor.ended(), None, "it goes on");
        for text in [supervisor.log(), rotated.text(), refused.text(), finished.text(), status] {
            assert!(!text.contains(next) && !text.contains(before.trim()), "a secret is shown");
        }
    });
}

/// PacketFence's synchronisation writes a file beside, and leaves it to its group: the database's user, where that is in it, has seconds
/// to read it, and not for ever. What it has opened by then shows nothing that comes later.
#[test]
fn a_key_that_packetfence_brings_is_only_its_owners() {
    in_namespace("posed::a_key_that_packetfence_brings_is_only_its_owners", || {
        use std::os::unix::fs::MetadataExt as _;

        let world = World::new();
        let path = world.path("pf/conf/pfcluster.key");
        let bring = |text: &str| {
            world.write("pf/conf/pfcluster.key.tmp", text);
            crate::world::mode(&world.path("pf/conf/pfcluster.key.tmp"), 0o660);
            crate::world::give(&world.path("pf/conf/pfcluster.key.tmp"), 0);
            fs::rename(world.path("pf/conf/pfcluster.key.tmp"), &path).expect("our file");
            fs::metadata(&path).expect("our file").ino()
        };
        let supervisor = world.supervisor();
        assert!(supervisor.says("wait for"), "{}", supervisor.log());
        let (current, next) = ("5ec2e7a1".repeat(8), "5ec2e7a2".repeat(8));
        let brought = bring(&format!("{current}\n{next}\n"));
        assert!(supervisor.says("is accepted as the next one"), "{}", supervisor.log());
        assert!(supervisor.log().contains("its group could read it"), "{}", supervisor.log());
        let data = fs::metadata(&path).expect("the file");
        assert_eq!(data.mode() & 0o7777, 0o600);
        assert_ne!(data.ino(), brought, "what was opened before is another file");
        assert_eq!(fs::read_to_string(&path).expect("the keys"), format!("{current}\n{next}\n"));
        // At its start, too.
        drop(supervisor);
        bring(&format!("{current}\n{next}\n"));
        let log = fs::File::create(world.path("second.log")).expect("a scratch file");
        let mut command = world.command(&["mariadb", "supervise", "--log=text"]);
        let mut child = command.stdout(log.try_clone().expect("a file")).stderr(log).spawn().expect("the program");
        let said = || fs::read_to_string(world.path("second.log")).unwrap_or_default();
        let is_there = go_on_until(&mut [], Duration::from_secs(20), || said().contains("wait for"));
        let _ = child.kill();
        let _ = child.wait();
        assert!(is_there && said().contains("its group could read it"), "{}", said());
        assert_eq!(fs::metadata(&path).expect("the file").mode() & 0o7777, 0o600);
    });
}

/// What the supervisor knows of a member, as `pfcluster mariadb status` says.
fn known(world: &World, host: &str) -> serde_json::Value {
    let status = world.run(&["mariadb", "status", "--format=json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.output.stdout).expect("JSON");
    let mut members = status["members"].as_array().expect("a list").iter();
    members.find(|member| member["host"] == host).expect("a member").clone()
}

/// With the stolen key a host says "pf2 stopped at 50" in pf2's name: it is believed as long as pf2's own key is not known, and never
/// after that, also not when the supervisor has started again. An operator accepts another key.
#[test]
fn who_has_the_shared_key_does_not_speak_for_a_member_whose_own_key_is_known() {
    in_namespace("posed::who_has_the_shared_key_does_not_speak_for_a_member_whose_own_key_is_known", || {
        const PF2: &str = "pf2.example.com";
        const PF3: &str = "pf3.example.com";
        const TRUE: Option<u8> = Some(2);
        const NEW: Option<u8> = Some(3);
        let limit = Duration::from_secs(20);
        let id = |byte: Option<u8>| SigningKey::new([byte.expect("a key"); 32]).public().fingerprint().to_string();
        let world = World::new();
        let supervisor = world.supervisor();
        assert!(
            supervisor.says("this member's signing key is new") && supervisor.says("wait for"),
            "{}",
            supervisor.log()
        );
        let is_at = |host: &str, seqno: i64| known(&world, host)["seqno"] == seqno;

        // pf3 has no key of its own: the thief is believed.
        let mut thief = [Poser::with(&world, 2, None, |_| stopped_at(50))];
        assert!(go_on_until(&mut thief, limit, || supervisor
            .log()
            .contains("the supervisor of pf3.example.com is running")));
        assert!(go_on_until(&mut thief, limit, || is_at(PF3, 50)), "{:#}", known(&world, PF3));
        drop(thief);

        // pf2 has one, and is heard first.
        let mut pf2 = [Poser::with(&world, 1, TRUE, |_| stopped_at(70))];
        assert!(go_on_until(&mut pf2, limit, || supervisor.log().contains("signing key of pf2.example.com pinned")));
        // Its first message may be from before its first look.
        assert!(go_on_until(&mut pf2, limit, || is_at(PF2, 70)), "{:#}", known(&world, PF2));
        drop(pf2);
        assert_eq!(known(&world, PF2)["signing_key"], id(TRUE));
        let pins = || fs::read_to_string(world.path("state/pinned-keys")).unwrap_or_default();
        assert!(go_on_until(&mut [], limit, || pins().starts_with("pf2.example.com ")), "{}", pins());
        for name in ["signing.key", "pinned-keys"] {
            let mode = fs::metadata(world.path("state").join(name)).expect("its file").permissions().mode() & 0o7777;
            assert_eq!(mode, 0o600, "{name}");
        }
        assert_eq!(fs::metadata(world.path("state")).expect("its directory").permissions().mode() & 0o7777, 0o700);

        // A pin that can't be written is written when that is possible again, and not forgotten meanwhile.
        let state = world.path("state").display().to_string();
        mount(&["mount", "--bind", &state, &state]);
        mount(&["mount", "-o", "remount,ro,bind", &state]);
        let mut pf3 = [Poser::with(&world, 2, Some(4), |_| stopped_at(50))];
        let is_noted = || supervisor.log().contains("a restart of this supervisor forgets a pinned key");
        let is_there = go_on_until(&mut pf3, limit, is_noted);
        let unwritten = pins();
        mount(&["umount", &state]);
        assert!(is_there && !unwritten.contains(PF3), "{unwritten}{}", supervisor.log());
        assert!(go_on_until(&mut [], limit, || pins().contains(PF3)), "{}", pins());
        assert_eq!(known(&world, PF3)["signing_key"], id(Some(4)));
        drop(pf3);

        // The thief without a key, then with one of his own; then both once more to a supervisor that has started again.
        let forged = "pf2.example.com as its sender and is not signed with the key of pf2.example.com";
        let mut supervisor = supervisor;
        for run in 0..2 {
            if run == 1 {
                drop(supervisor);
                supervisor = world.supervisor();
                assert!(supervisor.says("wait for"), "{}", supervisor.log());
            }
            for key in [None, NEW] {
                let mut thief = [Poser::with(&world, 1, key, |_| stopped_at(50))];
                let saying = Saying::AssumeLost(vec![PF3.parse().expect("a name")]);
                thief[0].input(Input::Said { id: 7, saying, user: Some(0) });
                let shows = || known(&world, PF2)["refused_keys"].clone();
                let ids: Vec<String> = key.map(|_| id(key)).into_iter().collect();
                let is_told = || supervisor.log().contains(forged) && shows() == serde_json::json!(ids);
                assert!(go_on_until(&mut thief, limit, is_told), "{key:?}: {}", supervisor.log());
                go_on_until(&mut thief, Duration::from_secs(2), || false);
                assert!(!is_at(PF2, 50), "{:#}", known(&world, PF2));
            }
            assert!(!supervisor.log().contains("override given on pf2"), "{}", supervisor.log());
        }

        // pf2 is installed anew: it has another key, which an operator accepts.
        let mut pf2 = [Poser::with(&world, 1, NEW, |_| stopped_at(80))];
        let is_shown = || known(&world, PF2)["refused_keys"][0] == id(NEW);
        assert!(go_on_until(&mut pf2, limit, is_shown), "{:#}", known(&world, PF2));
        let text = world.run(&["mariadb", "status"]).text();
        assert!(text.contains(&format!("pfcluster key accept pf2.example.com --id {}", id(NEW))), "{text}");
        let refused = world.run(&["key", "accept", "pf2"]);
        assert!(refused.code() == Some(2) && refused.text().contains(&id(NEW)), "nobody is there to ask: {refused:?}");
        let another = world.run(&["key", "accept", "pf2", "--yes", "--id", &id(TRUE)]);
        assert!(another.code() == Some(2) && another.text().contains("shows no key"), "{another:?}");
        go_on_until(&mut pf2, Duration::from_millis(1500), || false);
        // What can't be written would be forgotten at the next start: the old key would count again.
        let state = world.path("state").display().to_string();
        mount(&["mount", "--bind", &state, &state]);
        mount(&["mount", "-o", "remount,ro,bind", &state]);
        let unwritten = world.run(&["key", "accept", "pf2", "--yes", "--id", &id(NEW)]);
        mount(&["umount", &state]);
        assert!(unwritten.code() == Some(2) && unwritten.text().contains("read-only"), "{unwritten:?}");
        assert!(!supervisor.log().contains("accepted"), "{}", supervisor.log());
        go_on_until(&mut pf2, Duration::from_millis(1500), || false);
        let accepted = world.run(&["key", "accept", "pf2", "--yes", "--id", &id(NEW)]);
        assert_eq!(accepted.code(), Some(0), "{accepted:?}");
        assert!(accepted.text().contains(&id(TRUE)), "the old one is shown: {accepted:?}");
        assert!(go_on_until(&mut pf2, limit, || is_at(PF2, 80)), "{:#}", known(&world, PF2));
        assert!(supervisor.says("accepted"), "{}", supervisor.log());
        assert!(pins().contains(&SigningKey::new([3; 32]).public().to_string()), "{}", pins());
        let before = fs::read_to_string(world.path("state/pinned-keys.before")).expect("the file before");
        assert!(before.contains(&SigningKey::new([2; 32]).public().to_string()), "{before}");

        // The private key is nowhere in PacketFence's tree, and never shown.
        let private = fs::read_to_string(world.path("state/signing.key")).expect("the private key");
        let mut found = Vec::new();
        files_with(&world.path("pf"), private.trim(), &mut found);
        assert_eq!(found, Vec::<PathBuf>::new());
        assert!(!supervisor.log().contains(private.trim()) && !text.contains(private.trim()));
    });
}

/// `key accept pf2` took the first of two members whose names begin so.
#[test]
fn a_name_that_two_members_have_the_first_part_of_is_refused() {
    in_namespace("posed::a_name_that_two_members_have_the_first_part_of_is_refused", || {
        let world = World::new();
        let conf = fs::read_to_string(world.path("pf/conf/cluster.conf")).expect("an example");
        world.write("pf/conf/cluster.conf", &conf.replace("pf3.example.com", "pf2.example.org"));
        let supervisor = world.supervisor();
        assert!(supervisor.says("wait for"), "{}", supervisor.log());
        let accepted = world.run(&["key", "accept", "pf2"]);
        assert!(accepted.code() == Some(2) && accepted.text().contains("several names"), "{accepted:?}");
        let whole = world.run(&["key", "accept", "pf2.example.org"]);
        assert!(whole.text().contains("pf2.example.org shows no key"), "{whole:?}");
        // A running supervisor forgets a key that it has pinned, and its file does.
        let mut pf2 = [Poser::with(&world, 1, Some(2), |_| stopped_at(70))];
        let pins = || fs::read_to_string(world.path("state/pinned-keys")).unwrap_or_default();
        let limit = Duration::from_secs(20);
        assert!(go_on_until(&mut pf2, limit, || pins().starts_with("pf2.example.com ")), "{}", supervisor.log());
        drop(pf2);
        let none = world.run(&["key", "forget", "pf3.example.com"]);
        assert!(none.code() == Some(2) && none.text().contains("no key is pinned for pf3"), "{none:?}");
        let forgotten = world.run(&["key", "forget", "pf2.example.com", "--yes"]);
        assert_eq!(forgotten.code(), Some(0), "{forgotten:?}");
        assert!(supervisor.says("signing key of pf2.example.com forgotten"), "{}", supervisor.log());
        assert_eq!(pins(), "");
        assert_eq!(known(&world, "pf2.example.com")["signing_key"], serde_json::Value::Null);
        assert_eq!(world.run(&["key", "rotate"]).code(), Some(0));
        let finished = world.run(&["key", "rotate", "--finish", "--without=pf2"]);
        assert!(finished.code() == Some(2) && finished.text().contains("several names"), "{finished:?}");
    });
}

/// All files below a directory that have this text.
fn files_with(directory: &Path, text: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("our folder").flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_with(&entry.path(), text, found),
            Ok(kind) if kind.is_file() && fs::read_to_string(entry.path()).is_ok_and(|read| read.contains(text)) => {
                found.push(entry.path());
            }
            _ => {}
        }
    }
}
