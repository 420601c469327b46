//! The user pf, whose tree PacketFence's is: what root reads, makes or removes in it stays in it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use crate::world::{Attacker, PF, SECRET, STRANGER, World, give, in_namespace, mode};

const DISABLE: [&str; 3] = ["node", "pf2.example.com", "disable"];
const ENABLE: [&str; 3] = ["node", "pf2.example.com", "enable"];
const MARK: &str = "pf2.example.com-cluster-disabled";

fn is_empty(world: &World, folder: &str) -> bool {
    fs::read_dir(world.path(folder)).expect("our folder").next().is_none()
}

/// H4: marks, through a directory that has become a link.
#[test]
fn marks_are_made_nowhere_else() {
    for (name, target) in [("pf/var/run", "victim"), ("pf/var", "victim")] {
        let world = World::new();
        fs::create_dir_all(world.path("victim/run")).expect("our folder");
        world.turn(name, target);
        let ran = world.run(&DISABLE);
        assert_eq!(ran.code(), Some(2), "{ran:?}");
        assert!(is_empty(&world, "victim/run"), "{name}");
        assert!(!world.path("victim").join(MARK).exists(), "{name}");
        world.run(&["maintenance", "--activate", &format!("--programs={}", world.text("away"))]);
        let left =
            fs::read_dir(world.path("victim")).expect("our folder").flatten().filter(|entry| entry.path().is_file());
        assert_eq!(left.count(), 0, "{name}: no flag either");
    }
}

/// H4: and nothing else is taken away.
#[test]
fn marks_are_taken_away_nowhere_else() {
    let world = World::new();
    fs::create_dir(world.path("victim")).expect("our folder");
    world.write(&format!("victim/{MARK}"), "precious");
    world.turn("pf/var/run", "victim");
    world.run(&ENABLE);
    assert!(world.path("victim").join(MARK).exists());
}

/// H4: the same while pf turns the directory to and fro.
#[test]
fn no_race_leads_a_mark_out_of_the_tree() {
    const TURN: &str = "my ($dir, $victim) = @ARGV; symlink($victim, \"$dir/link\"); \
                        while (1) { rename(\"$dir/run\", \"$dir/was\"); rename(\"$dir/link\", \"$dir/run\"); \
                        rename(\"$dir/run\", \"$dir/link\"); rename(\"$dir/was\", \"$dir/run\"); }";
    let world = World::new();
    fs::create_dir(world.path("victim")).expect("our folder");
    let _attacker = Attacker::new(PF, TURN, &[&world.text("pf/var"), &world.text("victim")]);
    for _ in 0..60 {
        world.run(&DISABLE);
        assert!(is_empty(&world, "victim"), "root was led out of the tree");
        world.run(&ENABLE);
    }
}

/// H4: the key.
#[test]
fn a_key_is_made_nowhere_else() {
    let world = World::new();
    fs::create_dir(world.path("victim")).expect("our folder");
    world.turn("pf/conf", "victim");
    let ran = world.run(&["key", "new", "--replace"]);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(is_empty(&world, "victim"));
}

/// H4: what the supervisor writes down.
#[test]
fn records_are_written_nowhere_else() {
    let world = World::new();
    fs::create_dir(world.path("victim")).expect("our folder");
    world.turn("pf/var/pfcluster", "victim");
    let root = pfcluster_cli::host::Root::new(&world.path("pf"));
    let written = pfcluster_cli::host::records::write(&root, &pfcluster_core::galera::Records::default());
    assert!(written.is_err());
    assert!(is_empty(&world, "victim"));
}

/// H5: what only root may read is not in what pf may read, whatever pf's templates are.
#[test]
fn templates_are_plain_files_of_the_tree() {
    const TEMPLATES: [(&str, &str); 5] = [
        ("keepalived", "conf/keepalived.conf"),
        ("haproxy-db", "conf/haproxy-db.conf"),
        ("haproxy-portal", "conf/haproxy-portal.conf"),
        ("haproxy-admin", "conf/haproxy-admin.conf"),
        ("mariadb", "conf/mariadb/mariadb.conf"),
    ];
    for (daemon, template) in TEMPLATES {
        for through_directory in [false, true] {
            let world = World::new();
            let path = world.path("pf").join(template);
            if through_directory && daemon == "mariadb" {
                fs::copy(world.path("root/secret"), world.path("root/mariadb.conf")).expect("a scratch file");
                symlink(world.path("root"), path.parent().expect("a folder")).expect("a link");
            } else if through_directory {
                continue;
            } else {
                fs::create_dir_all(path.parent().expect("a folder")).expect("our folder");
                symlink(world.path("root/secret"), &path).expect("a link");
            }
            let ran = world.run(&["generate", daemon, "--install"]);
            let secret = SECRET.trim();
            assert!(!ran.text().contains(secret), "{daemon}: {ran:?}");
            for entry in fs::read_dir(world.path("pf/var/conf")).expect("our folder").flatten() {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                assert!(!text.contains(secret), "{daemon}: {} has the secret", entry.path().display());
            }
            assert_eq!(ran.code(), Some(2), "{daemon}: a template that is a link is an error: {ran:?}");
        }
    }
}

/// M1: what PacketFence wrote for everybody to read holds pfcluster's secrets afterwards; and nothing stays set-id.
#[test]
fn generated_secrets_are_for_nobody_else() {
    for before in [0o644, 0o666, 0o6755] {
        let world = World::new();
        let path = world.path("pf/var/conf/keepalived.conf");
        fs::write(&path, "PacketFence's own\n").expect("a scratch file");
        give(&path, PF);
        mode(&path, before);
        let ran = world.run(&["generate", "keepalived", "--install"]);
        assert_eq!(ran.code(), Some(0), "{ran:?}");
        assert!(fs::read_to_string(&path).expect("a file").contains("kTq7vRw2"), "it has the secret");
        assert_eq!(path.metadata().expect("a file").mode() & 0o7027, 0, "was {before:o}");
        // The same bytes, and again everybody may read them.
        mode(&path, before);
        let ran = world.run(&["generate", "keepalived", "--install"]);
        assert_eq!(ran.code(), Some(0), "{ran:?}");
        assert_eq!(path.metadata().expect("a file").mode() & 0o7027, 0, "was {before:o}, and the same bytes");
    }
}

/// A key is a secret of the cluster's: nobody else has made it, nobody else reads it, and it is none that anybody can guess.
#[test]
fn a_key_that_others_know_is_refused() {
    in_namespace("links::a_key_that_others_know_is_refused", || {
        let world = World::new();
        let dry_run = ["mariadb", "supervise", "--dry-run"];
        let refused = |reason: &str| {
            let ran = world.run(&dry_run);
            assert!(ran.code() == Some(2) && ran.text().contains(reason), "{reason}: {ran:?}");
        };
        world.with_key();
        let path = world.path("pf/conf/pfcluster.key");
        give(&path, STRANGER);
        refused("belongs to");
        give(&path, 0);
        mode(&path, 0o620);
        refused("write");
        mode(&path, 0o600);
        fs::write(&path, "0".repeat(64)).expect("a scratch file");
        refused("zeros");
        fs::remove_file(&path).expect("our file");
        world.write("away/key", &"5ec2e7a1".repeat(8));
        mode(&world.path("away/key"), 0o600);
        symlink(world.path("away/key"), &path).expect("a link");
        refused("plain file");
    });
}
