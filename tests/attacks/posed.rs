//! M2: a host that has the shared key poses as other members.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::document::Document;
use pfcluster_core::galera::{ClusterStatus, Evidence, Files, LocalState, Process, Running, Uuid};
use pfcluster_core::span::Source;
use pfcluster_core::supervisor::{Config, Input, LastBackup, Look, MOST_BYTES, Output, Saying, Supervisor, Tick};

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
    fn new(world: &World, at: usize) -> Poser {
        let text = fs::read(world.path("pf/conf/cluster.conf")).expect("an example");
        let cluster = Cluster::from_document(&Document::parse(Source::ClusterConf, &text).value).value;
        let hosts: Vec<Hostname> = cluster.members().map(|member| member.host.clone()).collect();
        let key = fs::read_to_string(world.path("pf/conf/pfcluster.key")).expect("the stolen key");
        let key: pfcluster_core::supervisor::Key = key.parse().expect("a key");
        let mut config = Config::new(hosts[at].clone(), hosts.clone(), key, 1000 + at as u64);
        (config.members_hash, config.is_passive) = (cluster.members_hash(), true);
        let running = Running {
            uuid: Uuid::from_u128(0xB << 120),
            status: ClusterStatus::Primary,
            state: LocalState::Synced,
            size: 2,
            last_committed: 20,
            sees: hosts[1..].to_vec(),
            sees_others: Vec::new(),
        };
        let evidence = Evidence {
            process: Process::Running(running),
            files: Some(Files::default()),
            maintenance: false,
            arbitrator: false,
            disabled: Vec::new(),
            members_hash: None,
        };
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
        let is_known = || supervisor.log().contains("the data of pf1.example.com are given up");
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
