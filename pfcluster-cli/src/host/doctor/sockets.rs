//! Who listens, from the kernel's tables (`/proc/net`) and from what processes have open.

#![expect(clippy::disallowed_methods, reason = "the kernel's files in /proc")]

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pfcluster_guide::doctor::{Holder, Known, Listener, PORTS, Transport};

use super::Machine;

/// Tables, with the state of a socket in them that takes what comes for anybody.
const TABLES: [(&str, Transport, &str); 4] = [
    ("/proc/net/tcp", Transport::Tcp, "0A"),
    ("/proc/net/tcp6", Transport::Tcp, "0A"),
    ("/proc/net/udp", Transport::Udp, "07"),
    ("/proc/net/udp6", Transport::Udp, "07"),
];

/// The listeners on the ports that matter.
pub(super) fn listeners(machine: &Machine) -> Known<Vec<Listener>> {
    let mut rows = Vec::new();
    for (table, transport, state) in TABLES {
        // Without IPv6 there are no tables of it.
        let text = machine.text(table)?.unwrap_or_default();
        let found = text.lines().skip(1).filter_map(|line| row(line, state));
        rows.extend(found.filter(|row| PORTS.contains(&row.port)).map(|row| (transport, row)));
    }
    let holders = if rows.is_empty() { Holders::default() } else { Holders::look(machine) };
    let listener = |(transport, row): (Transport, Row)| Listener {
        transport,
        address: row.address,
        port: row.port,
        holder: holders.of(row.inode),
    };
    Ok(rows.into_iter().map(listener).collect())
}

/// All rows of all tables, of any text.
#[cfg(feature = "fuzz")]
pub(super) fn read(text: &str) {
    let states = TABLES.map(|(_, _, state)| state);
    text.lines().flat_map(|line| states.map(|state| row(line, state))).for_each(drop);
}

struct Row {
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// `0: 0100007F:0CEA 00000000:0000 0A ... uid timeout inode ...`; `None` if it is in another state.
fn row(line: &str, state: &str) -> Option<Row> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if *fields.get(3)? != state {
        return None;
    }
    let (address, port) = fields.get(1)?.split_once(':')?;
    Some(Row { address: ip(address)?, port: u16::from_str_radix(port, 16).ok()?, inode: fields.get(9)?.parse().ok()? })
}

/// Words of 32 bits, each as this machine has them in memory.
fn ip(hex: &str) -> Option<IpAddr> {
    let words = hex.as_bytes().chunks(8).map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok());
    let bytes: Vec<u8> = words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    match bytes.len() {
        4 => Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?))),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical()),
        _ => None,
    }
}

/// Which process has which socket open.
#[derive(Default)]
struct Holders {
    processes: BTreeMap<u64, Holder>,
    /// There are processes that are not shown.
    some_hidden: bool,
}

impl Holders {
    fn look(machine: &Machine) -> Holders {
        let mut holders = Holders::default();
        for process in fs::read_dir(machine.file("/proc")).into_iter().flatten().flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let Ok(open) = fs::read_dir(process.path().join("fd")) else {
                // Also one that has just ended: then its sockets are gone, too.
                holders.some_hidden |= process.path().exists();
                continue;
            };
            let sockets = open.flatten().filter_map(|fd| {
                let target = fs::read_link(fd.path()).ok()?;
                target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
            });
            let sockets: Vec<u64> = sockets.collect();
            if !sockets.is_empty() {
                let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                let holder = Holder { name: name.trim().into(), pid };
                holders.processes.extend(sockets.into_iter().map(|socket| (socket, holder.clone())));
            }
        }
        holders
    }

    fn of(&self, inode: u64) -> Known<Holder> {
        let why = if self.some_hidden {
            "run it as root: it is not shown who has the ports"
        } else {
            "the system does not show which program has it"
        };
        self.processes.get(&inode).cloned().ok_or_else(|| why.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_kernel() {
        let listening =
            "   0: 0501A8C0:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   106        0 83205 1";
        let row = row(listening, "0A").expect("a listener");
        assert_eq!((row.address.to_string().as_str(), row.port, row.inode), ("192.168.1.5", 3306, 83205));
        assert!(super::row(&listening.replace(" 0A ", " 01 "), "0A").is_none(), "a connection");
        assert!(super::row("  sl  local_address rem_address", "0A").is_none());
    }

    #[test]
    fn addresses_of_the_kernel() {
        assert_eq!(ip("00000000").map(|ip| ip.is_unspecified()), Some(true));
        assert_eq!(ip(&"0".repeat(32)).map(|ip| ip.is_unspecified()), Some(true));
        assert_eq!(ip("0000000000000000FFFF00000501A8C0").map(|ip| ip.to_string()).as_deref(), Some("192.168.1.5"));
        assert_eq!(ip("xyz"), None);
    }
}
