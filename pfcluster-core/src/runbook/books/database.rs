//! When the database does not come up by itself.

use super::Name;
use super::joining::{receive, same_versions};
use crate::cluster::Hostname;
use crate::decision::and;
use crate::runbook::RunbookError;
use crate::runbook::check::{Check, Fact};
use crate::runbook::draft::{Book, Draft, PF_CONF, address, others};

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
        "{} can't recover, and is not in service: that must be certain, or there are two databases",
        and(&missing)
    ));
    let cluster = book.request.cluster;
    let step = book.step("5.1", format!("See that {} is off, with your own eyes", and(&missing)), &on);
    for host in &missing {
        step.run(format!("ping -c 3 {}", address(cluster, host)?));
    }
    step.run("pfcluster status")
        .do_it("a server that only does not answer may be in service for others: look at its console, or at the hypervisor")
        .verify(Check::NobodyServes { members: rest.clone() })
        .look(format!("{} is off, or cut off from the network", and(&missing)))
        .added("the guide's way is valid only if all were hard stopped at the same time, and who is in service elsewhere is not asked");
    let names: Vec<&str> = missing.iter().map(Hostname::as_str).collect();
    if book.request.supervised {
        let step = book.step("5.1", "See what the supervisors wait for, and give the override", &on);
        step.run("pfcluster mariadb status")
            .run_here(&format!("pfcluster mariadb allow assume-lost {}", names.join(" ")))
            .do_it("if it says that it has no effect on another member until it is given there, run the same on that one")
            .irreversible(format!(
                "what only {} committed is lost; before you have to type the names, it says whether that can be anything",
                and(&missing)
            ))
            .warn("they decide by themselves which member starts: the most advanced; the override counts on that one")
            .mend("systemctl stop packetfence-mariadb", "the supervisors stop what is in the way")
            .mend("rm /var/lib/mysql/gvwstate.dat", "the supervisors move it aside where it has to go, and use it where it proves something")
            .landmark(Check::Together { members: rest.clone(), only: false });
        return Ok(());
    }
    book.without_autofix(&rest);
    book.step("5.1", "Stop the databases", &rest).stop_waiting_database();
    let word = format!("--assume-lost {}", names.join(" "));
    evidence(book, &rest, &asker, &word, "it names a member to start, why, and what that may lose")?;
    let without: Vec<String> = names.iter().map(|name| format!(" --without {name}")).collect();
    let master = if rest.len() == 1 { asker.as_str() } else { "MEMBER" };
    let step = book.step("5.1, 5.2", "Begin with the member that it names", &on);
    step.do_it(format!("go on with `pfcluster runbook elect-master --member {master}{}`, with the member that `Decision:` names", without.concat()))
        .do_it("only if it says that their last view forms again: start exactly these, all at once, with `systemctl start packetfence-mariadb`")
        .landmark(Check::Together { members: rest.clone(), only: false })
        .mend("rm /var/lib/mysql/gvwstate.dat on all, then any master", "the member that is chosen may hold less than another one, which then loses the difference");
    book.with_autofix(&rest);
    Ok(())
}

/// What all hold, compared in one place: the last step, for what follows from it.
fn evidence<'b>(
    book: &'b mut Book<'_>,
    members: &[Hostname],
    asker: &Hostname,
    word: &str,
    look: &str,
) -> Result<&'b mut Draft, RunbookError> {
    let step = book.step("4.2, 4.3", "Find out what each holds", members);
    step.run("pfcluster evidence --recover > \"/root/evidence-$(hostname).json\"")
        .mend(
            "cat /var/lib/mysql/grastate.dat",
            "after a crash it says -1; this recovers the position from the data, and changes nothing",
        )
        .look("each has its file in /root");
    let sources: Vec<String> = others(members, std::slice::from_ref(asker))
        .iter()
        .map(|host| Ok(format!("scp root@{}:/root/evidence-{host}.json /root/", address(book.request.cluster, host)?)))
        .collect::<Result<_, RunbookError>>()?;
    let step = book.step("4.2, 4.3", "Ask who may begin", std::slice::from_ref(asker));
    for source in sources {
        step.run(source);
    }
    let files: Vec<String> = members.iter().map(|host| format!("/root/evidence-{host}.json")).collect();
    let word = if word.is_empty() { String::new() } else { format!(" {word}") };
    Ok(step.run(format!("pfcluster bootstrap{word} --evidence {}", files.join(" "))).look(look))
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
        book.before("the supervisors choose by themselves; this is for when they are to obey");
    }
    if without.is_empty() {
        book.before(
            "a member that can't be asked may hold more than all others: then `pfcluster runbook member-missing` first",
        );
    }
    if !rest.is_empty() {
        book.before(format!(
            "{} must reach {master} when they come up: else there are two databases (`pfcluster runbook split-brain`)",
            and(&rest)
        ));
    }
    book.without_autofix(&all);
    let step = book.step("5.2", "See that nobody is in service", std::slice::from_ref(&master));
    step.run("pfcluster status")
        .look("no member's database is primary; one that does not answer is off")
        .warn("if one is primary, the others only have to join it: `systemctl start packetfence-mariadb` there");
    book.step("5.2", "Stop the databases", &all).stop_waiting_database();
    let names: Vec<&str> = without.iter().map(Hostname::as_str).collect();
    let word = if names.is_empty() { String::new() } else { format!("--assume-lost {}", names.join(" ")) };
    let look = format!(
        "`Decision:` says `bootstrap {master}`. Only then go on: the next step loses what others hold beyond {master}"
    );
    evidence(book, &all, &master, &word, &look)?
        .do_it(format!("only if it bootstraps another member: begin again with `pfcluster runbook {} --member MEMBER`", Name::ElectMaster))
        .do_it("only if it starts several members at once: stop here, and run `systemctl start packetfence-mariadb` on exactly these, \
                without waiting for one another; then on the others");
    begin(book, &master, "5.2");
    let mut up = vec![master.clone()];
    for host in &rest {
        let on = std::slice::from_ref(host);
        up.push(host.clone());
        let members: Vec<Hostname> = all.iter().filter(|one| up.contains(one)).cloned().collect();
        let step = book.step("5.2", format!("Let {host} join"), on);
        step.set_view_aside().forget_force().start_database().landmark(Check::Together { members, only: false });
    }
    finish(book, &master, &rest, &all);
    Ok(())
}

/// One member begins alone.
fn begin(book: &mut Book<'_>, master: &Hostname, guide: &'static str) {
    let on = std::slice::from_ref(master);
    let step = book.step(guide, format!("Let {master} begin"), on);
    step.set_view_aside()
        .force_new_cluster()
        .irreversible(format!("whatever others hold beyond {master} will not be in service again"))
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
    let step = book.step("5.3", "Let nobody write on the side that goes", &lost);
    step.pfcmd("service pf stop")
        .back("/usr/local/pf/bin/pfcmd service pf start")
        .added("what is written there until its database stops is lost as well")
        .look("no RADIUS or portal request is answered there");
    let cluster = book.request.cluster;
    let step = book.step("5.3", "See that all reach each other again", &keeper);
    for host in &lost {
        step.run(format!("ping -c 3 {}", address(cluster, host)?));
    }
    step.run("pfcluster status").together(&kept).look("it says `split`, and which members are on which side");
    for host in &lost {
        let dump = format!("mysqldump --opt --single-transaction -u root -p pf | gzip > /root/split-{host}.sql.gz");
        let step = book.step(
            "5.3",
            format!("Keep what {host} was given, in a form that can be read"),
            std::slice::from_ref(host),
        );
        step.run_here(&dump)
            .here(std::slice::from_ref(host), Fact::File(format!("/root/split-{host}.sql.gz")), "yes")
            .warn("it is for comparison later; if the database no longer answers, go on without");
    }
    // All of the side stop before one of them joins: else two of it could come up as a component of their own.
    book.step("5.3, 5.5", "Stop the databases of the side that goes", &lost).stop_database();
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
    book.before(format!("the data of {keeper} are kept; those of {} go aside: this is the last resort", and(&rest)));
    book.before("`pfcluster runbook elect-master` keeps everybody's data, and is to be tried before");
    book.without_autofix(&all);
    book.step("5.4, 5.5", "Stop the databases", &all).stop_waiting_database();
    evidence(
        book,
        &all,
        &keeper,
        &format!("--force {keeper}"),
        "it says what is lost if this member begins, and you accept that",
    )?;
    begin(book, &keeper, "5.4");
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
    let step = book.step("8.5.2", "See who holds the connections", &database);
    step.run("ss -tnp '( sport = :3306 or dport = :3306 )'")
        .sql(
            "mysql -u root -p",
            &[
                "select * from information_schema.processlist;",
                "select * from information_schema.processlist where Command!='Sleep';",
            ],
        )
        .mend("netstat -anlp | grep 3306", "newer systems have no netstat")
        .look("you know which program holds most connections: the limit is high, so something is wrong with it");
    let step = book.step("8.5.1", "Raise the limit where it runs", &database);
    step.sql("mysql -u root -p", &["SET GLOBAL max_connections = 2000;"])
        .warn("one more connection is kept for root; if that is refused as well, go on: the limit comes with the next start")
        .verify(Check::FreeConnections { members: database.clone() })
        .back_by("the next start of each database takes the limit of pf.conf")
        .mend(
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
        .warn("one after the other, each until it is synced: nobody's data go")
        .warn(
            "only if none of them comes up: `pfcluster runbook elect-master`, then `pfcluster runbook full-recovery`",
        );
}
