//! `pfcluster generate` on a disk: what is written, kept, refused.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use pfcluster_tests::program::{examples, run};

/// PacketFence's install directory with the guide's cluster, and nothing generated.
struct Installation {
    directory: tempfile::TempDir,
}

/// What a run said.
struct Answer {
    status: Option<i32>,
    out: String,
    err: String,
}

impl Installation {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a scratch directory");
        fs::create_dir(directory.path().join("conf")).expect("a writable directory");
        for name in ["cluster.conf", "pf.conf"] {
            fs::copy(examples().join("guide").join(name), directory.path().join("conf").join(name))
                .expect("an example");
        }
        Installation { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a name below the directory")).expect("a writable directory");
        fs::write(path, text).expect("a writable directory");
    }

    fn replace(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).expect("a readable file");
        assert!(text.contains(from), "{name} holds {from}");
        self.write(name, &text.replace(from, to));
    }

    fn generate(&self, arguments: &[&str]) -> Answer {
        let versions = ["--haproxy-version", "2.6", "--keepalived-version", "2.2", "--host", "pf2.example.com"];
        let full = [&["generate", "--root", "."], arguments, &versions].concat();
        let output = run(self.directory.path(), &full, b"", &[]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Answer { status: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Every file below var, with its bytes; nothing if there is no var.
    fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.path("var"), &mut found);
        found.sort();
        found
    }

    fn backups(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = fs::read_dir(self.path("var/pfcluster/backup"))
            .map(|entries| entries.map(|entry| entry.expect("a readable directory").path()).collect())
            .unwrap_or_default();
        found.sort();
        found
    }
}

fn collect(directory: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("a readable directory").path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push((path.clone(), fs::read(&path).expect("a readable file")));
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("the file is there").mode() & 0o7777
}

#[test]
fn all_is_written_once_and_nothing_the_second_time() {
    let installation = Installation::new();
    let first = installation.generate(&["all", "--install"]);
    assert_eq!(first.status, Some(0), "{}", first.err);
    for name in ["keepalived.conf", "haproxy-db.conf", "haproxy-portal.conf", "haproxy-admin.conf", "mariadb.conf"] {
        assert!(installation.path("var/conf").join(name).is_file(), "{name}");
        assert!(first.err.contains(&format!("wrote ./var/conf/{name}")), "{}", first.err);
    }
    assert_eq!(mode(&installation.path("var/conf/keepalived.conf")), 0o600);
    let before = installation.written();
    let second = installation.generate(&["all", "--install"]);
    assert!(second.err.contains("nothing to write"), "{}", second.err);
    assert_eq!(installation.written(), before);
    assert!(installation.backups().is_empty());
    assert_eq!(installation.generate(&["all", "--check"]).status, Some(0));
}

#[test]
fn what_is_replaced_is_kept_with_its_mode_and_the_last_ten_stay() {
    let installation = Installation::new();
    installation.write("var/conf/keepalived.conf", "by hand\n");
    fs::set_permissions(installation.path("var/conf/keepalived.conf"), fs::Permissions::from_mode(0o640))
        .expect("ours");
    assert_eq!(installation.generate(&["keepalived", "--install"]).status, Some(0));
    assert_eq!(mode(&installation.path("var/conf/keepalived.conf")), 0o640);
    let kept = installation.backups();
    assert_eq!(kept.len(), 1);
    let copy = kept[0].join("var/conf/keepalived.conf");
    assert_eq!(fs::read(&copy).expect("the backup"), b"by hand\n");
    assert_eq!((mode(&copy), mode(&kept[0])), (0o600, 0o700));
    for number in 0..12 {
        installation.write("var/conf/keepalived.conf", &format!("by hand {number}\n"));
        assert_eq!(installation.generate(&["keepalived", "--install"]).status, Some(0));
    }
    let kept = installation.backups();
    assert_eq!(kept.len(), 10);
    let newest = fs::read(kept[9].join("var/conf/keepalived.conf")).expect("the newest backup");
    assert_eq!(newest, b"by hand 11\n", "in {kept:?}");
}

#[test]
fn a_template_counts_once_it_is_the_users_own() {
    let installation = Installation::new();
    let built_in = installation.generate(&["keepalived", "--stdout"]);
    let shipped = "# PacketFence's\n%%vrrp%%\n";
    installation.write("conf/keepalived.conf.example", shipped);
    installation.write("conf/keepalived.conf", shipped);
    assert_eq!(installation.generate(&["keepalived", "--stdout"]).out, built_in.out);
    installation.write("conf/keepalived.conf", "# mine\n%%vrrp%%\n");
    let own = installation.generate(&["keepalived", "--stdout"]);
    assert!(own.out.contains("# mine\n") && own.out != built_in.out, "{}", own.out);
    assert_eq!(installation.generate(&["keepalived", "--stdout", "--no-templates"]).out, built_in.out);
}

/// PacketFence writes statements into it that only PacketFence knows.
#[test]
fn a_mariadb_sql_that_exists_stays() {
    let installation = Installation::new();
    installation.write("var/conf/mariadb.sql", "SELECT 1;\n");
    assert_eq!(installation.generate(&["mariadb", "--install"]).status, Some(0));
    assert_eq!(fs::read(installation.path("var/conf/mariadb.sql")).expect("the file"), b"SELECT 1;\n");
    fs::remove_file(installation.path("var/conf/mariadb.sql")).expect("ours");
    assert_eq!(installation.generate(&["mariadb", "--check"]).status, Some(1));
    assert_eq!(installation.generate(&["mariadb", "--install"]).status, Some(0));
    assert!(installation.path("var/conf/mariadb.sql").is_file());
}

#[test]
fn drift_is_seen_and_shown_without_secrets() {
    let installation = Installation::new();
    let missing = installation.generate(&["keepalived", "--check"]);
    assert_eq!((missing.status, missing.out.as_str()), (Some(1), "var/conf/keepalived.conf is missing\n"));
    assert_eq!(installation.generate(&["keepalived", "--install"]).status, Some(0));
    installation.replace("conf/pf.conf", "password=kTq7vRw2", "password=Zx81Zx81");
    let changed = installation.generate(&["keepalived", "--check"]);
    assert_eq!((changed.status, changed.out.as_str()), (Some(1), "var/conf/keepalived.conf differs\n"));
    let diff = installation.generate(&["keepalived", "--diff"]);
    assert_eq!(diff.status, Some(1));
    assert!(diff.out.contains("--- var/conf/keepalived.conf\n+++ var/conf/keepalived.conf\n@@"), "{}", diff.out);
    assert!(diff.out.contains("-        auth_pass ********\n+        auth_pass ********\n"), "{}", diff.out);
    for secret in ["kTq7vRw2", "Zx81Zx81"] {
        assert!(!diff.out.contains(secret) && !diff.err.contains(secret), "{secret}");
    }
    let masked = installation.generate(&["all", "--stdout"]);
    let shown = installation.generate(&["all", "--stdout", "--show-secrets"]);
    for secret in ["Zx81Zx81", "aMuchMoreSecurePassword"] {
        assert!(!masked.out.contains(secret) && shown.out.contains(secret), "{secret}");
    }
}

/// What is wrong, how it is made so, and what must be said of it.
type Wrong = (&'static str, fn(&Installation), &'static str);

#[test]
fn nothing_is_written_when_anything_is_wrong() {
    let wrong: [Wrong; 7] = [
        (
            "unknown tag",
            |i| i.write("conf/haproxy-db.conf", "global\n  x %%nonsense%%\n"),
            "conf/haproxy-db.conf, line 2: there is no tag %%nonsense%%",
        ),
        ("no pf.conf", |i| fs::remove_file(i.path("conf/pf.conf")).expect("ours"), "pf.conf: no such file"),
        (
            "disabled here",
            |i| i.write("var/run/pf2.example.com-cluster-disabled", ""),
            "pf2.example.com is disabled on this server",
        ),
        (
            "no member",
            |i| i.replace("conf/cluster.conf", "pf2.example.com", "pf9.example.com"),
            "pf2.example.com is not a member of the cluster",
        ),
        (
            "no virtual address",
            |i| i.replace("conf/cluster.conf", "[CLUSTER interface eth1.2]\nip=192.168.2.10\n", ""),
            "[CLUSTER interface eth1.2]",
        ),
        (
            "a directive in a value",
            |i| i.replace("conf/pf.conf", "password=kTq7vRw2", "password=<<E\na\n}\nE"),
            "`password` of `[active_active]`",
        ),
        (
            "a key that keepalived cuts",
            |i| i.replace("conf/pf.conf", "password=kTq7vRw2", "password=ab#cd"),
            "conf/pf.conf:22:10: `password` of `[active_active]`",
        ),
    ];
    for (name, damage, message) in wrong {
        let installation = Installation::new();
        damage(&installation);
        let before = installation.written();
        let answer = installation.generate(&["all", "--install"]);
        assert_eq!(answer.status, Some(2), "{name}: {}", answer.err);
        assert!(answer.err.contains(message), "{name}: {}", answer.err);
        assert!(answer.err.contains("\nhint: "), "{name}: {}", answer.err);
        assert_eq!(installation.written(), before, "{name}");
    }
}

#[test]
fn links_are_not_followed() {
    let installation = Installation::new();
    installation.write("elsewhere", "precious\n");
    fs::create_dir_all(installation.path("var/conf")).expect("a writable directory");
    symlink(installation.path("elsewhere"), installation.path("var/conf/keepalived.conf"))
        .expect("a writable directory");
    let answer = installation.generate(&["keepalived", "--install"]);
    assert_eq!(answer.status, Some(2));
    assert!(answer.err.contains("it is no plain file"), "{}", answer.err);
    assert_eq!(fs::read(installation.path("elsewhere")).expect("the file"), b"precious\n");
}

#[test]
fn the_dashboard_takes_the_users_password() {
    let installation = Installation::new();
    let default = installation.generate(&["haproxy-db", "--stdout"]);
    assert!(default.err.contains("admin and packetfence"), "{}", default.err);
    installation.write("dashboard", "ops:Sesame99\n");
    let own =
        installation.generate(&["haproxy-db", "--stdout", "--show-secrets", "--dashboard-password-file", "dashboard"]);
    assert!(own.out.contains("stats auth ops:Sesame99"), "{}", own.out);
    assert!(!own.err.contains("packetfence"), "{}", own.err);
    installation.write("dashboard", "ops\n");
    let wrong = installation.generate(&["haproxy-db", "--stdout", "--dashboard-password-file", "dashboard"]);
    assert_eq!(wrong.status, Some(2));
    assert!(wrong.err.contains("its first line is not USER:PASSWORD"), "{}", wrong.err);
}

#[test]
fn what_is_named_twice_is_said_once() {
    let installation = Installation::new();
    let once = installation.generate(&["all", "--explain"]);
    let twice = installation.generate(&["all", "haproxy-db", "mariadb", "--explain"]);
    assert_eq!((twice.out, twice.err), (once.out, once.err));
}

#[test]
fn out_writes_elsewhere_and_explain_says_why() {
    let installation = Installation::new();
    assert_eq!(installation.generate(&["keepalived", "--out", "preview"]).status, Some(0));
    assert!(installation.path("preview/var/conf/keepalived.conf").is_file());
    assert!(!installation.path("var").exists());
    let explained = installation.generate(&["all", "--explain"]);
    assert_eq!(explained.status, Some(0));
    assert!(explained.out.contains("why: "), "{}", explained.out);
    let json = installation.generate(&["all", "--explain", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert!(document["deviations"].as_array().is_some_and(|list| !list.is_empty()));
    let undecided = installation.generate(&["all"]);
    assert_eq!(undecided.status, Some(2));
}

#[test]
fn each_drop_in_generates_what_its_service_reads() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/systemd");
    let installation = Installation::new();
    let mut seen = 0;
    for entry in fs::read_dir(directory).expect("the drop-ins") {
        let path = entry.expect("a readable directory").path();
        if path.is_file() {
            // A unit of its own.
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let daemon =
            name.strip_prefix("packetfence-").and_then(|name| name.strip_suffix(".service.d")).expect("a service");
        let text = fs::read_to_string(path.join("pfcluster.conf")).expect("a drop-in");
        assert!(
            text.contains(&format!("ExecStartPre=/usr/local/bin/pfcluster generate {daemon} --install\n")),
            "{name}"
        );
        assert_eq!(installation.generate(&[daemon, "--install"]).status, Some(0), "{daemon}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}
