//! What is done to databases by hand: stopped, begun, their data put aside. What is dangerous is written here once.

use super::Draft;
use crate::runbook::check::{Check, Fact};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::and;
use pfcluster_core::galera::bootstrap::{DATA_ASIDE, NO_SERVER, NOT_LAST, START, STOP_WAITING, VIEW_ASIDE};

const DATADIR: &str = "/var/lib/mysql";

impl Draft {
    pub(in crate::runbook) fn stop_database(&mut self) -> &mut Draft {
        let hosts = self.step.on.clone();
        self.run("systemctl stop packetfence-mariadb")
            .back("systemctl start packetfence-mariadb")
            .verify(Check::Stopped { members: hosts })
    }

    /// [`STOP_WAITING`].
    pub(in crate::runbook) fn stop_waiting_database(&mut self) -> &mut Draft {
        let hosts = self.step.on.clone();
        self.run(STOP_WAITING)
            .warn("a database that waits for a missing member may not stop within a minute: it is killed then, and no data are lost")
            .instead_of(
                "systemctl stop packetfence-mariadb (alone)",
                "it waits five minutes (since 14.0 twenty) for a database that itself waits",
            )
            .back("systemctl start packetfence-mariadb")
            .verify(Check::Stopped { members: hosts })
    }

    pub(in crate::runbook) fn start_database(&mut self) -> &mut Draft {
        self.run(START)
    }

    /// Bootstraps the cluster from the one member that runs it, whatever the others have, if the commands `before` have done what they should.
    pub(in crate::runbook) fn force_new_cluster(&mut self, before: &[&str]) -> &mut Draft {
        let environment = "systemctl set-environment MARIADB_ARGS=--force-new-cluster";
        // If the start fails, too, it must not stay set.
        let start = "systemctl start packetfence-mariadb || ! systemctl unset-environment MARIADB_ARGS";
        let (on, end) = (self.step.on.clone(), "systemctl unset-environment MARIADB_ARGS");
        let chain = |last: &[&'static str]| [before, last].concat();
        if self.supervised {
            self.run_chain(&chain(&[environment, start, end]))
                .here(&on, Fact::ForcedStart, "not set")
                .instead_of(
                    "/usr/local/pf/sbin/pf-mariadb --force-new-cluster",
                    "the supervisor obeys it once, refuses while another member is primary, and tells the others at which position the \
                     new cluster started, so that none of them joins with diverged data",
                );
        } else if self.since(10, 0) {
            self.run_chain(&chain(&[environment, start, end]))
                .here(&on, Fact::ForcedStart, "not set")
                .warn(
                    "while MARIADB_ARGS is set, every start of the database bootstraps a cluster of its own (bug B-41)",
                )
                .instead_of(
                    "/usr/local/pf/sbin/pf-mariadb --force-new-cluster",
                    "systemd's own unit does the same without a terminal that has to stay open",
                );
        } else {
            self.run_chain(&chain(&["/usr/local/pf/sbin/pf-mariadb --force-new-cluster"]))
                .warn("it does not return: leave it running, and go on in another terminal");
        }
        self
    }

    /// The commands that start the database, which joins, if those `before` have done what they should. A `--force-new-cluster` that was
    /// left in systemd's environment would count at every start (bug B-41).
    fn joining<'c>(&mut self, before: &[&'c str]) -> Vec<&'c str> {
        let forget: &[&str] =
            if self.supervised || self.since(10, 0) { &["systemctl unset-environment MARIADB_ARGS"] } else { &[] };
        [before, forget, &[START]].concat()
    }

    /// The database starts, and joins, without its old view.
    pub(in crate::runbook) fn join_without_view(&mut self) -> &mut Draft {
        self.join_without_view_if(&[])
    }

    /// As [`Draft::join_without_view`], if the commands `before` have done what they should.
    pub(in crate::runbook) fn join_without_view_if(&mut self, before: &[&str]) -> &mut Draft {
        let not_last = format!("[ ! -e {DATADIR}/grastate.dat ] || {NOT_LAST}");
        // PacketFence's own start bootstraps a cluster where the file says that this member left last (bug B-40).
        let not_last: &[&str] = if !self.supervised && self.since(10, 3) { &[&not_last] } else { &[] };
        let chain = self.joining(&[before, &[VIEW_ASIDE], not_last].concat());
        self.run_chain(&chain).keeps_view()
    }

    /// That the view is moved, not deleted.
    pub(in crate::runbook) fn keeps_view(&mut self) -> &mut Draft {
        self.instead_of(
            "rm /var/lib/mysql/gvwstate.dat",
            "it may still be needed, to find out which view was the last one",
        )
    }

    /// A copy of a file, made once: taken again, the step does not lose it.
    pub(in crate::runbook) fn keep(&mut self, file: &str, copy: &str) -> &mut Draft {
        self.run(format!("[ -e {copy} ] || cp -a {file} {copy}"))
    }

    /// After others have joined, the forced database becomes one like the others.
    pub(in crate::runbook) fn end_force(&mut self, others: &[Hostname]) -> &mut Draft {
        self.end_force_if(&[], others)
    }

    /// As [`Draft::end_force`], if the commands `before` have done what they should.
    pub(in crate::runbook) fn end_force_if(&mut self, before: &[&str], others: &[Hostname]) -> &mut Draft {
        if self.since(10, 0) {
            let restart = ["systemctl unset-environment MARIADB_ARGS", "systemctl restart packetfence-mariadb"];
            self.run_chain(&[before, &restart].concat());
        } else {
            self.do_it("end `pf-mariadb --force-new-cluster` with Ctrl-C, in its terminal")
                .run("pgrep -l -x 'mariadbd|mysqld'")
                .warn("when the last command prints nothing, the database has stopped; that can take minutes")
                .instead_of("ps -edf | grep mysql", "it finds itself, so it never prints nothing")
                .run_chain(&[before, &["systemctl start packetfence-mariadb"]].concat());
        }
        self.warn("a database that was started with --force-new-cluster is not restarted if it fails (bug B-41)").warn(
            format!(
                "wait until {} {} synced: otherwise there is no database during the restart",
                and(others),
                if others.len() == 1 { "is" } else { "are" }
            ),
        )
    }

    /// The data directory goes aside, whole, an empty one takes its place, and only then the database starts, and joins: with its old
    /// data it could join without a state transfer.
    pub(in crate::runbook) fn join_without_data(&mut self) -> &mut Draft {
        let (mounted, is_not) = (format!("mountpoint -q {DATADIR}"), format!("! mountpoint -q {DATADIR}"));
        let empty = format!("mkdir -m 700 /NEWDISK/mysql.aside && mv -t /NEWDISK/mysql.aside {DATADIR}/*");
        let chain = self.joining(&[&is_not, NO_SERVER, DATA_ASIDE]);
        let for_mount = self.joining(&[&mounted, NO_SERVER, &empty]);
        self.run_chain(&chain)
            .run_chain_only("if /var/lib/mysql is a mount point; /NEWDISK: a directory on another disk", &for_mount)
            .run(format!("ls -ld {DATADIR}*"))
            .warn("it starts nothing on another host, nor while a database runs, nor if the data could not be moved")
            .instead_of(
                "rm -fr /var/lib/mysql/*",
                "it deletes at once, on any host, also under a server that still runs; data that were moved can be restored",
            )
            .back("systemctl stop packetfence-mariadb")
            .back_by(format!("move {DATADIR} to another name, and {DATADIR}.aside-TIME, as `ls` shows it, to {DATADIR}"))
    }
}
