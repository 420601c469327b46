//! The program itself, as a user runs it.

/// doctor on a machine of files and stand-ins.
mod doctor;
/// Drills: their JSON, their page, files that are in the way.
mod drill;
/// Which evidence in files counts.
mod evidence_files;
/// What `generate` writes where.
mod generate;
/// Every JSON document, log event, record on disk, datagram and control request as reviewed files.
mod golden;
/// Help, options, exit statuses, output.
mod program;
/// The README's commands.
mod readme;
/// How far a runbook was followed, on a scratch host.
mod runbook;
/// Maintenance, marks and status on a scratch host.
mod steer;
/// The supervisors' key, and the units of systemd.
mod supervise;
