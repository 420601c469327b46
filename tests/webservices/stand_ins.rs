//! Three members' web services for tests in another language: it says where they are, then takes orders, a JSON document a
//! line, until its standard input ends.
//!
//!     {"member": 1, "fail": "hang", "method": "download_configfile"}     from now on
//!     {"member": 1, "mend": true}                                        no more
//!     {"member": 1, "count": "set_config_version"}                       how often it was called so far

use std::io::{self, BufRead as _, Write as _};

use pfcluster_tests::webservices::{Cluster, Fault, PASSWORD, StandIn};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let cluster = Cluster::new();
    let member = |member: &StandIn| json!({ "host": member.host, "address": member.address, "root": member.root });
    let members: Vec<Value> = cluster.members.iter().map(|one| member(one)).collect();
    say(&json!({ "members": members, "port": cluster.port(), "password": PASSWORD }))?;
    for line in io::stdin().lock().lines() {
        let order: Value = serde_json::from_str(&line?)?;
        let place = order["member"].as_u64().and_then(|place| usize::try_from(place).ok()).unwrap_or_default();
        say(&obey(&cluster.members[place], &order))?;
    }
    Ok(())
}

fn obey(member: &StandIn, order: &Value) -> Value {
    let word = |name: &str| order[name].as_str().unwrap_or_default();
    if let Some(method) = order["count"].as_str() {
        return member.count(method).into();
    }
    if order["mend"] == true {
        member.mend();
        return Value::Null;
    }
    let fault = match word("fail") {
        "hang" => Fault::Hang,
        "garbage" => Fault::Garbage,
        "closed" => Fault::Closed,
        "refuse" => Fault::Status(401),
        other => return json!({ "error": format!("no fault `{other}`") }),
    };
    member.fail(word("method"), fault);
    Value::Null
}

fn say(document: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{document}")?;
    out.flush()
}
