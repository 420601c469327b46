//! galera-autofix, beside pf-mariadb: waits whether the database comes by itself, then rejoins whoever serves, or has the highest begin.

use std::time::Duration;

use super::{Doing, MINUTE, Other, seconds};
use pfcluster_core::cluster::Hostname;

/// A decision each minute.
const AUTOFIX_LOOP: Duration = seconds(60);
/// It looks so often, so far apart, whether the own database comes by itself.
pub(super) const TRIES: u32 = 10;
const TRY: Duration = seconds(30);

impl Other {
    /// True if pf-mariadb has to keep still.
    pub(super) fn autofix(&mut self) -> bool {
        if self.is_primary() {
            self.doing = Doing::Watching;
            self.next_round = self.next_round.max(self.now + AUTOFIX_LOOP);
            return true;
        }
        match self.doing.clone() {
            Doing::Watching if self.next_round <= self.now => {
                self.next_round = self.now + TRY;
                self.doing = Doing::Tries { left: TRIES, peer: None };
                self.ask(self.peers());
            }
            Doing::Tries { left: 0, peer: Some(peer) } if self.next_round <= self.now => {
                self.doing = Doing::CoolsDown(peer);
                self.next_round = self.now + MINUTE;
            }
            Doing::Tries { left: 0, peer: None } if self.next_round <= self.now => {
                let all_ping = self.pings.len() == self.hosts.len();
                self.doing = if all_ping { Doing::Listens } else { Doing::Watching };
                self.reports.clear();
                self.next_round = self.now + MINUTE;
            }
            Doing::Tries { left, peer } if self.next_round <= self.now => {
                self.next_round = self.now + TRY;
                self.doing = Doing::Tries { left: left - 1, peer };
            }
            Doing::CoolsDown(peer) if self.next_round <= self.now => self.rejoin(peer),
            Doing::Listens if self.reports.len() == self.hosts.len() => self.elect(),
            Doing::Listens if self.next_round <= self.now => {
                self.doing = Doing::Watching;
                self.next_round = self.now + AUTOFIX_LOOP;
            }
            Doing::Rejoins { whom, .. } => self.ask(vec![whom]),
            Doing::Begins if self.is_stopped() => {
                self.doing = Doing::Watching;
                self.bootstrap();
            }
            _ => {}
        }
        self.is_acting || matches!(self.doing, Doing::Rejoins { .. } | Doing::Begins)
    }

    /// The strictly greatest number; of equals the first in cluster.conf.
    fn elect(&mut self) {
        let best = self.reports.iter().max_by_key(|(place, (number, _))| (*number, std::cmp::Reverse(**place)));
        let Some((&best, &(number, _))) = best else { return };
        self.next_round = self.now + AUTOFIX_LOOP;
        if number == -1 {
            self.doing = Doing::Watching;
        } else if best == self.place() {
            self.doing = Doing::Begins;
            self.stop();
        } else {
            self.rejoin(self.hosts[best].clone());
        }
    }

    fn rejoin(&mut self, whom: Hostname) {
        self.doing = Doing::Rejoins { whom, until: self.now + MINUTE };
        self.next_round = self.now + AUTOFIX_LOOP;
        self.stop();
    }
}
