//! The server's place among the members.

use super::finding::{Outcome, Sum};
use super::{Known, Server, known, word};

/// From this difference on, the order in which two people saved something on two members may be taken for the other one.
const CLOCKS_WARN: u64 = 2_000;
/// From this one on, what was saved last loses against what was saved before.
const CLOCKS_FAIL: u64 = 60_000;

/// PacketFence compares the names exactly; with one that is no member's, none of its programs that need the cluster start.
pub(super) fn host_name(server: &Server<'_>) -> Known<Outcome> {
    let name = known(&server.facts.host_name)?;
    let is_member = |name: &str| server.cluster.member(name).is_some();
    if **name == *server.me.as_str() {
        return Ok(if is_member(name) {
            Outcome::pass(name.clone())
        } else {
            let members: Vec<&str> = server.cluster.members().map(|member| member.host.as_str()).collect();
            Outcome::fail(format!("{name} is not a member in cluster.conf; the members are {}", members.join(", ")))
                .advise("give the server its member's name: hostnamectl set-hostname NAME; or correct cluster.conf")
        });
    }
    let seen = format!("the machine's name is {name}, and not {}", server.me);
    Ok(Outcome::fail(seen).run(format!("hostnamectl set-hostname {}", word(server.me.as_str()))))
}

/// Who is disabled on itself takes the identity and the priorities of others (bug B-10).
pub(super) fn members_enabled(server: &Server<'_>) -> Known<Outcome> {
    let disabled = known(&server.facts.disabled)?;
    server.member()?;
    let mut sum = Sum::new();
    let members: Vec<_> = server.cluster.members().map(|member| &member.host).collect();
    for host in members.iter().filter(|host| disabled.contains(**host)) {
        let outcome = if *host == server.me {
            Outcome::fail(format!(
                "{host} is disabled on itself: it uses the server ID and the VRRP priority of another one"
            ))
        } else {
            Outcome::warn(format!("{host} is disabled here"))
        };
        sum.add(outcome.run(format!("pfcluster node {} enable", word(host.as_str()))));
    }
    Ok(sum.or_pass(format!("all {} members", members.len())))
}

/// In maintenance the database does not start.
pub(super) fn maintenance_off(server: &Server<'_>) -> Known<Outcome> {
    Ok(if *known(&server.facts.maintenance)? {
        Outcome::warn("it is in maintenance: its database does not start").run("pfcluster maintenance --deactivate")
    } else {
        Outcome::pass("it is not in maintenance")
    })
}

/// Versions of the configuration are times: with clocks that differ, the older one wins a conflict.
pub(super) fn clocks(server: &Server<'_>) -> Known<Outcome> {
    let clocks = known(&server.facts.clocks)?;
    let mut sum = Sum::new();
    let mut asked = 0;
    let mut silent = None;
    for clock in clocks {
        let ahead = match &clock.ahead {
            Ok(ahead) => *ahead,
            Err(why) => {
                silent = silent.or_else(|| Some(format!("{}: {why}", clock.host)));
                continue;
            }
        };
        asked += 1;
        let by = ahead.unsigned_abs();
        if by < CLOCKS_WARN {
            continue;
        }
        let which = if ahead > 0 { "ahead of" } else { "behind" };
        let seen = format!("{} is {}.{} s {which} this server", clock.host, by / 1000, by % 1000 / 100);
        let outcome = if by < CLOCKS_FAIL { Outcome::warn(seen) } else { Outcome::fail(seen) };
        sum.add(outcome.run("timedatectl set-ntp true").advise(format!("the same on {}", clock.host)));
    }
    match silent {
        Some(silent) if sum.is_empty() => Err(silent.into()),
        _ => {
            let others = if asked == 1 { "member agrees" } else { "members agree" };
            Ok(sum.or_pass(format!("{asked} {others} within {} s", CLOCKS_WARN / 1000)))
        }
    }
}
