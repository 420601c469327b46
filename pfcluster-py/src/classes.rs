//! The classes of what is answered: their fields are those of the command line's JSON documents, in pfcluster-cli/schemas.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::document::{Detail, Document, attribute, documents, part};

documents! {
    /// What to do: `kind` tells what, the other attributes are those of the JSON document.
    Action("kind") {
        /// A stable word for it.
        kind,
        ;
        fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
            attribute(slf.py(), slf.as_super().get(), name)
        }
    }
    /// Why: `kind` tells what, `text` says it, the other attributes are those of the JSON document.
    Reason("kind") {
        /// A stable word for it.
        kind,
        /// One English sentence without a final period.
        text,
        ;
        fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
            attribute(slf.py(), slf.as_super().get(), name)
        }
    }
    /// An answer about the state of the world. Waiting and refusing are actions like others: they too have reasons.
    Decision("action", "reasons", "remedy") {
        /// What to do.
        action: Action,
        /// Why, the most telling first.
        reasons: Reason,
        /// What a person can do next, in order.
        remedy,
    }
    /// What happens at once to a healthy cluster: who crashes, who shuts the database down, how the network splits.
    ViewChange("down", "left", "split") {
        /// These crash, or lose their power or their network for good.
        down,
        /// These shut their database down gracefully.
        left,
        /// The network splits into these groups; `None` leaves it as it was.
        split,
        ;
        #[new]
        #[pyo3(signature = (*, down=None, left=None, split=None))]
        fn new(
            down: Option<&Bound<'_, PyAny>>,
            left: Option<&Bound<'_, PyAny>>,
            split: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<PyClassInitializer<Self>> {
            let document = crate::quorum::change_document(down, left, split)?;
            Ok(PyClassInitializer::from(document).add_subclass(ViewChange))
        }
    }
    /// What becomes of a healthy cluster.
    WhatIf("primary", "steps") {
        /// All members, in order.
        members,
        /// Whether some members are primary at the end: whether there is a database that can be written.
        primary,
        /// How things stand after each change; as they are, if there is none.
        steps: Step,
        /// What still works on a member that is `primary`, `read_only` or `down` (guide 4.1).
        features,
        ;
        /// How it ends: `primary` with the members that are, else `no_primary`.
        #[getter]
        fn action(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            Class::Action.wrap(slf.py(), Document::new(crate::quorum::ending(&slf.as_super().get().value)))
        }
        /// Why it ends so.
        #[getter]
        fn reasons(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), crate::quorum::last(&slf.as_super().get().value, "reasons"), Class::Reason)
        }
        /// What brings a primary component back, in order. Empty if there is one.
        #[getter]
        fn remedy(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), crate::quorum::last(&slf.as_super().get().value, "remedy"), Class::Detail)
        }
    }
    /// The cluster after a change.
    Step("change", "groups", "down") {
        /// What has happened; `None` if nothing has.
        change: ViewChange,
        /// Who sees whom: members, `state`, `tally`, `alive_quorum`.
        groups,
        /// Who is down, and how each went.
        down,
        /// Why it is so.
        reasons: Reason,
        /// What the primary component survives; `None` if there is none.
        tolerance,
        /// What brings a primary component back, in order.
        remedy,
    }
    /// Everything that is wrong with the files, in order of file and place. Empty if nothing is.
    Diagnostics("diagnostics") {
        /// The files that were read.
        files,
        /// The findings.
        diagnostics: Diagnostic,
        /// How many there are: `errors`, `warnings`, `infos`.
        summary,
        ;
        fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
            Diagnostics::diagnostics(slf)?.bind(slf.py()).len()
        }
        fn __getitem__(slf: &Bound<'_, Self>, index: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
            Ok(Diagnostics::diagnostics(slf)?.bind(slf.py()).get_item(index)?.unbind())
        }
        fn __iter__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            Ok(Diagnostics::diagnostics(slf)?.bind(slf.py()).try_iter()?.into_any().unbind())
        }
        /// Raises `InvalidConfigurationError` with the errors, if there are some. Warnings raise nothing.
        fn raise_for_errors(slf: &Bound<'_, Self>) -> PyResult<()> {
            crate::diagnostics::raise_for_errors(slf.py(), slf.as_super().get())
        }
    }
    /// One finding in one file.
    Diagnostic("code", "line", "column") {
        /// The rule's stable code, such as `PFC012`.
        code,
        /// The rule's stable name, such as `duplicate-address`.
        name,
        /// `error`, `warning` or `info`.
        severity,
        /// What is wrong, in one sentence. Never holds a secret.
        message,
        /// What to do about it.
        help,
        /// The file.
        file,
        /// The line, from 1.
        line,
        /// The column in characters, from 1.
        column,
        /// The line of the end.
        end_line,
        /// The column after the last character.
        end_column,
        /// Other places that belong to it: file, line, column, message.
        related,
    }
    /// What can be wrong, with its manual page.
    Rule("code", "name") {
        /// Stable code, such as `PFC012`.
        code,
        /// Stable name, such as `duplicate-address`.
        name,
        /// `error`, `warning` or `info`.
        severity,
        /// What, why, an example, what to do.
        explanation,
    }
    /// Servers that share virtual addresses. A single-zone cluster has one, named `DEFAULT`.
    Zone("name") {
        /// Its name.
        name,
        /// The zone whose database this one follows.
        slave_of,
        /// The virtual addresses.
        vips: Addresses,
        /// The members, in order.
        members: Member,
        /// Networks of networks.conf that the zone writes over.
        networks,
    }
    /// A server of cluster.conf.
    Member("host", "management_ip") {
        /// Its host name.
        host,
        /// Whether it is counted in.
        enabled,
        /// Its place among the enabled members of its zone, from 0.
        index,
        /// Its place in the order in which HAProxy prefers the databases, from 1.
        database_order,
        /// Its VRRP priorities, `management` and `registration`: the highest holds the address.
        vrrp_priority,
        /// Its address for management.
        management_ip,
        /// Its interfaces, in order of the file.
        interfaces: Interface,
    }
    /// The virtual addresses of a zone.
    Addresses("management_ip") {
        /// The address for management.
        management_ip,
        /// The interfaces.
        interfaces: Interface,
    }
    /// An interface with its address.
    Interface("name", "ip") {
        /// Its name.
        name,
        /// What it is for: pf.conf's `type`, or cluster.conf's.
        r#type,
        /// Its address.
        ip,
    }
    /// A section of cluster.conf, as PacketFence reads it. Secrets are masked.
    Section("name", "entries") {
        /// Its name.
        name,
        /// Its line, from 1.
        line,
        /// Its keys: `key`, `line`, `values`.
        entries,
    }
    /// The cluster as one member sees it.
    View("host", "index") {
        /// The member that looks.
        host,
        /// Its place among the enabled members of its zone, from 0; `None` if it is disabled itself.
        index,
        /// Its zone.
        zone,
        /// Enabled members of its zone.
        zone_members,
        /// Enabled members of all zones: those that share one configuration.
        configuration_members,
        /// Enabled members that share its database.
        database_members,
        /// The databases in the order in which HAProxy prefers them.
        database_order,
        /// Its VRRP priorities for virtual addresses: `management`, `radius`, `registration`.
        vrrp_priority,
    }
    /// What was generated for a member.
    Generated("files") {
        /// Where the files differ from PacketFence's own, and why: `original`, `here`, `why`.
        deviations,
        /// What the user should know: `message`, `help`.
        notices,
        ;
        /// The files. Their texts hold secrets, so the JSON document is without them.
        #[getter]
        fn files(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), &slf.as_super().get().hidden, Class::GeneratedFile)
        }
    }
    /// A generated file.
    GeneratedFile("path", "text") {
        /// Path below the install directory, `var/conf/keepalived.conf`.
        path,
        /// Contents.
        text,
        /// Who may read it: `public`, `placeholder`, `secret`, `database`, `database_script`.
        access,
        ;
        /// Without the text: what is printed in passing must hold no secret.
        fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
            let (path, access) = (GeneratedFile::path(slf)?, GeneratedFile::access(slf)?);
            Ok(format!("GeneratedFile(path={}, access={})", path.bind(slf.py()).repr()?, access.bind(slf.py()).repr()?))
        }
        fn __str__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            GeneratedFile::path(slf)
        }
    }
    /// What one member knows of its database (`pfcluster evidence`).
    Evidence("host") {
        /// The member.
        host,
        /// When it was taken, in seconds since 1970 as its own clock had it.
        taken_at,
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
        /// A process is there that does not answer.
        starting,
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
        /// -1 while the server runs and after a crash; the last sequence number after a clean stop.
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
    /// (`wsrep_local_recv_queue`), `begins` (it was started as the first of a component, or without Galera);
    /// `vips`: the virtual addresses that the machine holds, if it can tell; `last_backup`: its last backup of the database, as in
    /// the status of the cluster.
    /// `asked`: the answer to `Output("ask")`: `number`, `answers` (evidence with `running` of those that answered).
    /// `acted`: the answer to `Output("act")`: `error` (of the step that failed, else `None`).
    /// `not_recorded`: `Output("record")` could not be carried out: `why`.
    /// `received`: a datagram: `bytes`. `ended`: the process of the database has ended: `why`.
    /// `said`: an operator's word: `id` (a random number), `saying` (`kind`: `assume_lost` with `members`; `discard`, `seed` or
    /// `force` with `member`; `standalone`).
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
    /// (with `records`), `set_view_aside`, `set_state_aside`, `set_data_aside`, `allow_bootstrap`, `start` (with `how`: `normal`,
    /// `new_cluster` or `alone`, and `position`), `promote`, `stop` (with `kill_after`, in seconds, or `None`).
    /// `record`: write `records` down, in place of what was written before.
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
        /// The operator's words that hold here.
        words,
        /// In how many seconds a start that failed may be tried again.
        retry_in,
        /// Datagrams that were dropped: `why`, `count`.
        dropped,
    }
    /// The whole cluster (`pfcluster status`).
    ClusterStatus("verdict", "reasons", "remedy") {
        /// Who asked.
        asked_by,
        /// When, in seconds since 1970.
        asked_at,
        /// `healthy`, `degraded`, `read_only`, `blocked`, `down`, `split` or `unknown`.
        verdict,
        /// What is known of each member of cluster.conf, in order.
        members,
        /// The virtual addresses, and who holds them.
        virtual_addresses,
        /// Why the verdict is so.
        reasons: Reason,
        /// What a person can do next, in order.
        remedy,
        /// What could not be found out on this machine: `message`, `help`.
        notes,
    }
    /// What all enabled members say of the version of their configuration (`pfcluster conflict --versions`).
    ConfigVersions("local", "members") {
        /// The member that asked.
        local,
        /// When, in seconds since 1970.
        now,
        /// The members in order, with their `config_version`; `None` where one gave none.
        members,
        ;
        /// Why others are silent: `member`, `why`.
        #[getter]
        fn silent(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), &slf.as_super().get().hidden, Class::Detail)
        }
    }
}
