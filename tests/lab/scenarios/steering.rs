//! The configuration, between the members of a cluster of real hosts.

use std::process::Output;
use std::sync::Arc;
use std::thread;

use pfcluster_tests::lab::command::{said, wait_until};
use pfcluster_tests::lab::{DEADLINE, Host, Lab, Result};
use pfcluster_tests::webservices::{Fault, StandIn, VERSION_FILE, lab as webservices};
use serde_json::Value;

use crate::common::{guide, measured, sync};

const SWITCHES: &str = "conf/switches.conf";

fn push(host: &Host) -> Result<Output> {
    host.output(&["pfcluster", "sync", "--as-master", "--timeout", "5"])
}

/// The versions of all members' configurations as a host's status shows them.
fn versions(host: &Host) -> Vec<String> {
    let status = host.output(&["pfcluster", "status", "--format", "json"]);
    let status: Value = status.ok().and_then(|status| serde_json::from_slice(&status.stdout).ok()).unwrap_or_default();
    let members = status["members"].as_array().cloned().unwrap_or_default();
    members.iter().map(|member| member["config_version"].as_str().unwrap_or("unknown").to_owned()).collect()
}

/// All have this, and one version; which is returned.
fn is_everywhere(members: &[&Arc<StandIn>], switches: &str) -> Vec<u8> {
    let version = members[0].read(VERSION_FILE);
    for member in members {
        assert_eq!(String::from_utf8_lossy(&member.read(SWITCHES)), switches, "{}", member.host);
        assert_eq!(member.read(VERSION_FILE), version, "{}", member.host);
    }
    version
}

/// In every direction; one host loses power in the middle of a push, and the others go on.
#[test]
fn the_configuration_goes_in_every_direction() -> Result {
    let lab = Lab::new(&guide())?;
    let [pf1, pf2, pf3] = [lab.host("pf1")?, lab.host("pf2")?, lab.host("pf3")?];
    let members = webservices::serve(&lab)?;
    let [one, two, three] = &members[..] else { panic!("three members") };

    one.write(SWITCHES, b"# from pf1\n");
    let first = push(pf1)?;
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let before = is_everywhere(&[one, two, three], "# from pf1\n");
    assert_ne!(before, b"1510000000.12345", "a push gives a new version");

    sync()?;
    // The power goes while pf3 fetches a file.
    two.write(SWITCHES, b"# from pf2\n");
    three.fail_later("", "switches.conf", Fault::Hang, 0);
    three.take_requests();
    let cut_off = thread::scope(|scope| {
        let pushing = scope.spawn(|| push(pf2));
        let fetches = || {
            let requests = three.take_requests();
            requests.iter().filter_map(|request| request.argument("conf_file")).any(|path| path.ends_with(SWITCHES))
        };
        wait_until("pf3 is in the middle of it", DEADLINE, fetches, String::new)?;
        pf3.cut()?;
        pushing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    measured("a push to a host that loses power", said(&cut_off));
    assert_eq!(cut_off.status.code(), Some(1), "{}", said(&cut_off));
    assert!(said(&cut_off).contains(&three.host), "{}", said(&cut_off));
    let after = is_everywhere(&[one, two], "# from pf2\n");
    assert_ne!(after, before);

    // It is back, and everybody sees that it has another configuration.
    pf3.boot()?;
    let three = &webservices::serve_on(&lab, pf3)?;
    assert_eq!(three.read(VERSION_FILE), before, "not all files arrived there");
    let differ = [&after, &after, &before].map(|version| String::from_utf8_lossy(version).into_owned());
    for host in [pf1, pf2, pf3] {
        let tell = || versions(host).join(" ");
        let took = wait_until("the status shows it", DEADLINE, || versions(host) == differ, tell)?;
        measured(&format!("{} sees that pf3 has another configuration", host.name()), format!("{took:.1?}"));
    }
    let second = push(pf2)?;
    assert_eq!(second.status.code(), Some(0), "{}", said(&second));
    is_everywhere(&[one, two, three], "# from pf2\n");

    // And the other way: who asks gets.
    three.write(SWITCHES, b"# from pf3\n");
    let from = pf3.plan.management.to_string();
    for host in [pf1, pf2] {
        let pull = host.output(&["pfcluster", "sync", "--from", &from])?;
        assert_eq!(pull.status.code(), Some(0), "{}", said(&pull));
    }
    is_everywhere(&[one, two, three], "# from pf3\n");
    Ok(())
}
