//! Datagrams of strangers, and a run directory that was somebody else's.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use crate::world::{STRANGER, World, give, in_namespace, mode};

const PORT: u16 = 4254;
const PF1: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);

/// Time that a process has used, in hundredths of a second.
fn used(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    fields[11].parse::<u64>().expect("a number") + fields[12].parse::<u64>().expect("a number")
}

/// It is heard at the management address, and nowhere else.
#[test]
fn only_the_management_address_hears_datagrams() {
    in_namespace("network::only_the_management_address_hears_datagrams", || {
        let world = World::new();
        let supervisor = world.supervisor();
        std::thread::sleep(Duration::from_secs(2));
        let table = fs::read_to_string("/proc/net/udp").expect("sockets");
        let local: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(local, ["0501A8C0:109E"], "{}", supervisor.log());
    });
}

/// Members hear each other all the same.
#[test]
fn members_hear_each_other_at_their_management_addresses() {
    in_namespace("network::members_hear_each_other_at_their_management_addresses", || {
        let (one, other) = (World::new(), World::new());
        let (first, second) = (one.supervisor(), other.supervisor_of("pf2.example.com", &[]));
        assert!(first.says("the supervisor of pf2.example.com is running"), "{}", first.log());
        assert!(second.says("the supervisor of pf1.example.com is running"), "{}", second.log());
    });
}

/// Forged datagrams cost their sender more than the member.
#[test]
fn a_flood_of_forged_datagrams_keeps_nobody_busy() {
    in_namespace("network::a_flood_of_forged_datagrams_keeps_nobody_busy", || {
        let world = World::new();
        let mut supervisor = world.supervisor();
        std::thread::sleep(Duration::from_secs(2));
        let stranger = UdpSocket::bind((Ipv4Addr::new(192, 168, 1, 99), 0)).expect("an address");
        let member = UdpSocket::bind((Ipv4Addr::new(192, 168, 1, 6), PORT)).expect("an address");
        let began = used(supervisor.child.id());
        let forged = [&b"pfc\x01"[..], &[7; 200]].concat();
        let mut sent = 0;
        while sent < 20_000 {
            for socket in [&stranger, &member] {
                let _ = socket.send_to(&forged, (PF1, PORT));
                sent += 1;
            }
            if sent % 200 == 0 {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(supervisor.ended(), None);
        let cost = used(supervisor.child.id()) - began;
        assert!(supervisor.says("192.168.1.99"), "it says who sends them: {}", supervisor.log());
        let lines = supervisor.log().lines().filter(|line| line.contains("datagram")).count();
        assert!(lines < 20, "{lines} lines");
        println!("{cost} hundredths of a second for {sent} datagrams");
        assert!(cost < 150, "{cost} hundredths of a second for {sent} datagrams");
    });
}

/// The run directory of somebody else is not entered, and what listens in it is not believed.
#[test]
fn a_run_directory_of_somebody_else_is_not_used() {
    in_namespace("network::a_run_directory_of_somebody_else_is_not_used", || {
        let world = World::new();
        fs::create_dir(world.path("run")).expect("our folder");
        world.with_key();
        give(&world.path("run"), STRANGER);
        let ran = world.run(&["mariadb", "supervise"]);
        assert!(ran.code() == Some(2) && ran.text().contains("belongs to"), "{ran:?}");
        give(&world.path("run"), 0);
        mode(&world.path("run"), 0o777);
        let ran = world.run(&["mariadb", "supervise"]);
        assert!(ran.code() == Some(2) && ran.text().contains("others may write"), "{ran:?}");
        fs::remove_dir_all(world.path("run")).expect("our folder");
        std::os::unix::fs::symlink(world.path("away"), world.path("run")).expect("a link");
        let ran = world.run(&["mariadb", "supervise"]);
        assert_eq!(ran.code(), Some(2), "{ran:?}");
        assert!(!ran.is_endless);
    });
}

/// What a user who is not root says in the supervisor's place is not believed.
#[test]
fn who_listens_in_the_supervisors_place_must_be_root() {
    let world = World::new();
    let path = world.path("run");
    fs::create_dir(&path).expect("our folder");
    give(&path, STRANGER);
    mode(&path, 0o755);
    // The socket tells who has made it, whoever holds it later.
    let script = "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die; \
                  while (my $c = $s->accept) { my $l = <$c>; print $c \"believe me\\n\"; close $c }";
    let _stranger = crate::world::Attacker::new(STRANGER, script, &[&world.text("run/supervise.sock")]);
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while !world.path("run/supervise.sock").exists() && std::time::Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    let ran = world.run(&["mariadb", "status"]);
    assert!(ran.code() == Some(2) && !ran.text().contains("believe me"), "{ran:?}");
    drop(UnixListener::bind(world.path("root/own.sock")));
}
