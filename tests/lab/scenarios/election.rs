//! What an administrator does after an outage: `pfcluster evidence --recover` on each host, `pfcluster bootstrap` on what they
//! printed, and then the commands that it prints, letter by letter.

use std::time::{Duration, Instant};

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Lab, LabError, Result, together, wait_all_synced};
use pfcluster_tests::program::run;
use serde_json::{Value, json};

use crate::common::{boot, disks, formed, measured, nothing_lost, on_disk, seconds};
use crate::disks::BIG;

/// The answer to the evidence of all hosts.
fn decision(lab: &Lab) -> Result<Value> {
    let evidence = |host: &Host| -> Result<Value> {
        Ok(serde_json::from_str(&host.exec(&["pfcluster", "evidence", "--recover"])?).expect("JSON"))
    };
    let members = lab.hosts.iter().map(evidence).collect::<Result<Vec<Value>>>()?;
    let scratch = tempfile::tempdir()?;
    std::fs::write(scratch.path().join("evidence.json"), json!({ "version": 1, "members": members }).to_string())?;
    let cluster_conf = lab.hosts[0].exec(&["cat", "/usr/local/pf/conf/cluster.conf"])?;
    std::fs::write(scratch.path().join("cluster.conf"), cluster_conf)?;
    let arguments = ["bootstrap", "cluster.conf", "--evidence", "evidence.json", "--format", "json"];
    let said = run(scratch.path(), &arguments, b"", &[]);
    let answer: Value = serde_json::from_slice(&said.stdout).expect("JSON");
    measured("decision", &answer["action"]["text"]);
    Ok(answer)
}

/// Carries the printed steps out: commands below one sentence at the same time on all hosts, in order on each.
fn follow(lab: &Lab, answer: &Value) -> Result {
    let steps: Vec<&str> = answer["remedy"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let is_command = |step: &&str| step.starts_with("on ");
    for group in steps.chunk_by(|one, other| is_command(one) && is_command(other)) {
        let commands: Vec<(&Host, &str)> =
            group.iter().filter(|step| is_command(step)).map(|step| command(lab, step)).collect::<Result<_>>()?;
        if group[0].starts_with("when the database is in service") {
            let serves = || lab.hosts.iter().any(|host| host.status("wsrep_cluster_status") == "Primary");
            wait_until("service", DEADLINE, serves, || on_disk(&lab.hosts[0]))?;
        }
        let mut hosts: Vec<&Host> = commands.iter().map(|(host, _)| *host).collect();
        hosts.dedup_by_key(|host| host.name().to_owned());
        together(&hosts, |host| {
            let own = commands.iter().filter(|(other, _)| other.name() == host.name());
            own.into_iter().try_for_each(|(_, command)| host.exec(&["sh", "-c", command]).map(drop))
        })?;
    }
    Ok(())
}

/// `on pf1.example.com: COMMAND`.
fn command<'l, 's>(lab: &'l Lab, step: &'s str) -> Result<(&'l Host, &'s str)> {
    let (host, command) = step
        .strip_prefix("on ")
        .and_then(|step| step.split_once(": "))
        .ok_or(LabError(format!("`{step}` has no host")))?;
    Ok((lab.host(host.split('.').next().unwrap_or(host))?, command))
}

/// Started all at once, as one does, this never ends: the view of pf1 keeps the two others from forming theirs.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_printed_commands_bring_a_staggered_power_cut_back() -> Result {
    let lab = formed()?;
    let [pf1, pf2, pf3] = [lab.host("pf1")?, lab.host("pf2")?, lab.host("pf3")?];
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    pf1.cut()?;
    wait_all_synced(&[pf2, pf3])?;
    seconds(1);
    lab.cut_together(&[pf2, pf3])?;
    drop(writers);
    disks(&lab, "after the power cuts");
    boot(&[pf1, pf2, pf3])?;
    let began = Instant::now();
    let answer = decision(&lab)?;
    assert_eq!(answer["action"]["members"], json!(["pf2.example.com", "pf3.example.com"]));
    follow(&lab, &answer)?;
    wait_all_synced(&[pf1, pf2, pf3])?;
    measured("from evidence to all synced", format!("{:.1?}", began.elapsed()));
    nothing_lost(&lab)
}

/// All lose power within a DDL statement. Started normally, they would come up as primary with the zero UUID. The answer
/// refuses, and its way out keeps the history.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn what_is_said_about_a_ddl_statement_helps() -> Result {
    let lab = formed()?;
    let all: Vec<&Host> = lab.hosts.iter().collect();
    let cluster = lab.hosts[0].status("wsrep_cluster_state_uuid");
    lab.hosts[0].long_query(&format!("USE lab; {BIG}"))?;
    let rows = lab.hosts[0].query("SELECT COUNT(*) FROM lab.big")?;
    std::thread::scope(|scope| {
        scope.spawn(|| lab.hosts[0].long_query("ALTER TABLE lab.big ENGINE=InnoDB, FORCE, ALGORITHM=COPY"));
        let zero = || all.iter().all(|host| host.grastate().is_some_and(|state| state.is_zero()));
        wait_until("all are within the statement", DEADLINE, zero, || on_disk(all[0]))?;
        lab.cut_together(&all)
    })?;
    boot(&all)?;
    let answer = decision(&lab)?;
    assert_eq!(answer["action"]["problem"]["kind"], "no_candidate", "{answer:#}");
    let advice = format!("write `uuid: {cluster}` and `seqno: -1` into its grastate.dat");
    let said = answer["remedy"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|step| step.as_str().is_some_and(|step| step.contains(&advice)));
    assert_eq!(said.count(), all.len(), "{answer:#}");
    for host in &all {
        host.exec(&["sed", "-i", &format!("s/^uuid:.*/uuid:    {cluster}/"), "/var/lib/mysql/grastate.dat"])?;
    }
    follow(&lab, &decision(&lab)?)?;
    measured("all are synced again after", format!("{:.1?}", wait_all_synced(&all)?));
    for host in &all {
        assert_eq!(host.status("wsrep_cluster_state_uuid"), cluster);
        assert_eq!(host.query("SELECT COUNT(*) FROM lab.big")?, rows);
    }
    Ok(())
}
