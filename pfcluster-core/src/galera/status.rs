//! `SHOW GLOBAL STATUS LIKE 'wsrep%'`: what a running server says.

use super::{ClusterStatus, LocalState, Running, Uuid};
use crate::cluster::Hostname;
use crate::printable::quoted;

/// The status of a server with Galera. What a server of another version does not say is `None`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WsrepStatus {
    /// `wsrep_cluster_state_uuid`: the history.
    pub uuid: Uuid,
    /// `wsrep_cluster_status`.
    pub status: ClusterStatus,
    /// `wsrep_local_state`.
    pub state: LocalState,
    /// `wsrep_cluster_size`.
    pub size: u32,
    /// `wsrep_last_committed`; -1 if it has none.
    pub last_committed: i64,
    /// `wsrep_incoming_addresses`, without the empty ones (an arbitrator has none).
    pub addresses: Vec<Box<str>>,
    /// `wsrep_ready`: it takes queries.
    pub ready: Option<bool>,
    /// `wsrep_connected`: it reaches other members, or could.
    pub connected: Option<bool>,
    /// `wsrep_cluster_conf_id`: the number of the view; `None` outside a primary component.
    pub conf_id: Option<u64>,
    /// `wsrep_evs_state`: the state of the group communication, such as `OPERATIONAL`.
    pub evs_state: Option<Box<str>>,
    /// `wsrep_cluster_weight`: the votes of the component.
    pub weight: Option<u32>,
    /// `wsrep_gcomm_uuid`: the node's name in views.
    pub node: Option<Uuid>,
    /// `wsrep_local_recv_queue`: how much was received and not yet applied.
    pub receive_queue: Option<u64>,
    /// `wsrep_flow_control_paused`: how much of the time since the last `FLUSH STATUS` replication stood still, 0 to 1.
    pub flow_control_paused: Option<f64>,
}

/// Why a status can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The server runs without Galera: no provider is loaded.
    #[error("the server runs without Galera")]
    NotGalera,
    /// Galera is there, but does not say this.
    #[error("the server does not say `{0}`")]
    Missing(&'static str),
    /// A value that Galera does not have.
    #[error("`{name}` is `{value}`")]
    Value {
        /// The name.
        name: &'static str,
        /// The value.
        value: Box<str>,
    },
}

impl WsrepStatus {
    /// Reads names and values.
    ///
    /// # Errors
    /// [`StatusError`] if the server runs without Galera, or says what can't be.
    pub fn from_rows<'r>(rows: impl IntoIterator<Item = (&'r str, &'r str)>) -> Result<WsrepStatus, StatusError> {
        let rows = Rows(rows.into_iter().collect());
        // Without a provider a server says `Disconnected` and 0 members, but has neither a state nor a provider's name.
        if rows.value("wsrep_local_state").is_none() && rows.value("wsrep_provider_name").is_none() {
            return Err(StatusError::NotGalera);
        }
        Ok(WsrepStatus {
            uuid: rows.required("wsrep_cluster_state_uuid", |text| text.parse().ok())?,
            status: rows.required("wsrep_cluster_status", cluster_status)?,
            state: rows.required("wsrep_local_state", local_state)?,
            size: rows.required("wsrep_cluster_size", |text| text.parse().ok())?,
            last_committed: rows.required("wsrep_last_committed", last_committed)?,
            addresses: addresses(rows.value("wsrep_incoming_addresses").unwrap_or_default()),
            ready: rows.optional("wsrep_ready", on_or_off)?,
            connected: rows.optional("wsrep_connected", on_or_off)?,
            conf_id: rows.optional("wsrep_cluster_conf_id", |text| text.parse().ok())?.filter(|id| *id != u64::MAX),
            evs_state: rows.value("wsrep_evs_state").map(Into::into),
            weight: rows.optional("wsrep_cluster_weight", |text| text.parse().ok())?,
            node: rows.optional("wsrep_gcomm_uuid", |text| text.parse().ok())?,
            receive_queue: rows.optional("wsrep_local_recv_queue", |text| text.parse().ok())?,
            flow_control_paused: rows.optional("wsrep_flow_control_paused", |text| text.parse().ok())?,
        })
    }

    /// What the election needs of it. `resolve` finds the member of cluster.conf that has a name or an address; it gets
    /// them without port and brackets.
    pub fn running(&self, resolve: impl Fn(&str) -> Option<Hostname>) -> Running {
        let mut running = Running {
            uuid: self.uuid,
            status: self.status,
            state: self.state,
            size: self.size,
            last_committed: self.last_committed,
            sees: Vec::new(),
            sees_others: Vec::new(),
        };
        for address in &self.addresses {
            match resolve(without_port(address)) {
                Some(host) => running.sees.push(host),
                None => running.sees_others.push(address.clone()),
            }
        }
        running
    }
}

impl Running {
    /// What a running server says of itself, from the rows of its status; `resolve` as in [`WsrepStatus::running`].
    ///
    /// # Errors
    /// As [`WsrepStatus::from_rows`].
    pub fn from_status<'r>(
        rows: impl IntoIterator<Item = (&'r str, &'r str)>,
        resolve: impl Fn(&str) -> Option<Hostname>,
    ) -> Result<Running, StatusError> {
        Ok(WsrepStatus::from_rows(rows)?.running(resolve))
    }
}

struct Rows<'r>(Vec<(&'r str, &'r str)>);

impl<'r> Rows<'r> {
    /// The value, if there is one.
    fn value(&self, name: &str) -> Option<&'r str> {
        let row = self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        row.map(|(_, value)| value.trim_ascii()).filter(|value| !value.is_empty())
    }

    fn required<T>(&self, name: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<T, StatusError> {
        self.optional(name, read)?.ok_or(StatusError::Missing(name))
    }

    fn optional<T>(&self, name: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, StatusError> {
        let Some(text) = self.value(name) else { return Ok(None) };
        let value = read(text).ok_or_else(|| StatusError::Value { name, value: quoted(text.as_bytes()).into() })?;
        Ok(Some(value))
    }
}

fn cluster_status(text: &str) -> Option<ClusterStatus> {
    // Galera writes `non-Primary`, documentation `Non-Primary`.
    let known = [
        ("primary", ClusterStatus::Primary),
        ("non-primary", ClusterStatus::NonPrimary),
        ("disconnected", ClusterStatus::Disconnected),
    ];
    known.into_iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, status)| status)
}

fn local_state(text: &str) -> Option<LocalState> {
    Some(match text {
        "0" => LocalState::Initialized,
        "1" => LocalState::Joining,
        "2" => LocalState::Donor,
        "3" => LocalState::Joined,
        "4" => LocalState::Synced,
        "5" => LocalState::Inconsistent,
        _ => return None,
    })
}

/// A server without a position says -1, or the same as an unsigned number.
fn last_committed(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(number) => Some(number).filter(|number| *number >= -1),
        Err(_) => text.parse::<u64>().ok().filter(|number| *number == u64::MAX).map(|_| -1),
    }
}

fn on_or_off(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("on") => Some(true),
        _ if text.eq_ignore_ascii_case("off") => Some(false),
        _ => None,
    }
}

fn addresses(text: &str) -> Vec<Box<str>> {
    text.split(',').map(str::trim_ascii).filter(|address| !address.is_empty()).map(Into::into).collect()
}

/// `192.168.1.5` of `192.168.1.5:3306`, `fd00::5` of `[fd00::5]:3306` and of `fd00::5`.
fn without_port(address: &str) -> &str {
    if let Some((inside, _)) = address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside;
    }
    match address.split_once(':') {
        Some((host, port)) if !port.contains(':') => host,
        _ => address,
    }
}
