//! Files and logs of a database: the commands of tests/testdata/galera.
//!
//! | command | input | output |
//! |---|---|---|
//! | `grastate` | grastate.dat | UUID, sequence number, flag |
//! | `gvwstate` | gvwstate.dat | node, view, whether bootstrapped, members |
//! | `recovered` | the log of `mariadbd --wsrep-recover` | the position |
//! | `status` | lines `name value` of `SHOW GLOBAL STATUS LIKE 'wsrep%'` | what the election needs, then the rest |
//! | `members` | lines `host [address]` | their hash |
//!
//! With the word `escaped` the input's line ends are those that it names: `\n`, `\r`, `\\`, `\xNN`. `blanks=N` puts N
//! blanks behind it, `zeros=N` as many NULs.

use std::fmt::Display;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{Grastate, Gvwstate, Recovered, WsrepStatus, members_hash, recovered_position};

use crate::Case;

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    let output = match case.command.as_str() {
        "grastate" => |input: &[u8]| Ok(grastate(input)),
        "gvwstate" => |input: &[u8]| Ok(gvwstate(input)),
        "recovered" => recovered,
        "status" => status,
        "members" => members,
        _ => return None,
    };
    Some(input(case).and_then(|input| output(&input)))
}

fn input(case: &Case) -> Result<Vec<u8>, String> {
    let mut input = if case.has("escaped") { unescaped(&case.input)? } else { case.input.clone().into_bytes() };
    for (key, byte) in [("blanks", b' '), ("zeros", 0)] {
        let count = case.value(key).map_or(Ok(0), str::parse).map_err(|error| format!("{key}: {error}"))?;
        input.extend(std::iter::repeat_n(byte, count));
    }
    Ok(input)
}

fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let text = text.replace('\n', "");
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        (*byte != b'\\').then(|| out.push(*byte));
        rest = after;
        if *byte == b'\\' {
            let (byte, after) = match after {
                [b'n', after @ ..] => (b'\n', after),
                [b'r', after @ ..] => (b'\r', after),
                [b'\\', after @ ..] => (b'\\', after),
                [b'x', high, low, after @ ..] => {
                    let digits = [*high, *low].map(char::from).iter().collect::<String>();
                    (u8::from_str_radix(&digits, 16).map_err(|error| format!("\\x{digits}: {error}"))?, after)
                }
                _ => return Err(format!("`\\` before `{}`", String::from_utf8_lossy(after))),
            };
            out.push(byte);
            rest = after;
        }
    }
    Ok(out)
}

fn grastate(input: &[u8]) -> String {
    match Grastate::parse(input) {
        Err(error) => format!("error: {error}\n"),
        Ok(grastate) => {
            let flag = match grastate.safe_to_bootstrap {
                None => "unknown",
                Some(false) => "0",
                Some(true) => "1",
            };
            format!("uuid {}\nseqno {}\nflag {flag}\n", grastate.uuid, grastate.seqno)
        }
    }
}

fn gvwstate(input: &[u8]) -> String {
    match Gvwstate::parse(input) {
        Err(error) => format!("error: {error}\n"),
        Ok(gvwstate) => {
            let members = gvwstate.members.iter().map(|member| format!("member {member}\n"));
            let begun = if gvwstate.bootstrap { " bootstrapped" } else { "" };
            format!("node {}\nview {}{begun}\n{}", gvwstate.my_uuid, gvwstate.view, members.collect::<String>())
        }
    }
}

fn recovered(input: &[u8]) -> Result<String, String> {
    Ok(match Recovered::from(recovered_position(input)) {
        Recovered::At(position) => format!("at {position}\n"),
        Recovered::NoHistory => "no history\n".to_owned(),
        Recovered::Failed(why) => format!("error: {why}\n"),
        Recovered::NotRun => return Err("a log was read, so it did run".to_owned()),
    })
}

/// The members are pf1 to pf3 of the guide, at 192.168.1.5 to .7.
fn status(input: &[u8]) -> Result<String, String> {
    let text = str::from_utf8(input).map_err(|error| error.to_string())?;
    let rows = text.lines().filter(|line| !line.is_empty()).map(|line| line.split_once(' ').unwrap_or((line, "")));
    let resolve = |name: &str| match name {
        "192.168.1.5" | "pf1" => "pf1".parse().ok(),
        "192.168.1.6" | "pf2" | "fd00::6" => "pf2".parse().ok(),
        "192.168.1.7" | "pf3" => "pf3".parse().ok(),
        _ => None,
    };
    Ok(match WsrepStatus::from_rows(rows) {
        Err(error) => format!("error: {error}\n"),
        Ok(status) => {
            let running = status.running(resolve);
            let sees: Vec<&str> = running.sees.iter().map(Hostname::as_str).collect();
            let others: Vec<&str> = running.sees_others.iter().map(|other| &**other).collect();
            format!(
                "{:?} {:?} size {} at {}:{}\nsees {}; others {}\n\
                 ready {}; connected {}; view {}; evs {}; weight {}; node {}; paused {}\n",
                running.status,
                running.state,
                running.size,
                running.uuid,
                running.last_committed,
                list(&sees),
                list(&others),
                shown(status.ready.as_ref()),
                shown(status.connected.as_ref()),
                shown(status.conf_id.as_ref()),
                shown(status.evs_state.as_ref()),
                shown(status.weight.as_ref()),
                shown(status.node.as_ref()),
                shown(status.flow_control_paused.as_ref()),
            )
        }
    })
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "nobody".to_owned() } else { names.join(" ") }
}

fn shown(value: Option<&impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn members(input: &[u8]) -> Result<String, String> {
    fn parsed<T: std::str::FromStr<Err: Display>>(word: &str) -> Result<T, String> {
        word.parse().map_err(|error| format!("{word}: {error}"))
    }

    let text = str::from_utf8(input).map_err(|error| error.to_string())?;
    let members = text.lines().map(|line| {
        let (host, address) = line.split_once(' ').map_or((line, None), |(host, address)| (host, Some(address)));
        Ok((parsed::<Hostname>(host)?, address.map(parsed).transpose()?))
    });
    let members = members.collect::<Result<Vec<_>, String>>()?;
    Ok(format!("{}\n", members_hash(members.iter().map(|(host, address)| (host, *address)))))
}
