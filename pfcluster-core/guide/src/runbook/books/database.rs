//! When the database does not come up by itself.

use super::Name;
use super::joining::{receive, same_versions};
use crate::runbook::RunbookError;
use crate::runbook::check::{Check, Fact};
use crate::runbook::draft::{Book, Draft, PF_CONF, address, others};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::command_line::dump_once;
use pfcluster_core::decision::and;
use pfcluster_core::galera::bootstrap::{NO_SERVER, START, STATE_ASIDE, VIEW_ASIDE};

/// Where the step that determines a member keeps what `bootstrap` printed: later steps carry out that, and nothing else.
const DECISION: &str = "/root/pfcluster-decision";
/// A decision of an earlier outage is not carried out.
const IS_NEW: &str = "[ -n \"$(find /root/pfcluster-decision -mmin -120)\" ] || ! echo \"not run: /root/pfcluster-decision is older than two \
                      hours: collect the state of each member again, and decide again\"";
/// Nothing is forced that was not decided from the evidence.
const BOOTSTRAPS: &str = "grep -q \"^Decision: bootstrap the cluster from $(hostname) \" /root/pfcluster-decision || ! echo \"not run: \
                          /root/pfcluster-decision does not say that the cluster is bootstrapped from $(hostname)\"";
/// As [`BOOTSTRAPS`]. Members that restore their last primary component start together.
const STARTS: &str = "grep -q \"^Decision: start[^:]* $(hostname)[ ,][^:]*together:\" /root/pfcluster-decision || ! echo \"not run: \
                      /root/pfcluster-decision does not say that $(hostname) starts together with others\"";
/// As [`BOOTSTRAPS`]. A member whose data would be lost by joining is not named among those that join.
const JOINS: &str = "grep -q \"^Decision: .*; then[^;]* $(hostname)[ ,]\" /root/pfcluster-decision || ! echo \"not run: \
                     /root/pfcluster-decision does not say that $(hostname) joins\"";

/// Guide 5.1.
pub(super) fn member_missing(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let missing = book.named(Name::MemberMissing)?;
    let all = book.database_of(&missing[0])?;
    if let Some(stranger) = missing.iter().find(|host| !all.contains(host)) {
        return Err(RunbookError::NotInDatabase(stranger.clone()));
    }
    let rest = others(&all, &missing);
    let Some(asker) = rest.first().cloned() else { return Err(RunbookError::NobodyLeft(Name::MemberMissing)) };
    let on = [asker.clone()];
    book.before(format!(
        "{} can't recover, and serves no clients: that must be certain, or there are two databases (split brain)",
        and(&missing)
    ));
    let cluster = book.request.cluster;
    let step = book.step("5.1", format!("Check that {} is off, with your own eyes", and(&missing)), &on);
    for host in &missing {
        step.run(format!("ping -c 3 {}", address(cluster, host)?));
    }
    step.run("pfcluster status")
        .do_it("a server that does not answer may still be running, and serving clients: look at its console, or at the hypervisor")
        .verify(Check::NobodyServes { members: rest.clone() })
        .look(format!("{} is off, or cut off from the network", and(&missing)))
        .added("the guide's way is valid only if all crashed at the same time, and does not check whether a member still serves clients");
    let names: Vec<&str> = missing.iter().map(Hostname::as_str).collect();
    if book.request.supervised {
        let step = book.step("5.1", "Check what the supervisors wait for, and give the override", &on);
        step.run("pfcluster mariadb status")
            .run_here(&format!("pfcluster mariadb allow assume-lost {}", names.join(" ")))
            .do_it(
                "if it says that it has no effect on another member until it is given there, run the same on that one",
            )
            .irreversible(format!(
                "what only {} committed is lost; before you have to type the names, it says how much that can be",
                and(&missing)
            ))
            .warn("they decide by themselves which member starts: the most advanced; the override counts on that one")
            .instead_of("systemctl stop packetfence-mariadb", "the supervisors stop what is in the way")
            .instead_of(
                "rm /var/lib/mysql/gvwstate.dat",
                "the supervisors move it away where it has to go, and use it where it proves something",
            )
            .landmark(Check::Together { members: rest.clone(), only: false });
        return Ok(());
    }
    book.without_autofix(&rest);
    book.step("5.1", "Stop the databases", &rest).stop_waiting_database();
    let word = format!("--assume-lost {}", names.join(" "));
    evidence(book, &rest, &asker, &word, "it names a member to start, why, and what that may lose")?;
    carry_out(book, &rest, &asker)?;
    book.with_autofix(&rest);
    Ok(())
}

/// What all hold, compared in one place: the last step, for what follows from it.
pub(super) fn evidence<'b>(
    book: &'b mut Book<'_>,
    members: &[Hostname],
    asker: &Hostname,
    word: &str,
    look: &str,
) -> Result<&'b mut Draft, RunbookError> {
    let step = book.step("4.2, 4.3", "Collect the state of each member", members);
    step.run("pfcluster evidence --recover > \"/root/evidence-$(hostname).json\"")
        .instead_of(
            "cat /var/lib/mysql/grastate.dat",
            "after a crash it says -1; this recovers the position from the data, and changes nothing",
        )
        .look("each has its file in /root");
    let sources: Vec<String> = others(members, std::slice::from_ref(asker))
        .iter()
        .map(|host| Ok(format!("scp root@{}:/root/evidence-{host}.json /root/", address(book.request.cluster, host)?)))
        .collect::<Result<_, RunbookError>>()?;
    let step = book.step("4.2, 4.3", "Determine which member to bootstrap", std::slice::from_ref(asker));
    for source in sources {
        step.run(source);
    }
    let files: Vec<String> = members.iter().map(|host| format!("/root/evidence-{host}.json")).collect();
    let word = if word.is_empty() { String::new() } else { format!(" {word}") };
    Ok(step.run_here(&format!("pfcluster bootstrap{word} --evidence {} | tee {DECISION}", files.join(" "))).look(look))
}

/// Guide 5.2.
pub(super) fn elect_master(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let master = book.one(Name::ElectMaster)?;
    let without = book.request.without.clone();
    let members = book.members();
    if let Some(stranger) = without.iter().find(|host| !members.contains(host)) {
        return Err(RunbookError::NotAMember(stranger.clone()));
    }
    if without.contains(&master) {
        return Err(RunbookError::NobodyLeft(Name::ElectMaster));
    }
    let all = others(&book.database_of(&master)?, &without);
    let rest = others(&all, std::slice::from_ref(&master));
    if book.request.supervised {
        book.before("the supervisors choose by themselves; this is for the case that you choose instead");
    }
    if without.is_empty() {
        book.before(
            "a member that does not answer may be the most advanced: then `pfcluster runbook member-missing` first",
        );
    }
    if !rest.is_empty() {
        book.before(format!(
            "{} must reach {master} when they come up: else there are two databases (`pfcluster runbook split-brain`)",
            and(&rest)
        ));
    }
    book.without_autofix(&all);
    let step = book.step("5.2", "Check that no member is primary", std::slice::from_ref(&master));
    step.run("pfcluster status")
        .look("no member's database is primary; one that does not answer is off")
        .warn("if one is primary, the others only have to join it: `systemctl start packetfence-mariadb` there");
    book.step("5.2", "Stop the databases", &all).stop_waiting_database();
    let names: Vec<&str> = without.iter().map(Hostname::as_str).collect();
    let word = if names.is_empty() { String::new() } else { format!("--assume-lost {}", names.join(" ")) };
    let look =
        format!("`Decision:` says `bootstrap the cluster from {master}`; the next steps do nothing if it does not");
    let without: Vec<String> = names.iter().map(|name| format!(" --without {name}")).collect();
    let without = without.concat();
    evidence(book, &all, &master, &word, &look)?
        .do_it(format!(
            "only if it bootstraps another member: start again with `pfcluster runbook {} MEMBER{without}`",
            Name::ElectMaster
        ))
        .do_it("only if it starts several members together: stop here, and run `systemctl start packetfence-mariadb` on exactly these, \
                without waiting for one another; then on the others");
    begin(book, &master, "5.2", &[IS_NEW, BOOTSTRAPS], &new_uuid_if_decided());
    let (from, is_supervised) = (address(book.request.cluster, &master)?, book.request.supervised);
    let mut up = vec![master.clone()];
    for host in &rest {
        let on = std::slice::from_ref(host);
        up.push(host.clone());
        let members: Vec<Hostname> = all.iter().filter(|one| up.contains(one)).cloned().collect();
        let step = book.step("5.2", format!("Start the database of {host}, which joins"), on);
        if is_supervised {
            step.join_without_view();
        } else {
            step.run(format!("scp root@{from}:{DECISION} /root/"))
                .join_if_decided()
                .do_it(format!(
                    "only if the decision does not say that {host} joins: leave its database stopped. Its data would be \
                     replaced; `pfcluster bootstrap` with `--discard {host}` and the same evidence says what would be lost, and prints \
                     the commands that keep a copy"
                ));
        }
        step.landmark(Check::Together { members, only: false });
    }
    finish(book, &master, &rest, &all);
    Ok(())
}

/// A server without grastate.dat makes a new cluster UUID.
fn new_uuid_if_decided() -> String {
    format!("! grep -q '^Decision: .* with a new cluster UUID' {DECISION} || {STATE_ASIDE}")
}

impl Draft {
    /// The member joins, if the decision says so.
    fn join_if_decided(&mut self) -> &mut Draft {
        self.join_without_view_if(&[IS_NEW, JOINS, NO_SERVER])
            .warn("it starts nothing if the decision does not say that this member joins")
    }
}

/// What the decision says, on whichever of `members` it says it. `asker` has it.
pub(super) fn carry_out(book: &mut Book<'_>, members: &[Hostname], asker: &Hostname) -> Result<(), RunbookError> {
    let rest = others(members, std::slice::from_ref(asker));
    let copies: Vec<String> = rest
        .iter()
        .map(|host| Ok(format!("scp {DECISION} root@{}:/root/", address(book.request.cluster, host)?)))
        .collect::<Result<_, RunbookError>>()?;
    let step = book.step("5.2", "Read the decision, and give it to the other members", std::slice::from_ref(asker));
    step.run(format!("cat {DECISION}"));
    for copy in copies {
        step.run(copy);
    }
    step.do_it(
        "only if `Decision:` says wait or refuse: stop here, and do what is printed below it; the next steps then start nothing",
    )
    .warn("a line that begins with DATA LOSS says what the next steps lose: go on only if that may be")
    .look("the decision names a member to bootstrap, or members to start together");
    if members.len() > 1 {
        let step = book.step("5.1", "Start the members that the decision starts together", members);
        step.run_chain(&[IS_NEW, STARTS, NO_SERVER, START])
            .warn("start them at the same time: each waits for the others. It starts nothing on a member that the decision does not name so");
    }
    let step = book.step("5.2", "Bootstrap the cluster from the member that the decision names", members);
    step.force_new_cluster(&[IS_NEW, BOOTSTRAPS, NO_SERVER, VIEW_ASIDE, &new_uuid_if_decided()])
        .keeps_view()
        .warn("it starts nothing on a member that the decision does not name")
        .irreversible("transactions that only other members have are lost")
        .back("systemctl stop packetfence-mariadb")
        .look("`pfcluster status` says that a member's database is primary")
        .instead_of(
            "rm /var/lib/mysql/gvwstate.dat on all, then any master",
            "the member that is chosen may be behind another one, whose later transactions are then lost",
        );
    if !rest.is_empty() {
        let step = book.step("5.2", "Start the databases of the others, which join", members);
        step.join_if_decided()
            .warn("one after the other, each until `pfcluster status` shows it synced")
            .do_it(
                "only if the decision does not say that a member joins: leave its database stopped. Its data would be replaced; \
                 `pfcluster bootstrap` with `--discard HOST` and the same evidence says what would be lost, and prints the commands \
                 that keep a copy",
            )
            .landmark(Check::Together { members: members.to_vec(), only: false });
        let step = book.step("5.2, 5.5", "Start the database that was bootstrapped like the others'", members);
        step.end_force_if(&[BOOTSTRAPS], &rest).together(members);
    }
    Ok(())
}

/// One member begins alone.
fn begin(book: &mut Book<'_>, master: &Hostname, guide: &'static str, before: &[&str], new_uuid: &str) {
    let on = std::slice::from_ref(master);
    // A supervisor makes the new cluster UUID itself where one has to be made.
    let aside: &[&str] = if book.request.supervised { &[VIEW_ASIDE] } else { &[VIEW_ASIDE, new_uuid] };
    let step = book.step(guide, format!("Bootstrap the cluster from {master}"), on);
    step.force_new_cluster(&[&[NO_SERVER], before, aside].concat())
        .keeps_view()
        .irreversible(format!("transactions that other members have, and {master} has not, are lost"))
        .back("systemctl stop packetfence-mariadb")
        .landmark(Check::Together { members: on.to_vec(), only: false });
}

/// Back to normal after a force.
fn finish(book: &mut Book<'_>, master: &Hostname, rest: &[Hostname], all: &[Hostname]) {
    if !book.request.supervised && !rest.is_empty() {
        let step = book.step(
            "5.2, 5.5",
            format!("Start the database of {master} like the others'"),
            std::slice::from_ref(master),
        );
        step.end_force(rest).together(all);
    }
    book.with_autofix(all);
}

/// Guide 5.3 and 5.5.
pub(super) fn split_brain(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let kept = book.named(Name::SplitBrain)?;
    let all = book.database_of(&kept[0])?;
    if let Some(stranger) = kept.iter().find(|host| !all.contains(host)) {
        return Err(RunbookError::NotInDatabase(stranger.clone()));
    }
    let lost = others(&all, &kept);
    if lost.is_empty() {
        return Err(RunbookError::NobodyLeft(Name::SplitBrain));
    }
    let keeper = [kept[0].clone()];
    book.before(format!(
        "the data of {} are kept; what was written on {} since the split is lost, but kept on disk there",
        and(&kept),
        and(&lost)
    ));
    book.before(
        "a split brain only follows from a force: left alone, members without a majority are read-only (guide 5.3)",
    );
    book.without_autofix(&all);
    let step = book.step("5.3", "Stop PacketFence on the side whose data are discarded", &lost);
    step.pfcmd("service pf stop")
        .back("/usr/local/pf/bin/pfcmd service pf start")
        .added("what is written there until its database stops is lost as well")
        .look("no RADIUS or portal request is answered there");
    let cluster = book.request.cluster;
    let step = book.step("5.3", "Check that all reach each other again", &keeper);
    for host in &lost {
        step.run(format!("ping -c 3 {}", address(cluster, host)?));
    }
    step.run("pfcluster status").together(&kept).look("it says `split`, and which members are on which side");
    for host in &lost {
        let file = format!("/root/split-{host}.sql.gz");
        let dump = dump_once("mysqldump --opt --single-transaction -u root -p pf", &file);
        let step =
            book.step("5.3", format!("Dump the database of {host} for later comparison"), std::slice::from_ref(host));
        step.run_here(&dump)
            .run(format!("zcat {file} | tail -n 1"))
            .here(std::slice::from_ref(host), Fact::File(file), "yes")
            .look("the second command prints `-- Dump completed`")
            .warn("it is for comparison later; if the database no longer answers, go on without");
    }
    // All of the side stop before one of them joins: else two of it could come up as a component of their own.
    book.step("5.3, 5.5", "Stop the databases of the side whose data are discarded", &lost).stop_database();
    let mut up = kept.clone();
    for host in &lost {
        receive(book, "5.5", host, &up).reached();
        up.push(host.clone());
    }
    same_versions(book, &kept[0], &all);
    let step = book.step("5.3", "Start PacketFence again", &lost);
    step.one_by_one().restart_pf().verify(Check::VirtualAddresses).together(&all);
    book.with_autofix(&all);
    Ok(())
}

/// Guide 5.4 and 5.5.
pub(super) fn full_recovery(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let keeper = book.one(Name::FullRecovery)?;
    let all = book.database_of(&keeper)?;
    let rest = others(&all, std::slice::from_ref(&keeper));
    if rest.is_empty() {
        return Err(RunbookError::NobodyLeft(Name::FullRecovery));
    }
    book.before(format!(
        "the data of {keeper} are kept; those of {} are discarded (moved, not deleted): this is the last resort",
        and(&rest)
    ));
    book.before("try `pfcluster runbook elect-master` before: it moves no data directory; transactions that only other members have are lost there, too");
    book.without_autofix(&all);
    book.step("5.4, 5.5", "Stop the databases", &all).stop_waiting_database();
    evidence(
        book,
        &all,
        &keeper,
        &format!("--force {keeper}"),
        "it says what is lost if the cluster is bootstrapped from this member, and you accept that",
    )?;
    begin(book, &keeper, "5.4", &[], STATE_ASIDE);
    let mut up = vec![keeper.clone()];
    for host in &rest {
        receive(book, "5.5", host, &up).reached();
        up.push(host.clone());
    }
    finish(book, &keeper, &rest, &all);
    Ok(())
}

/// Guide 8.5.
pub(super) fn max_connections(book: &mut Book<'_>) {
    let all = book.members();
    let Some(first) = all.first().cloned() else { return };
    let database = book.database_of(&first).unwrap_or_else(|_| all.clone());
    let on = [first.clone()];
    book.before("a member without a free connection holds up replication on all others");
    let step = book.step("8.5.2", "Find out which clients hold the connections", &database);
    step.run("ss -tnp '( sport = :3306 or dport = :3306 )'")
        .sql(
            "mysql -u root -p",
            &[
                "select * from information_schema.processlist;",
                "select * from information_schema.processlist where Command!='Sleep';",
            ],
        )
        .instead_of("netstat -anlp | grep 3306", "newer systems have no netstat")
        .look("you know which program holds most connections: the limit is high, so something is wrong with it");
    let step = book.step("8.5.1", "Raise the limit where it runs", &database);
    step.sql("mysql -u root -p", &["SET GLOBAL max_connections = 2000;"])
        .warn("one more connection is kept for root; if that is refused as well, go on: the limit comes with the next start")
        .verify(Check::FreeConnections { members: database.clone() })
        .back_by("the next start of each database takes the limit of pf.conf")
        .instead_of(
            "systemctl stop packetfence-mariadb on all, then a full recovery",
            "it takes all databases down and copies all data anew; the limit can be raised while they run, and replication goes on",
        );
    let step = book.step("8.5.1", "Raise the limit in the configuration", &on);
    step.edit(PF_CONF, &["[database_advanced]", "max_connections=2000"])
        .pfcmd("configreload hard")
        .run_here("pfcluster sync --as-master")
        .here(&on, Fact::PfConf("database_advanced", "max_connections"), "2000")
        .verify(Check::SameConfiguration { members: all.clone() });
    let step = book.step("8.5.1", "Only if it is still stuck: restart the databases", &database);
    step.one_by_one()
        .pfcmd("generatemariadbconfig")
        .run("systemctl restart packetfence-mariadb")
        .together(&database)
        .warn("one at a time, each until it is synced: no data are lost")
        .warn(
            "only if none of them comes up: `pfcluster runbook elect-master`, then `pfcluster runbook full-recovery`",
        );
}
