//! Files that are none: they hold nobody up, and fill nobody's memory. And programs that are not the system's.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::world::{World, mode, watch};

fn fifo(world: &World, name: &str) {
    let made = Command::new("mkfifo").arg(world.path(name)).status().expect("mkfifo");
    assert!(made.success());
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let world = World::new();
    fifo(&world, "fifo");
    let kinds: [&[&str]; 6] = [
        &["check"],
        &["bootstrap", "--evidence"],
        &["conflict", "--versions"],
        &["generate", "haproxy-portal", "--stdout", "--dashboard-password-file"],
        &["status", "--backups=nowhere", "--mysql-defaults-file"],
        &["show", "--pf-conf"],
    ];
    for arguments in kinds {
        for file in ["fifo", "/dev/zero"] {
            let ran = watch(&mut world.command(&[arguments, &[file]].concat()), Duration::from_secs(5));
            assert!(!ran.is_endless && ran.code() == Some(2), "{arguments:?} {file}: {ran:?}");
            assert!(ran.memory < 200, "{arguments:?} {file}: {} MB", ran.memory);
        }
    }
}

#[test]
fn a_configuration_that_is_no_file_is_refused_at_once() {
    for name in ["pf/conf/cluster.conf", "pf/conf/pf.conf", "pf/conf/pf-release", "pf/conf/pfcluster.key"] {
        let world = World::new();
        let _ = fs::remove_file(world.path(name));
        fifo(&world, name);
        let ran = watch(&mut world.command(&["mariadb", "supervise", "--dry-run"]), Duration::from_secs(8));
        assert!(!ran.is_endless && ran.code() == Some(2), "{name}: {ran:?}");
    }
}

/// Root's programs are the system's, whatever PATH says.
#[test]
fn no_program_of_the_search_path_runs_as_root() {
    let world = World::new();
    for name in ["mariadbd", "mysqld", "systemctl", "haproxy", "keepalived"] {
        let script = format!("#!/bin/sh\n: > {}\nexit 1\n", world.text("away/was-run"));
        pfcluster_tests::program::script(&world.path("away").join(name), &script);
    }
    for name in ["data", "tmp", "data/packetfence"] {
        fs::create_dir(world.path(name)).expect("our folder");
    }
    mode(&world.path("data"), 0o755);
    world.write("data/ibdata1", "no tablespace");
    let commands: [&[&str]; 3] =
        [&["evidence", "--recover"], &["maintenance", "--activate", "--dry-run"], &["generate", "all", "--check"]];
    for arguments in commands {
        let path = format!("{}:/usr/bin:/bin", world.text("away"));
        watch(world.command(arguments).env("PATH", path), Duration::from_secs(20));
        assert!(!world.path("away/was-run").exists(), "{arguments:?}");
    }
}
