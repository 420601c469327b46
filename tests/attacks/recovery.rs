//! The user mysql, who owns the data directory: root recovers a position in it, and writes nowhere else.

use std::fs;
use std::process::Command;
use std::time::Duration;

use pfcluster_tests::program::program;

use crate::world::{Attacker, World, give, mode, watch};

fn mysql() -> u32 {
    let users = fs::read_to_string("/etc/passwd").expect("users");
    let line = users.lines().find(|line| line.starts_with("mysql:")).expect("mariadb-server must be installed");
    line.split(':').nth(2).and_then(|id| id.parse().ok()).expect("a number")
}

fn world(mysql: u32) -> World {
    let world = World::new();
    for name in ["data", "tmp"] {
        fs::create_dir(world.path(name)).expect("our folder");
    }
    mode(&world.path("tmp"), 0o1777);
    world.write("data/ibdata1", "no tablespace");
    world.write(
        "data/grastate.dat",
        "# GALERA saved state\nversion: 2.1\nuuid:    ec9a1a36-e6ed-11f1-823f-231ddacb0bd4\n\
                                      seqno:   -1\nsafe_to_bootstrap: 0\n",
    );
    fs::create_dir(world.path("data/packetfence")).expect("our folder");
    for name in ["data", "data/ibdata1", "data/grastate.dat", "data/packetfence"] {
        give(&world.path(name), mysql);
    }
    world
}

/// H3: as soon as root's scratch directory is there, mysql puts a link into it.
#[test]
fn recovery_writes_no_file_of_roots() {
    const RACE: &str = "my ($tmp, $target, @names) = @ARGV; \
                        while (1) { for my $dir (glob(\"$tmp/pfcluster-recover-*\")) { \
                        symlink($target, \"$dir/$_\") for @names } }";
    let mysql = mysql();
    let world = world(mysql);
    program();
    let before = fs::read_to_string(world.path("root/secret")).expect("root's file");
    let arguments = [&world.text("tmp"), &world.text("root/secret"), "output", "early", "recovery.err"];
    let _attackers = [(); 2].map(|()| Attacker::new(mysql, RACE, &arguments));
    for turn in 1..=25 {
        let ran = world.run(&["evidence", "--recover"]);
        assert_eq!(fs::read_to_string(world.path("root/secret")).expect("root's file"), before, "at turn {turn}");
        assert!(!ran.text().contains("the-secret-of-root"), "{ran:?}");
    }
}

/// What mysql puts in the place of its files holds nobody up.
#[test]
fn a_pipe_in_the_data_directory_holds_nobody_up() {
    let mysql = mysql();
    for name in ["ibdata1", "grastate.dat", "gvwstate.dat", "aria_log_control"] {
        let world = world(mysql);
        let _ = fs::remove_file(world.path("data").join(name));
        let made = Command::new("mkfifo").arg(world.path("data").join(name)).status().expect("mkfifo");
        assert!(made.success());
        let ran = watch(&mut world.command(&["evidence"]), Duration::from_secs(8));
        assert!(!ran.is_endless, "{name}: {ran:?}");
    }
}
