//! What is pushed and pulled, in which order.

use std::net::Ipv4Addr;

use super::{Call, Store, SyncPath, UPSTREAM_DATABASE, fixed_files, stores};
use crate::cluster::Hostname;
use crate::version::PfVersion;

/// Where the version of the configuration is kept, below the install directory.
pub fn version_file(version: PfVersion) -> &'static str {
    if version >= PfVersion::new(12, 0) { "var/conf/config_version" } else { "var/config_version" }
}

/// What is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole configuration, with its version.
    Everything {
        /// fingerbank's large database as well.
        with_upstream_database: bool,
    },
    /// One store; no version.
    Store(Store),
    /// One file; no version.
    File(SyncPath),
}

impl Scope {
    /// True if the members have one configuration afterwards, so that they get its version.
    pub fn has_version(&self) -> bool {
        matches!(self, Scope::Everything { .. })
    }
}

/// A file that members are to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// The file.
    pub path: SyncPath,
    /// The cached form to be marked stale, for a store.
    pub namespace: Option<&'static str>,
    /// The user named it: that it is not there is a failure, not a file that this cluster does not use.
    pub is_asked_for: bool,
}

impl Item {
    fn of(path: SyncPath, is_asked_for: bool) -> Item {
        Item { path, namespace: None, is_asked_for }
    }

    fn of_store(store: Store, is_asked_for: bool) -> Item {
        Item { path: store.path, namespace: store.namespace, is_asked_for }
    }

    /// What a member is asked so that it fetches the file from `me`, whose management address is `address`.
    pub fn calls(&self, me: &Hostname, address: Ipv4Addr) -> Vec<Call> {
        match self.namespace {
            Some(namespace) => vec![Call::expire(namespace, true), Call::fetch_from_member(&self.path, me)],
            None => vec![Call::fetch_from(&self.path, address)],
        }
    }
}

/// What a push consists of, in PacketFence's order: stores, fixed files, the list's, fingerbank's large database.
pub fn push_items(scope: &Scope, listed: &[SyncPath], version: PfVersion) -> Vec<Item> {
    let with_upstream_database = match scope {
        Scope::Store(store) => return vec![Item::of_store(store.clone(), true)],
        Scope::File(path) => return vec![Item::of(path.clone(), true)],
        Scope::Everything { with_upstream_database } => *with_upstream_database,
    };
    let stores = stores(version).into_iter().filter(|store| store.namespace.is_some());
    let mut items: Vec<Item> = stores.map(|store| Item::of_store(store, false)).collect();
    items.extend(fixed_files(version).into_iter().map(|path| Item::of(path, false)));
    items.extend(listed.iter().map(|path| Item::of(path.clone(), true)));
    if with_upstream_database {
        items.extend(UPSTREAM_DATABASE.parse().map(|path| Item::of(path, true)));
    }
    each_once(items, |item| &item.path)
}

/// What a pull asks for, in PacketFence's order: fixed files, the list's, stores. The version comes last, by itself.
pub fn pull_paths(listed: &[SyncPath], version: PfVersion) -> Vec<SyncPath> {
    let stores = stores(version).into_iter().map(|store| store.path);
    let all = fixed_files(version).into_iter().chain(listed.iter().cloned()).chain(stores);
    each_once(all.collect(), |path| path)
}

/// Without what comes again: the list may name what is synchronised anyway, and fingerbank.conf is both a store and a file.
fn each_once<T: Clone>(all: Vec<T>, path: impl Fn(&T) -> &SyncPath) -> Vec<T> {
    let mut seen: Vec<SyncPath> = Vec::new();
    let mut kept = all;
    kept.retain(|item| {
        let is_new = !seen.contains(path(item));
        if is_new {
            seen.push(path(item).clone());
        }
        is_new
    });
    kept
}
