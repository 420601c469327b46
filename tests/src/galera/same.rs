//! Clusters that differ only in names are the same: a search meets each once.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cluster, Data, Event, File, HistoryId, Member, Process, View};

/// How much of what all members have in common stays: more than a power cut can cost.
const KEPT: usize = 3;

/// The same cluster with events, views and histories named in the order in which they are found, and without the
/// beginning that all members have in common.
#[must_use]
pub fn plain(mut cluster: Cluster) -> Cluster {
    drop_beginning(&mut cluster);
    let mut events = Names::default();
    let mut views = Names::default();
    let mut histories = Names::default();
    for member in &mut cluster.members {
        each_view(member, |view| view.name = views.of(view.name));
        each_history(member, |history| {
            if *history != HistoryId::ZERO {
                history.0 = histories.of(history.0);
            }
        });
        if let Data::Rows(rows) | Data::NoHistory(rows) = &mut member.disk.data {
            rows.log.iter_mut().chain(&mut rows.alone).for_each(|event| event.0 = events.of(event.0));
        }
    }
    let rename = |set: &BTreeSet<Event>| -> BTreeSet<Event> {
        set.iter().filter_map(|event| events.0.get(&event.0).map(|name| Event(*name))).collect()
    };
    cluster.acknowledged = rename(&cluster.acknowledged);
    cluster.given_up = rename(&cluster.given_up);
    (cluster.next_event, cluster.next_view, cluster.next_history) = (events.last(), views.last(), histories.last() + 1);
    cluster
}

fn drop_beginning(cluster: &mut Cluster) {
    let logs: Vec<&Vec<Event>> =
        cluster.members.iter().filter_map(|member| Some(&member.disk.data.rows()?.log)).collect();
    let Some(first) = logs.first() else { return };
    let is_common = |at: usize| logs.iter().all(|log| log.get(at) == first.get(at));
    let common = (0..first.len()).take_while(|&at| is_common(at)).count();
    let mut lowest = i32::MAX;
    let mut histories = BTreeSet::new();
    for member in &mut cluster.members {
        each_seqno(member, |seqno| lowest = if *seqno < 0 { lowest } else { lowest.min(*seqno) });
        each_history(member, |history| {
            histories.insert(*history);
        });
    }
    histories.remove(&HistoryId::ZERO);
    let lowest = usize::try_from(lowest).unwrap_or_default();
    let drop = common.min(lowest).saturating_sub(KEPT);
    if drop == 0 || histories.len() > 1 {
        return;
    }
    let by = i32::try_from(drop).expect("a model's history is short");
    for member in &mut cluster.members {
        each_seqno(member, |seqno| *seqno -= if *seqno < 0 { 0 } else { by });
        if let Data::Rows(rows) = &mut member.disk.data {
            rows.log.drain(..drop);
        }
    }
}

#[derive(Default)]
struct Names(BTreeMap<u16, u16>);

impl Names {
    fn of(&mut self, name: u16) -> u16 {
        let next = self.last() + 1;
        *self.0.entry(name).or_insert(next)
    }

    fn last(&self) -> u16 {
        u16::try_from(self.0.len()).expect("few names")
    }
}

fn each_view(member: &mut Member, mut change: impl FnMut(&mut View)) {
    if let Process::Running(run) = &mut member.process {
        run.view.iter_mut().for_each(&mut change);
    }
    if let File::Whole(view) = &mut member.disk.gvwstate {
        change(view);
    }
    member.disk.records.view.iter_mut().for_each(|record| change(&mut record.view));
}

fn each_history(member: &mut Member, mut change: impl FnMut(&mut HistoryId)) {
    let disk = &mut member.disk;
    if let Data::Rows(rows) = &mut disk.data {
        change(&mut rows.history);
    }
    if let File::Whole(grastate) = &mut disk.grastate {
        change(&mut grastate.history);
    }
    let records = &mut disk.records;
    records.last_recorded.iter_mut().for_each(|at| change(&mut at.history));
    records.view.iter_mut().for_each(|record| change(&mut record.at.history));
    records.forks.iter_mut().for_each(|fork| change(&mut fork.at.history));
}

fn each_seqno(member: &mut Member, mut change: impl FnMut(&mut i32)) {
    let disk = &mut member.disk;
    if let File::Whole(grastate) = &mut disk.grastate {
        change(&mut grastate.seqno);
    }
    if let Process::Running(run) = &mut member.process {
        change(&mut run.view_seqno);
    }
    let records = &mut disk.records;
    records.last_recorded.iter_mut().for_each(|at| change(&mut at.seqno));
    records.view.iter_mut().for_each(|record| change(&mut record.at.seqno));
    records.forks.iter_mut().for_each(|fork| change(&mut fork.at.seqno));
}
