//! What `pfcluster status` shows while things happen.

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Result, together};
use pfcluster_tests::webservices::lab as webservices;
use serde_json::{Value, json};

use super::{all, come_back, supervised, three};
use crate::common::{measured, sync};

/// What a host shows; null if there is no answer long after its deadline.
fn status(host: &Host) -> Value {
    let output = host.output(&["timeout", "60", "pfcluster", "status", "--timeout", "2", "--format", "json"]);
    output.ok().and_then(|output| serde_json::from_slice(&output.stdout).ok()).unwrap_or_default()
}

/// Waits until all of these show it.
fn shows(hosts: &[&Host], what: &str, is_so: impl Fn(&Value) -> bool) -> Result {
    for host in hosts {
        let tell = || format!("{:#}", status(host));
        let name = host.name();
        let took = wait_until(&format!("{name} shows: {what}"), DEADLINE, || is_so(&status(host)), tell)?;
        measured(&format!("{name} shows: {what}"), format!("{took:.1?}"));
    }
    Ok(())
}

fn list<'s>(status: &'s Value, name: &str) -> impl Iterator<Item = &'s Value> {
    status[name].as_array().into_iter().flatten()
}

/// Every virtual address has one holder that was seen to take it, and these are all whom nothing is known of.
fn vips_are_held(status: &Value, unknown: &Value) -> bool {
    let is_held = |vip: &Value| {
        let holders = vip["held_by"].as_array().map_or(&[][..], Vec::as_slice);
        matches!(holders, [holder] if holder["since"].is_string()) && vip["unknown"] == *unknown
    };
    list(status, "virtual_addresses").count() > 0 && list(status, "virtual_addresses").all(is_held)
}

fn is_healthy(status: &Value) -> bool {
    let is_whole = |member: &Value| {
        member["supervisor"].is_string()
            && member["maintenance"] == json!(false)
            && member["config_version"] == json!("1510000000.12345")
    };
    status["verdict"] == "healthy" && list(status, "members").all(is_whole) && vips_are_held(status, &json!([]))
}

/// From every member: all is well, one is cut off, all is well again.
#[test]
fn all_is_seen_from_every_member() -> Result {
    let lab = supervised()?;
    webservices::serve(&lab)?;
    let [pf1, pf2, pf3] = three(&lab)?;
    together(&all(&lab), Host::start_services)?;
    shows(&all(&lab), "all is well", is_healthy)?;

    sync()?;
    pf3.cut()?;
    let gone = json!([pf3.plan.hostname]);
    let lacks_one = |status: &Value| {
        let member = &status["members"][2];
        status["verdict"] == "degraded"
            && member["database"]["state"] == "silent"
            && member["supervisor"].is_null()
            && member["config_version"].is_null()
            && vips_are_held(status, &gone)
    };
    shows(&[pf1, pf2], "one is gone", lacks_one)?;

    come_back(&[pf3])?;
    pf3.start_services()?;
    webservices::serve_on(&lab, pf3)?;
    shows(&all(&lab), "all is well again", is_healthy)
}
