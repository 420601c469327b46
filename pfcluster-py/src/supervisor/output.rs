//! The documents of what a supervisor wants done.

use pfcluster_cli::documents::evidence::RecordsDocument;
use pfcluster_core::form::WithText;
use pfcluster_core::supervisor::{self as core, Start, Step};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::hex;
use crate::document::value;

pub(super) fn output_document(py: Python<'_>, output: &core::Output) -> PyResult<Value> {
    Ok(match output {
        core::Output::Look { number, recover } => json!({ "kind": "look", "number": number, "recover": recover }),
        core::Output::Ask { number, hosts } => json!({ "kind": "ask", "number": number, "hosts": hosts }),
        core::Output::Send { to, bytes } => {
            json!({ "kind": "send", "to": to, "bytes": hex(&PyBytes::new(py, bytes))? })
        }
        core::Output::Act { part, steps } => {
            let steps = steps.iter().map(step).collect::<Vec<_>>();
            json!({ "kind": "act", "part": part, "text": part.to_string(), "steps": steps })
        }
        core::Output::Record(records) => json!({ "kind": "record", "records": RecordsDocument::new(records) }),
        core::Output::Pin(pinned) => {
            json!({ "kind": "pin", "pinned": pinned })
        }
        core::Output::Sync => json!({ "kind": "sync" }),
        core::Output::Tell(event) => value(&Told { kind: "tell", event: WithText(event) })?,
        core::Output::End => json!({ "kind": "end" }),
    })
}

fn step(step: &Step) -> Value {
    match step {
        Step::Record(records) => json!({ "kind": "record", "records": RecordsDocument::new(records) }),
        Step::SetViewAside => json!({ "kind": "set_view_aside" }),
        Step::SetStateAside => json!({ "kind": "set_state_aside" }),
        Step::SetDataAside => json!({ "kind": "set_data_aside" }),
        Step::AllowBootstrap => json!({ "kind": "allow_bootstrap" }),
        Step::ForbidBootstrap => json!({ "kind": "forbid_bootstrap" }),
        Step::ClearSeqno => json!({ "kind": "clear_seqno" }),
        Step::WriteUuid(uuid) => json!({ "kind": "write_uuid", "uuid": uuid }),
        Step::Start { how, position } => {
            let how = match how {
                Start::Normal => "normal",
                Start::NewCluster => "new_cluster",
                Start::Alone => "alone",
            };
            json!({ "kind": "start", "how": how, "position": position })
        }
        Step::Promote => json!({ "kind": "promote" }),
        Step::Stop { kill_after } => {
            json!({ "kind": "stop", "kill_after": kill_after.map(|after| after.as_secs()) })
        }
        Step::End { kill_after } => json!({ "kind": "end", "kill_after": kill_after.as_secs() }),
    }
}

/// An event as an output.
#[derive(Serialize)]
struct Told<'e> {
    kind: &'static str,
    #[serde(flatten)]
    event: WithText<&'e core::Event>,
}
