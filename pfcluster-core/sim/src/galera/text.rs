//! A cluster for people: what each member does, and what is on its disk.

use std::fmt;

use super::{Cluster, Data, Set};

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, member) in self.members.iter().enumerate() {
            let disk = &member.disk;
            let run = match self.run(place) {
                Some(run) if run.primary => {
                    format!("primary {} {:?}", run.view.map_or(Set::NOBODY, |v| v.members), run.state)
                }
                Some(run) if run.open => "non-primary".to_owned(),
                Some(_) => "starting".to_owned(),
                None if member.powered => "stopped".to_owned(),
                None => "no power".to_owned(),
            };
            let log = match &disk.data {
                Data::Rows(rows) => rows
                    .log
                    .iter()
                    .map(|event| format!("{}{}", if self.acknowledged.contains(event) { "c" } else { "v" }, event.0))
                    .collect::<Vec<_>>()
                    .join(" "),
                other => format!("{other:?}"),
            };
            let grastate = disk
                .grastate
                .read()
                .map_or("torn/absent".to_owned(), |g| format!("{}:{} flag {}", g.history.0, g.seqno, u8::from(g.flag)));
            let view = match &disk.gvwstate {
                super::File::Whole(view) => format!("#{} {}", view.name, view.members),
                other => format!("{other:?}"),
            };
            let record =
                disk.records.view.map_or("none".to_owned(), |r| format!("#{} floor {}", r.view.name, r.at.seqno));
            let forks: Vec<String> =
                disk.records.forks.iter().map(|fork| format!("{} at {}", fork.id, fork.at.seqno)).collect();
            writeln!(
                f,
                "      pf{} side {} {run}; {} [{log}]; grastate {grastate}; gvwstate {view}{}; view record {record}; last {}; forks {forks:?}",
                place + 1,
                member.side,
                self.seqno(place),
                if disk.marker { "; marker" } else { "" },
                disk.records.last_recorded.map_or(-1, |at| at.seqno),
            )?;
        }
        Ok(())
    }
}
