//! Who is spoken to, and with which password.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use pfcluster_tests::program::program;
use pfcluster_tests::webservices::{Answer, Certificate, Cluster, Fault, PASSWORD};

#[test]
fn an_unknown_certificate_gets_nothing() {
    let cluster = Cluster::new();
    let pf2 = &cluster.members[1];
    pf2.show(Certificate::foreign());
    let fingerprint = Certificate::foreign().fingerprint();
    let from = pf2.address.to_string();
    for arguments in [
        &["sync", "--as-master"][..],
        &["sync", "--as-master", "--dry-run"],
        &["sync", "--from", &from],
        &["conflict"],
        &["conflict", "resolve", "--yes"],
    ] {
        let answer = cluster.run(0, arguments);
        assert_eq!(answer.status, Some(2), "{arguments:?}: {answer:?}");
        assert_eq!(answer.out, "", "{arguments:?}");
        let known = format!("shows a certificate that is not known here: {fingerprint}\nhint: ");
        assert!(answer.err.contains(&known), "{arguments:?}: {}", answer.err);
        assert!(answer.err.contains(&format!("--fingerprint {fingerprint}")), "{arguments:?}: {}", answer.err);
    }
    assert!(pf2.take_requests().is_empty(), "not even the user");
    assert!(!cluster.members[0].root.join("var/pfcluster/pins").exists());
}

#[test]
fn a_certificate_that_was_named_is_remembered_once_all_went_well() {
    let cluster = Cluster::new();
    let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
    pf2.show(Certificate::foreign());
    let fingerprint = Certificate::foreign().fingerprint();
    let from = pf2.address.to_string();
    let pull = ["sync", "--from", &from, "--fingerprint", fingerprint];
    pf2.fail_later("download_configfile", "pf.conf", Fault::Dies("disk full"), 0);
    assert_eq!(cluster.run(0, &pull).status, Some(1));
    assert_eq!(cluster.run(0, &["conflict"]).status, Some(2), "not after a failure");
    pf2.mend();
    assert_eq!(cluster.run(0, &pull).status, Some(0));
    let pins = pf1.root.join("var/pfcluster/pins");
    assert_eq!(std::fs::read_to_string(&pins).expect("the pins"), format!("{from} {fingerprint}\n"));
    assert_eq!(std::fs::metadata(&pins).expect("the pins").permissions().mode() & 0o777, 0o600);
    assert_eq!(cluster.run(0, &["conflict"]).status, Some(0));
    // Only there: another member with it is a stranger.
    cluster.members[2].show(Certificate::foreign());
    assert_eq!(cluster.run(0, &["conflict"]).status, Some(2));
    cluster.members[2].show(Certificate::shared());
    // The shared one is always right, and takes the place of what was remembered.
    pf2.show(Certificate::shared());
    assert_eq!(cluster.run(0, &["sync", "--from", &from]).status, Some(0));
    let shared = Certificate::shared().fingerprint();
    assert_eq!(std::fs::read_to_string(&pins).expect("the pins"), format!("{from} {shared}\n"));
    pf2.show(Certificate::foreign());
    assert_eq!(cluster.run(0, &["sync", "--from", &from]).status, Some(2));
}

/// A certificate is public: what counts is its key.
#[test]
fn a_stolen_certificate_gets_nothing() {
    let cluster = Cluster::new();
    let pf2 = &cluster.members[1];
    pf2.show(Certificate::stolen());
    let from = pf2.address.to_string();
    for arguments in [&["sync", "--from", &from][..], &["sync", "--from", &from, "--insecure"]] {
        let answer = cluster.run(0, arguments);
        assert_eq!(answer.status, Some(2), "{arguments:?}: {answer:?}");
        assert!(answer.err.contains("invalid peer certificate: badsignature"), "{arguments:?}: {}", answer.err);
    }
    assert_eq!(cluster.run(0, &["conflict"]).status, Some(0), "the two others are in sync");
    assert!(pf2.take_requests().is_empty(), "not even the user");
}

/// Lower case and no colons are right as well; what is none is refused.
#[test]
fn fingerprints_are_read_in_every_form() {
    let cluster = Cluster::new();
    let pf2 = &cluster.members[1];
    pf2.show(Certificate::foreign());
    let plain = Certificate::foreign().fingerprint().replace(':', "").to_lowercase();
    assert_eq!(cluster.run(0, &["conflict", "--fingerprint", &plain]).status, Some(0));
    let cut = cluster.run(0, &["conflict", "--fingerprint", &plain[2..]]);
    assert_eq!(cut.status, Some(2));
    assert!(cut.err.contains("64 hexadecimal digits"), "{}", cut.err);
}

#[test]
fn insecure_is_said_and_leaves_no_pin() {
    let cluster = Cluster::new();
    let pf2 = &cluster.members[1];
    pf2.show(Certificate::foreign());
    let answer = cluster.run(0, &["sync", "--from", &pf2.address.to_string(), "--insecure"]);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    assert!(answer.err.contains("warning: `--insecure`"), "{}", answer.err);
    assert!(!cluster.members[0].root.join("var/pfcluster/pins").exists());
    assert_eq!(cluster.run(0, &["conflict"]).status, Some(2));
}

#[test]
fn files_of_trust_that_make_no_sense_are_told() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    for (name, text, message) in [
        ("var/pfcluster/pins", "192.168.1.5 nonsense\n", "line 1 has no address with a fingerprint"),
        ("conf/ssl/server.crt", "nonsense\n", "it holds no certificate in PEM form"),
    ] {
        let before = std::fs::read(pf1.root.join(name)).ok();
        pf1.write(name, text.as_bytes());
        let answer = cluster.run(0, &["conflict"]);
        assert_eq!(answer.status, Some(2), "{name}: {answer:?}");
        assert!(answer.err.contains(message) && answer.err.contains("\nhint: "), "{name}: {}", answer.err);
        match before {
            Some(before) => pf1.write(name, &before),
            None => std::fs::remove_file(pf1.root.join(name)).expect("our own file"),
        }
    }
}

#[test]
fn the_password_comes_from_a_file_the_environment_or_pf_conf() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    let without = format!("[webservices]\nport={}\n", cluster.port());
    pf1.write("conf/pf.conf", without.as_bytes());
    let password = cluster.file("password", &format!("{PASSWORD}\r\nanother line\n"));
    let password = password.to_string_lossy().into_owned();
    let nobody = cluster.run(0, &["conflict"]);
    assert_eq!(nobody.status, Some(2));
    assert!(nobody.err.contains("the web services' user is missing"), "{}", nobody.err);
    let half = cluster.run(0, &["conflict", "--api-user", "packet"]);
    assert_eq!(half.status, Some(2));
    assert!(half.err.contains("the password of the web services' user `packet` is missing"), "{}", half.err);
    let of_file = ["conflict", "--api-user", "packet", "--api-password-file", &password];
    assert_eq!(cluster.run(0, &of_file).status, Some(0));
    let variables = [("PFCLUSTER_API_PASSWORD", PASSWORD)];
    assert_eq!(cluster.run_with(0, &["conflict", "--api-user", "packet"], &variables).status, Some(0));
    let shown = cluster.run(0, &["conflict", "--api-user", "packet", "--api-password", PASSWORD]);
    assert_eq!(shown.status, Some(2), "{shown:?}");
    assert!(
        shown.err.contains("`--api-password` is refused") && shown.err.contains("--api-password-file"),
        "{}",
        shown.err
    );
    assert!(!shown.err.contains(PASSWORD), "{}", shown.err);
    let empty = cluster.file("empty", "\n").to_string_lossy().into_owned();
    let empty = cluster.run(0, &["conflict", "--api-user", "packet", "--api-password-file", &empty]);
    assert_eq!(empty.status, Some(2));
    assert!(empty.err.contains("its first line is empty"), "{}", empty.err);
    pf1.write("conf/pf.conf", format!("[webservices]\nuser=packet\npass={PASSWORD}\nport=no\n").as_bytes());
    let port = cluster.run(0, &["conflict"]);
    assert_eq!(port.status, Some(2));
    assert!(port.err.contains("`no` in `[webservices] port` is no port"), "{}", port.err);
}

/// From 12 on members without a user of their own use the system's.
#[test]
fn the_system_users_password_is_the_last_resort() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    pf1.write("conf/pf.conf", format!("[webservices]\nport={}\n", cluster.port()).as_bytes());
    pf1.write("conf/unified_api_system_pass", format!("{PASSWORD}\n").as_bytes());
    let answer = cluster.run(0, &["conflict"]);
    // The stand-ins know only the other user: the members are silent, and this is why.
    assert_eq!(answer.status, Some(1), "{answer:?}");
    // `system:` and the password, in base64.
    let expected = "Basic c3lzdGVtOmZlbmNlLTQ3MTEtU2VzYW1l";
    let requests = cluster.members[1].take_requests();
    assert_eq!(requests.first().and_then(|request| request.header("Authorization")), Some(expected));
    assert_eq!(cluster.run(0, &["conflict", "--pf-version", "11"]).status, Some(2), "there was none before 12");
}

/// On a terminal a person is asked: here `script` is the terminal.
#[test]
fn a_person_is_asked_about_an_unknown_certificate() {
    for (word, status) in [("yes", Some(0)), ("no", Some(2)), ("", Some(2))] {
        let cluster = Cluster::new();
        let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
        pf2.show(Certificate::foreign());
        let root = pf1.root.to_string_lossy();
        let from = pf2.address;
        let line = format!("{} sync --from {from} --root {root} --host {}", program().display(), pf1.host);
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--echo", "never", "--command", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`script` is on every Debian");
        let mut stdin = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut stdin, format!("{word}\n").as_bytes()).expect("it reads");
        let answer = Answer::of(&child.wait_with_output().expect("it ends"));
        drop(stdin);
        assert_eq!(answer.status, status, "{word}: {answer:?}");
        assert!(answer.out.contains(Certificate::foreign().fingerprint()), "{}", answer.out);
        assert_eq!(pf2.take_requests().is_empty(), word != "yes", "{word}");
    }
}
