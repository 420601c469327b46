//! Runbooks, followed step by step on real hosts; the ledger says whether more was lost than the steps say.

mod follow;

use std::time::Duration;

use pfcluster_guide::runbook::Name;
use pfcluster_tests::lab::{Host, Lab, Result, Start, start_together, wait_all_synced};

use crate::common::{boot, disks, measured, nothing_lost, seconds};
use follow::{Follower, NEW_VERSION, prepare, prepared};

fn three(lab: &Lab) -> Result<[&Host; 3]> {
    Ok([lab.host("pf1")?, lab.host("pf2")?, lab.host("pf3")?])
}

/// Writers on all hosts for a while; what they were told is there.
fn written(lab: &Lab) {
    let writers = lab.write_on_all(Duration::from_millis(10));
    seconds(2);
    drop(writers);
}

/// What the test has put there is on the disks, and survives a power cut.
fn on_disk(lab: &Lab) -> Result {
    lab.hosts.iter().try_for_each(|host| host.exec(&["sync"]).map(drop))
}

fn insert(host: &Host, id: u32) -> Result {
    host.query(&format!("INSERT INTO lab.commits VALUES ({id}, '{}')", host.name())).map(drop)
}

fn ids(host: &Host) -> Result<Vec<String>> {
    host.query("SELECT id FROM lab.commits WHERE id < 1000 ORDER BY id")
}

/// What went aside is still there.
fn kept_aside(host: &Host) -> Result {
    let aside = host.exec(&["sh", "-c", "ls -d /var/lib/mysql.aside-*/ibdata1"])?;
    measured("kept", aside.trim());
    Ok(())
}

/// What is pasted into the wrong terminal does nothing there; and what nobody stands in for ends a test.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_wrong_terminal() -> Result {
    let lab = prepared()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    for (name, members) in [
        (Name::FullRecovery, &["pf2"][..]),
        (Name::SplitBrain, &["pf1", "pf2"]),
        (Name::RemoveMember, &["pf3"]),
        (Name::Shutdown, &[]),
        (Name::Upgrade, &[]),
    ] {
        let pasted = Follower::new(&lab, name, members, &[])?.paste_into(pf1)?;
        measured(&format!("lines of {name} for others, on pf1"), pasted);
        assert!(pasted > 0);
    }
    wait_all_synced(&[pf1, pf2, pf3])?;
    let follower = Follower::new(&lab, Name::Shutdown, &[], &[])?;
    for command in
        ["/usr/local/pf/bin/pfcmd service haproxy restart", "systemctl mask packetfence-mariadb", "yum upgrade"]
    {
        let error = follower.run(pf1, command).expect_err("nobody stands in for it");
        measured("refused", error);
    }
    Ok(())
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn remove_member_is_followed() -> Result {
    let lab = prepared()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    written(&lab);
    let writers = lab.write_on_all(Duration::from_millis(10));
    Follower::new(&lab, Name::RemoveMember, &["pf3"], &[])?.follow(|_| Ok(()))?;
    drop(writers);
    assert!(!pf3.is_on());
    wait_all_synced(&[pf1, pf2])?;
    for host in [pf1, pf2] {
        let members = host.exec(&["pfcluster", "show"])?;
        assert!(members.contains("pf2.example.com") && !members.contains("pf3.example.com"), "{members}");
    }
    nothing_lost(&lab)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn split_brain_is_followed() -> Result {
    let lab = prepared()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    written(&lab);
    insert(pf1, 1)?;
    lab.partition(&[&["pf1", "pf2"], &["pf3"]])?;
    wait_all_synced(&[pf1, pf2])?;
    pf3.wait_status("wsrep_cluster_status", "non-Primary")?;
    pf3.query("SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'")?;
    pf3.wait_status("wsrep_cluster_status", "Primary")?;
    insert(pf1, 2)?;
    insert(pf3, 3)?;
    lab.heal()?;
    Follower::new(&lab, Name::SplitBrain, &["pf1", "pf2"], &[])?.follow(|_| Ok(()))?;
    wait_all_synced(&[pf1, pf2, pf3])?;
    for host in [pf1, pf2, pf3] {
        assert_eq!(
            ids(host)?,
            ["1", "2"],
            "{}: what pf3 was given is lost, as the runbook says, and nothing else",
            host.name()
        );
    }
    kept_aside(pf3)?;
    nothing_lost(&lab)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn full_recovery_is_followed() -> Result {
    let lab = prepared()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    written(&lab);
    // pf1 leaves before the others go on.
    pf1.stop_database()?;
    insert(pf2, 2)?;
    wait_all_synced(&[pf2, pf3])?;
    seconds(1);
    lab.cut_together(&[pf1, pf2, pf3])?;
    disks(&lab, "after the power cut");
    again(&lab, &[pf1, pf2, pf3])?;
    Follower::new(&lab, Name::FullRecovery, &["pf2"], &[])?.follow(|_| Ok(()))?;
    wait_all_synced(&[pf1, pf2, pf3])?;
    for host in [pf1, pf2, pf3] {
        assert_eq!(ids(host)?, ["2"], "{}", host.name());
    }
    [pf1, pf3].into_iter().try_for_each(kept_aside)?;
    nothing_lost(&lab)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn member_missing_is_followed() -> Result {
    let lab = prepared()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    written(&lab);
    seconds(1);
    lab.cut_together(&[pf1, pf2, pf3])?;
    disks(&lab, "after the power cut");
    again(&lab, &[pf1, pf2])?;
    start_together(&[pf1, pf2], Start::Normal)?;
    Follower::new(&lab, Name::MemberMissing, &["pf3"], &[])?.follow(|_| Ok(()))?;
    wait_all_synced(&[pf1, pf2])?;
    nothing_lost(&lab)
}

fn power_cut_is_followed(lab: &Lab) -> Result {
    let all = three(lab)?;
    seconds(1);
    lab.cut_together(&all)?;
    disks(lab, "after the power cut");
    again(lab, &all)?;
    Follower::new(lab, Name::PowerCut, &[], &[])?.follow(|_| Ok(()))?;
    wait_all_synced(&all).map(drop)
}

/// All at the same moment: they start together.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_cut_of_all_at_once_is_followed() -> Result {
    let lab = prepared()?;
    on_disk(&lab)?;
    written(&lab);
    power_cut_is_followed(&lab)?;
    nothing_lost(&lab)
}

/// One after the other: the last one alone has the newest data, and the others join it.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_cut_of_the_last_one_is_followed() -> Result {
    let lab = prepared()?;
    on_disk(&lab)?;
    let [pf1, pf2, pf3] = three(&lab)?;
    written(&lab);
    pf1.stop_database()?;
    insert(pf2, 1)?;
    pf3.stop_database()?;
    insert(pf2, 2)?;
    power_cut_is_followed(&lab)?;
    for host in [pf1, pf2, pf3] {
        assert_eq!(ids(host)?, ["1", "2"], "{}", host.name());
    }
    nothing_lost(&lab)
}

/// Switched on again: what the machine's own files do not keep is put back.
fn again(lab: &Lab, hosts: &[&Host]) -> Result {
    boot(hosts)?;
    for host in hosts {
        prepare(host)?;
        pfcluster_tests::webservices::lab::serve_on(lab, host)?;
    }
    Ok(())
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn upgrade_is_followed() -> Result {
    let lab = prepared()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    written(&lab);
    pf1.query("CREATE DATABASE pf")?;
    for table in ["radius_audit_log", "ip4log_history", "ip4log_archive", "locationlog_archive"] {
        pf1.query(&format!("CREATE TABLE pf.{table} (id INT PRIMARY KEY)"))?;
    }
    pf1.query("INSERT INTO pf.radius_audit_log VALUES (7)")?;
    insert(pf1, 1)?;
    Follower::new(&lab, Name::Upgrade, &[], &["--to", NEW_VERSION])?.follow(|step| {
        match &*step.title {
            // From there on, what the others store is lost: the step before says so.
            "Upgrade the database's schema on pf3.example.com" => insert(pf1, 2),
            // And what the first one stores is kept.
            "Upgrade the system and PacketFence on pf1.example.com and pf2.example.com" => insert(pf3, 3),
            _ => Ok(()),
        }
    })?;
    wait_all_synced(&[pf1, pf2, pf3])?;
    for host in [pf1, pf2, pf3] {
        assert_eq!(ids(host)?, ["1", "3"], "{}", host.name());
        assert!(host.query("SELECT id FROM pf.radius_audit_log")?.is_empty());
    }
    let dump = pf3.exec(&["zcat", "/root/packetfence_archive.sql.gz"])?;
    assert!(dump.contains("INSERT INTO `radius_audit_log` VALUES") && dump.contains("(7)"), "{dump}");
    [pf1, pf2].into_iter().try_for_each(kept_aside)?;
    nothing_lost(&lab)
}
