//! What is done to databases by hand: stopped, begun, their data put aside. What is dangerous is written here once.

use super::Draft;
use crate::cluster::Hostname;
use crate::decision::and;
use crate::galera::bootstrap::{DATA_ASIDE, STOP_WAITING};
use crate::runbook::check::{Check, Fact};

const DATADIR: &str = "/var/lib/mysql";

impl Draft {
    pub(in crate::runbook) fn stop_database(&mut self) -> &mut Draft {
        let hosts = self.step.on.clone();
        match &hosts[..] {
            [_] => self.run_here("systemctl stop packetfence-mariadb"),
            _ => self.run("systemctl stop packetfence-mariadb"),
        };
        self.back("systemctl start packetfence-mariadb").verify(Check::Stopped { members: hosts })
    }

    /// [`STOP_WAITING`].
    pub(in crate::runbook) fn stop_waiting_database(&mut self) -> &mut Draft {
        let hosts = self.step.on.clone();
        self.run(STOP_WAITING)
            .warn("one that waits for a missing member does not end when it is told to: after a minute it is killed, which data survive")
            .mend(
                "systemctl stop packetfence-mariadb (alone)",
                "it waits for a database that waits: five minutes, since 14.0 twenty",
            )
            .back("systemctl start packetfence-mariadb")
            .verify(Check::Stopped { members: hosts })
    }

    pub(in crate::runbook) fn start_database(&mut self) -> &mut Draft {
        self.run("systemctl start packetfence-mariadb")
    }

    /// Lets this one member begin, whatever the others hold.
    pub(in crate::runbook) fn force_new_cluster(&mut self) -> &mut Draft {
        let environment = "systemctl set-environment MARIADB_ARGS=--force-new-cluster";
        let (start, end) = ("systemctl start packetfence-mariadb", "systemctl unset-environment MARIADB_ARGS");
        let host = self.only_host().clone();
        if self.supervised {
            self.run_here(&format!("{environment} && {start}"))
                .run(end)
                .here(std::slice::from_ref(&host), Fact::ForcedStart, "not set")
                .mend(
                    "/usr/local/pf/sbin/pf-mariadb --force-new-cluster",
                    "the supervisor obeys it once, refuses while another member serves, and tells the others where history \
                     went on, so that none of them slips in with data of its own",
                );
        } else if self.since(10, 0) {
            self.run_here(&format!("{environment} && {start}"))
                .run(end)
                .here(std::slice::from_ref(&host), Fact::ForcedStart, "not set")
                .warn(
                    "if `unset-environment` is forgotten, every later start of the database begins a cluster of its own (bug B-41)",
                )
                .mend(
                    "/usr/local/pf/sbin/pf-mariadb --force-new-cluster",
                    "systemd's own unit does the same without a terminal that has to stay open",
                );
        } else {
            self.run_here("/usr/local/pf/sbin/pf-mariadb --force-new-cluster")
                .warn("it does not return: leave it running, and go on in another terminal");
        }
        self
    }

    /// Whoever joins must not begin: a force that was left in systemd's environment counts at every start (bug B-41).
    pub(in crate::runbook) fn forget_force(&mut self) -> &mut Draft {
        if self.supervised || self.since(10, 0) {
            self.run("systemctl unset-environment MARIADB_ARGS");
        }
        self
    }

    /// A copy of a file, made once: taken again, the step does not lose it.
    pub(in crate::runbook) fn keep(&mut self, file: &str, copy: &str) -> &mut Draft {
        self.run(format!("[ -e {copy} ] || cp -a {file} {copy}"))
    }

    /// After others have joined, the forced database becomes one like the others.
    pub(in crate::runbook) fn end_force(&mut self, others: &[Hostname]) -> &mut Draft {
        if self.since(10, 0) {
            self.run_here("systemctl restart packetfence-mariadb");
        } else {
            self.do_it("end `pf-mariadb --force-new-cluster` with Ctrl-C, in its terminal")
                .run("pgrep -l -x 'mariadbd|mysqld'")
                .warn("when the last command prints nothing, the database has ended; that can take minutes")
                .mend("ps -edf | grep mysql", "it finds itself, so it never prints nothing")
                .run_here("systemctl start packetfence-mariadb");
        }
        self.warn("a forced database is not watched: if it dies, nobody starts it again (bug B-41)").warn(format!(
            "not before {} {} synced: else there is no database meanwhile",
            and(others),
            if others.len() == 1 { "is" } else { "are" }
        ))
    }

    /// The data directory goes aside, whole, and an empty one takes its place.
    pub(in crate::runbook) fn set_data_aside(&mut self) -> &mut Draft {
        self.run_here(DATA_ASIDE)
            .run(format!("ls -ld {DATADIR}*"))
            .warn(format!(
                "it does nothing on another host, nor while a database runs; if {DATADIR} is a mount point, move its contents \
                 to a new directory on another disk instead"
            ))
            .mend(
                "rm -fr /var/lib/mysql/*",
                "it deletes at once, on whatever host the terminal is, also under a server that still runs; moved aside, the \
                 data can come back",
            )
            .back("systemctl stop packetfence-mariadb")
            .back_by(format!("move {DATADIR} to another name, and {DATADIR}.aside-TIME, as `ls` shows it, to {DATADIR}"))
    }

    /// An old view could come up as a cluster of its own.
    pub(in crate::runbook) fn set_view_aside(&mut self) -> &mut Draft {
        let (view, aside) = (format!("{DATADIR}/gvwstate.dat"), format!("{DATADIR}/gvwstate.dat.aside"));
        self.run_here(&format!("{{ [ ! -e {view} ] || mv --backup=numbered {view} {aside}; }}"))
            .mend("rm /var/lib/mysql/gvwstate.dat", "who knows which view was the last one can still need it")
    }
}
