//! Galera's primary component, member by member, as `gcomm/src/pc_proto.cpp` has it: each keeps its own books, and they
//! exchange them at each view. Nothing here knows of a primary component as such.

use super::{Change, Set, members};

/// One process.
#[derive(Clone, Debug)]
struct Node {
    prim: bool,
    /// The last primary view that it was in, while it is primary (`pc_view_`).
    pc_view: Set,
    /// The number of the last primary view of each member that it knows of (`instances_`), from 1.
    last_prim: Vec<Option<u32>>,
}

/// All processes, and the network.
#[derive(Clone, Debug)]
pub(super) struct Galera {
    weights: Vec<Option<u8>>,
    nodes: Vec<Node>,
    views: Vec<Set>,
    /// Primary views are numbered as they come.
    last_view: u32,
}

impl Galera {
    /// All are up, and primary.
    pub(super) fn healthy(weights: &[Option<u8>]) -> Galera {
        let everybody = super::all(weights.len());
        let node = Node { prim: true, pc_view: everybody, last_prim: vec![Some(1); weights.len()] };
        Galera { weights: weights.to_vec(), nodes: vec![node; weights.len()], views: vec![everybody], last_view: 1 }
    }

    /// The groups with whether they are primary.
    pub(super) fn groups(&self) -> Vec<(Set, bool)> {
        let is_prim = |view: Set| {
            let prims = members(view).filter(|&number| self.nodes[number].prim).count();
            assert!(prims == 0 || prims == members(view).count(), "members of one view agree");
            prims > 0
        };
        let mut groups: Vec<(Set, bool)> = self.views.iter().map(|&view| (view, is_prim(view))).collect();
        groups.sort_by_key(|(view, _)| view.trailing_zeros());
        groups
    }

    pub(super) fn apply(&mut self, change: &Change) {
        let old = std::mem::replace(&mut self.views, change.groups.clone());
        for &view in change.groups.iter().filter(|view| !old.contains(view)) {
            for &from in &old {
                self.handle_trans(from & view, from & change.left);
            }
            self.handle_reg(view);
        }
    }

    /// The transitional view: those who come from one view to the next together, and those who left it gracefully.
    fn handle_trans(&mut self, come: Set, left: Set) {
        for number in members(come) {
            let pc = self.nodes[number].pc_view;
            if self.nodes[number].prim && !self.have_quorum(come, left, pc) {
                self.nodes[number].prim = false;
            }
        }
    }

    fn have_quorum(&self, come: Set, left: Set, pc: Set) -> bool {
        let have_weights = |set: Set| members(set).all(|number| self.weights[number].is_some());
        if have_weights(come) && have_weights(left) && have_weights(pc) {
            let sum = |set: Set| members(set).map(|number| u32::from(self.weights[number].unwrap_or(0))).sum::<u32>();
            sum(come & pc) * 2 + sum(left & pc) > sum(pc)
        } else {
            (come & pc).count_ones() * 2 + (left & pc).count_ones() > pc.count_ones()
        }
    }

    /// The regular view: states are exchanged, and it becomes primary or not.
    fn handle_reg(&mut self, view: Set) {
        let mut prims =
            members(view).filter(|&number| self.nodes[number].prim).map(|number| self.nodes[number].pc_view);
        let prim = prims.next();
        assert!(prims.all(|other| Some(other) == prim), "two primary components met");
        let everybody = 0..self.weights.len();
        // What any of them knows of a member.
        let nodes = &self.nodes;
        let known = |member: usize| members(view).filter_map(move |number| nodes[number].last_prim[member]);
        let greatest = everybody.clone().flat_map(known).max();
        let mut of_greatest = everybody.clone().filter(|&member| known(member).any(|view| Some(view) == greatest));
        if prim.is_some() || of_greatest.all(|member| view >> member & 1 == 1) {
            self.last_view += 1;
            let last_prim: Vec<Option<u32>> =
                everybody.map(|number| (view >> number & 1 == 1).then_some(self.last_view)).collect();
            for number in members(view) {
                self.nodes[number] = Node { prim: true, pc_view: view, last_prim: last_prim.clone() };
            }
        } else {
            let first: Vec<Option<u32>> = everybody.map(|member| known(member).next()).collect();
            for number in members(view) {
                for (member, last_prim) in self.nodes[number].last_prim.iter_mut().enumerate() {
                    *last_prim = last_prim.or(first[member]);
                }
            }
        }
    }
}
