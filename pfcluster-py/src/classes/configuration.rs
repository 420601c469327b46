//! What the files say: findings, rules, the cluster and its members, generated files.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{Class, documents};
use crate::document::{Document, part};

documents! {
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
        /// A line for each finding, and one that counts them.
        fn __str__(slf: &Bound<'_, Self>) -> String {
            crate::diagnostics::lines(&slf.as_super().get().value)
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
}
