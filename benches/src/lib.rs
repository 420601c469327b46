//! What the benchmarks read: cluster.conf texts of any size, and the floor that no reader of lines gets below.

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::Ipv4Addr;

use memchr::{memchr, memchr_iter};
use pfcluster_core::document::is_blank;

/// How many members the benchmarks go through.
pub const MEMBERS: [u32; 5] = [3, 30, 300, 3_000, 30_000];

/// The interfaces of the guide's servers: management, registration, isolation. Each has a subnet of its own.
const INTERFACES: [(&str, u8); 3] = [("eth0", 1), ("eth1.2", 2), ("eth1.3", 3)];

/// Members fill their /16 in runs that keep clear of `.0` and `.255`.
const RUN: u32 = 250;

/// The clustering guide's three servers, with the guide's names and addresses.
pub fn guide_example() -> String {
    let mut text = String::new();
    let mut servers = vec![("CLUSTER".to_owned(), 10)];
    servers.extend((1..=3).map(|number| (format!("pf{number}.example.com"), 4 + number)));
    for (name, last) in servers {
        let address = |subnet| Ipv4Addr::new(192, 168, subnet, last);
        server(&mut text, &name, address, "");
    }
    text
}

/// A file of the guide's shape: one zone with `members` servers, all names and addresses different.
///
/// # Panics
/// With more members than the subnets have room for: 62,500.
pub fn cluster_conf(members: u32) -> String {
    let mut text = String::new();
    server(&mut text, "CLUSTER", vip, "");
    for member in 0..members {
        server(&mut text, &format!("pf{member}.example.com"), |subnet| member_address(subnet, member), "");
    }
    text
}

/// A file of over 9 MB with 100,004 sections: 25,000 members with long names, a comment above each, and a mask beside
/// each address.
pub fn large() -> String {
    let mut text = String::new();
    let mask = "mask=255.255.0.0\n";
    server(&mut text, "CLUSTER", vip, mask);
    for member in 0..25_000 {
        let (site, rack, slot) = (member / 1_000, member / 20 % 50, member % 20);
        line(&mut text, format_args!("# site {site}, rack {rack}, slot {slot}"));
        let name = format!("pf{member}.site{site:02}.campus.northern.example.com");
        server(&mut text, &name, |subnet| member_address(subnet, member), mask);
    }
    text
}

/// The virtual addresses, behind all that members get.
fn vip(subnet: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, subnet, 250, 1)
}

fn member_address(subnet: u8, member: u32) -> Ipv4Addr {
    let run = u8::try_from(member / RUN).ok().filter(|&run| u32::from(run) < RUN).expect("no room for so many members");
    let place = u8::try_from(member % RUN + 1).expect("a run is shorter than 255");
    Ipv4Addr::new(10, subnet, run, place)
}

/// The sections of one server: its management address and its interfaces. `settings` goes into each interface.
fn server(text: &mut String, name: &str, address: impl Fn(u8) -> Ipv4Addr, settings: &str) {
    line(text, format_args!("[{name}]"));
    line(text, format_args!("management_ip={}\n", address(INTERFACES[0].1)));
    for (interface, subnet) in INTERFACES {
        line(text, format_args!("[{name} interface {interface}]"));
        line(text, format_args!("ip={}\n{settings}", address(subnet)));
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    let written = writeln!(text, "{content}");
    written.expect("writing to a String does not fail");
}

/// The least that a reader of lines must do: find the line ends, look at the first byte that is no blank, find `=`.
/// Keeps nothing; returns how many lines have a `=`, so that the work is not optimised away.
pub fn line_floor(text: &[u8]) -> usize {
    let (mut start, mut entries) = (0, 0);
    for end in memchr_iter(b'\n', text) {
        entries += usize::from(is_entry(&text[start..end]));
        start = end + 1;
    }
    entries + usize::from(is_entry(&text[start..]))
}

fn is_entry(line: &[u8]) -> bool {
    match line.iter().find(|&&byte| !is_blank(byte)) {
        None => false,
        Some(first @ (b'#' | b';' | b'[')) => black_box(*first == 0),
        Some(_) => memchr(b'=', line).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pfcluster_core::cluster::Cluster;
    use pfcluster_core::document::Document;
    use pfcluster_core::span::Source;

    /// (bytes, sections, members)
    fn clean(text: &str) -> (usize, usize, usize) {
        let document = Document::parse(Source::ClusterConf, text.as_bytes());
        assert!(document.diagnostics.is_empty(), "{:?}", document.diagnostics);
        let cluster = Cluster::from_document(&document.value);
        assert!(cluster.diagnostics.is_empty(), "{:?}", cluster.diagnostics);
        (text.len(), document.value.sections().count(), cluster.value.members().count())
    }

    #[test]
    fn the_inputs_are_clean_files_of_the_promised_size() {
        let (bytes, sections, members) = clean(&guide_example());
        assert!((600..1_500).contains(&bytes), "{bytes}");
        assert_eq!((sections, members), (16, 3));
        assert_eq!(clean(&cluster_conf(300)).2, 300);
        assert_eq!(clean(&cluster_conf(30_000)).1, 120_004);
        let (bytes, sections, members) = clean(&large());
        assert!((9_000_000..10_000_000).contains(&bytes), "{bytes}");
        assert_eq!((sections, members), (100_004, 25_000));
    }

    #[test]
    fn the_floor_sees_every_key() {
        assert_eq!(line_floor(guide_example().as_bytes()), 16);
        assert_eq!(line_floor(b"a=1\n # b=2\n\n[c=d]\n e = 3"), 2);
    }
}
