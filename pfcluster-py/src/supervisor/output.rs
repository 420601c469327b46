//! The documents of what a supervisor wants done.

use std::collections::BTreeMap;

use pfcluster_cli::report::evidence::records_text;
use pfcluster_cli::report::supervisor as report;
use pfcluster_core::galera::Position;
use pfcluster_core::supervisor::{self as core, Start, Step};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Map, Value, json};

use super::hex;
use crate::document::parsed;

pub(super) fn output_document(py: Python<'_>, output: &core::Output) -> PyResult<Value> {
    Ok(match output {
        core::Output::Look { number, recover } => json!({ "kind": "look", "number": number, "recover": recover }),
        core::Output::Ask { number, hosts } => json!({ "kind": "ask", "number": number, "hosts": hosts }),
        core::Output::Send { to, bytes } => {
            json!({ "kind": "send", "to": to, "bytes": hex(&PyBytes::new(py, bytes))? })
        }
        core::Output::Act { part, steps } => {
            let steps = steps.iter().map(step).collect::<PyResult<Vec<_>>>()?;
            json!({ "kind": "act", "part": part, "text": part.to_string(), "steps": steps })
        }
        core::Output::Record(records) => json!({ "kind": "record", "records": parsed(&records_text(records))? }),
        core::Output::Pin(pinned) => {
            let pinned: BTreeMap<String, String> =
                pinned.iter().map(|(host, key)| (host.to_string(), key.to_string())).collect();
            json!({ "kind": "pin", "pinned": pinned })
        }
        core::Output::Sync => json!({ "kind": "sync" }),
        core::Output::Tell(event) => {
            let mut document = Map::from_iter([("kind".to_owned(), "tell".into())]);
            document.extend(report::event_document(event));
            document.into()
        }
        core::Output::End => json!({ "kind": "end" }),
        other => unreachable!("{other:?} is new"),
    })
}

fn step(step: &Step) -> PyResult<Value> {
    Ok(match step {
        Step::Record(records) => json!({ "kind": "record", "records": parsed(&records_text(records))? }),
        Step::SetViewAside => json!({ "kind": "set_view_aside" }),
        Step::SetStateAside => json!({ "kind": "set_state_aside" }),
        Step::SetDataAside => json!({ "kind": "set_data_aside" }),
        Step::AllowBootstrap => json!({ "kind": "allow_bootstrap" }),
        Step::ForbidBootstrap => json!({ "kind": "forbid_bootstrap" }),
        Step::ClearSeqno => json!({ "kind": "clear_seqno" }),
        Step::WriteUuid(uuid) => json!({ "kind": "write_uuid", "uuid": uuid.to_string() }),
        Step::Start { how, position } => {
            let how = match how {
                Start::Normal => "normal",
                Start::NewCluster => "new_cluster",
                Start::Alone => "alone",
            };
            json!({ "kind": "start", "how": how, "position": position.map(position_document) })
        }
        Step::Promote => json!({ "kind": "promote" }),
        Step::Stop { kill_after } => {
            json!({ "kind": "stop", "kill_after": kill_after.map(|after| after.as_secs()) })
        }
        Step::End { kill_after } => json!({ "kind": "end", "kill_after": kill_after.as_secs() }),
        other => unreachable!("{other:?} is new"),
    })
}

fn position_document(position: Position) -> Value {
    json!({ "uuid": position.uuid().to_string(), "seqno": position.seqno() })
}
