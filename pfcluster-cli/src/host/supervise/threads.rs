//! The threads beside the one that drives the state machine: they hear the peers, look, and act, and tell it what came of that.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Child;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use pfcluster_core::supervisor::{Input, MOST_BYTES, Step};

use super::database::{Database, how_it_ended};
use super::look::Looker;
use super::{Doing, Happening, PORT};
use crate::host::HostError;
use crate::host::files::plain;

/// The socket on which the peers are heard.
pub(super) fn hear_peers(sender: &Sender<Happening>) -> Result<UdpSocket, HostError> {
    let fail = |error: &io::Error| HostError::Run {
        program: format!("UDP port {PORT}").into(),
        reason: plain(error),
        help: "is another supervisor there? `pfcluster mariadb status`, `ss -ulpn`".to_owned(),
    };
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).map_err(|error| fail(&error))?;
    let own = socket.try_clone().map_err(|error| fail(&error))?;
    let sender = sender.clone();
    thread::spawn(move || {
        // One byte more than a message can have tells that a datagram is too long.
        let mut buffer = [0; MOST_BYTES + 1];
        loop {
            match own.recv_from(&mut buffer) {
                Ok((length, _)) => {
                    let bytes = buffer[..length].to_vec();
                    if sender.send(Happening::Input(Input::Received { bytes })).is_err() {
                        return;
                    }
                }
                // A peer that does not listen; what else goes wrong goes wrong again.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    });
    Ok(socket)
}

pub(super) fn look_in_turn(looker: Looker, sender: &Sender<Happening>) -> Sender<(u64, bool)> {
    let (questions, queue) = mpsc::channel::<(u64, bool)>();
    let sender = sender.clone();
    thread::spawn(move || {
        for (number, recover) in queue {
            let (look, notes) = looker.look(recover);
            if sender.send(Happening::Looked(number, Box::new(look), notes)).is_err() {
                return;
            }
        }
    });
    questions
}

pub(super) fn act_in_turn(database: Database, sender: &Sender<Happening>) -> Sender<Doing> {
    let (doings, queue) = mpsc::channel::<Doing>();
    let sender = sender.clone();
    thread::spawn(move || {
        for doing in queue {
            let input = match doing {
                Doing::Act(steps) => {
                    let result = database.carry_out(&steps, |child| watch(child, &sender));
                    Input::Acted { result: result.map_err(Into::into) }
                }
                // A large transfer takes its time, and nothing else must wait for it.
                Doing::Sync => {
                    let (database, sender) = (database.clone(), sender.clone());
                    thread::spawn(move || {
                        let result = database.sync_data().map_err(Into::into);
                        sender.send(Happening::Input(Input::Synced { result }))
                    });
                    continue;
                }
                Doing::Record(records) => match database.carry_out(&[Step::Record(*records)], drop) {
                    Ok(()) => continue,
                    Err(why) => Input::NotRecorded { why: why.into() },
                },
            };
            if sender.send(Happening::Input(input)).is_err() {
                return;
            }
        }
    });
    doings
}

/// Tells when the server's process ends.
fn watch(mut child: Child, sender: &Sender<Happening>) {
    let sender = sender.clone();
    thread::spawn(move || {
        let why = child.wait().map_or_else(|error| plain(&error), how_it_ended);
        sender.send(Happening::Input(Input::Ended { why: why.into() }))
    });
}
