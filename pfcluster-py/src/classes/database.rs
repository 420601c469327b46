//! What is known of a member's database, and what supervises it.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::documents;
use crate::document::{Document, attribute};

documents! {
    /// What one member knows of its database (`pfcluster evidence`).
    Evidence("host") {
        /// The member.
        host,
        /// When it was taken, in seconds since 1970 as its own clock had it.
        taken_at,
        /// The boot of the machine by whose clock that is.
        boot_id,
        /// A random token, the same in all evidence that was gathered together.
        gathering,
        /// It is in maintenance.
        maintenance,
        /// It runs Galera's arbitrator.
        arbitrator,
        /// The members that it counts out.
        disabled,
        /// Tells whether it reads the same members from cluster.conf as others do.
        members_hash,
        /// What the running server says; `None` if none answers.
        running,
        /// A process is there that was never in a primary component, and does not answer.
        starting,
        /// A process is there that was started to bootstrap, or without Galera, and does not answer yet.
        bootstrapping,
        /// A process is there that does not respond and may be serving clients.
        not_responding,
        /// What its files say; `None` if they could not be read.
        files,
        /// What a person should know: `message`, `help`.
        notes,
        ;
        /// Reads what `pfcluster evidence` printed: JSON as text or bytes, or a dict.
        #[new]
        fn new(source: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
            Ok(PyClassInitializer::from(crate::galera::one_evidence(source)?).add_subclass(Evidence))
        }
    }
    /// What grastate.dat says.
    Grastate("uuid", "seqno") {
        /// The history.
        uuid,
        /// -1 while the server runs and after a crash. Any other number decides nothing: a stopped member's position is the
        /// recovered one.
        seqno,
        /// `None` if the line is missing (old versions).
        safe_to_bootstrap,
    }
    /// What gvwstate.dat says.
    Gvwstate("view_uuid", "view_seq") {
        /// This node.
        my_uuid,
        /// The node that named the view.
        view_uuid,
        /// The number of the view.
        view_seq,
        /// Whether the view began with a bootstrap.
        bootstrap,
        /// The nodes in the view.
        members,
    }
    /// A place in a history.
    Position("uuid", "seqno") {
        /// The history.
        uuid,
        /// The number of the last transaction.
        seqno,
    }
    /// What happens to a `Supervisor`: `Input("looked", number=1, evidence=..., data=0)`. It is made as `match` takes it apart.
    ///
    /// `looked`: the answer to `Output("look")`: `number`, `evidence`, `data` (a number that tells one state of the data files
    /// from another), and of a running server `view_number` (`wsrep_cluster_conf_id`), `receive_queue`
    /// (`wsrep_local_recv_queue`); `age`: how many seconds old what it says of the process was when the probe ended; `vips`: the
    /// virtual addresses that the machine holds, if it can tell; `last_backup`: its last backup of the database, as in the status
    /// of the cluster.
    /// `asked`: the answer to `Output("ask")`: `number`, `answers` (evidence with `running` of those that answered).
    /// `acted`: the answer to `Output("act")`: `error` (of the step that failed, else `None`).
    /// `synced`: the answer to `Output("sync")`: `error` (why it failed, else `None`).
    /// `not_recorded`: `Output("record")` could not be carried out: `why`.
    /// `received`: a datagram: `bytes`. `ended`: the process of the database has ended: `why`.
    /// `said`: an operator's word: `id` (a random number), `saying` (`kind`: `assume_lost` with `members`; `discard`, `trust`,
    /// `end`, `seed` or `force` with `member`; `standalone`).
    /// `end`: it is to end, and its database with it. `woken`: the moment of `poll_timeout` is there.
    Input("kind") {
        /// A stable word for it.
        kind,
        ;
        #[new]
        #[pyo3(signature = (kind, /, **fields))]
        fn new(kind: &Bound<'_, PyAny>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<PyClassInitializer<Self>> {
            let document = crate::supervisor::input_document(kind, fields)?;
            Ok(PyClassInitializer::from(document).add_subclass(Input))
        }
        /// The datagram of `received`. (In `to_dict` and `to_json` it is hexadecimal.)
        #[getter]
        fn bytes(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            crate::supervisor::datagram(slf.py(), slf.as_super().get())
        }
        fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
            attribute(slf.py(), slf.as_super().get(), name)
        }
    }
    /// What a `Supervisor` wants done.
    ///
    /// `look`: gather this member's evidence, with the position of a stopped server recovered if `recover`; `number` is for the
    /// answer. `ask`: ask the databases of `hosts` over the network what they are; `number` is for the answer.
    /// `send`: the datagram `bytes` to the management address of the member `to`.
    /// `act`: carry out `steps` in order, for `part`; after one that fails the rest must not be done. Their kinds are `record`
    /// (with `records`), `set_view_aside`, `set_state_aside`, `set_data_aside`, `allow_bootstrap`, `forbid_bootstrap`,
    /// `clear_seqno`, `write_uuid` (with `uuid`), `start` (with `how`: `normal`, `new_cluster` or `alone`, and `position`),
    /// `promote`, `stop` (with `kill_after`, in seconds, or `None`), `end` (with `kill_after`: whatever the process does).
    /// `record`: write `records` down, in place of what was written before.
    /// `pin`: write the public keys in `pinned` down, by their members, in place of those that were written before.
    /// `sync`: write all data of the database's file systems to disk (`syncfs`): a state transfer (SST) came in.
    /// `tell`: tell the people `text`; the other fields are those of the log (schemas/supervise-log.json).
    /// `end`: the database has ended, so may the program.
    Output("kind") {
        /// A stable word for it.
        kind,
        ;
        /// The datagram of `send`. (In `to_dict` and `to_json` it is hexadecimal.)
        #[getter]
        fn bytes(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            crate::supervisor::datagram(slf.py(), slf.as_super().get())
        }
        fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
            attribute(slf.py(), slf.as_super().get(), name)
        }
    }
    /// What a `Supervisor` knows, has decided, and does (`pfcluster mariadb status`).
    SupervisorStatus("host", "part", "decision") {
        /// The own member.
        host,
        /// What it is about to do, or does.
        part,
        /// What was decided last; `None` before the first look.
        decision: Decision,
        /// What is known of each member, in order.
        members,
        /// What was written down.
        records,
        /// The overrides that are valid, with the member and the user that gave each (`given_on`, `user`). One that has
        /// no effect on a member until it is given there names that member (`needed_on`).
        words,
        /// The keys that it accepts, by their ids: `current`, `next`; `None` in a cluster of one.
        keys,
        /// In how many seconds a start that failed may be tried again.
        retry_in,
        /// Datagrams that were dropped: `why`, `count`.
        dropped,
    }
}
