//! What the benchmarks read: cluster.conf texts of any size, and the floor that no reader of lines gets below. What they
//! decide about, and the paths of which instructions are counted, are in the modules.

pub mod decisions;
pub mod paths;
pub mod supervisors;

use std::fmt::{Arguments, Write as _};
use std::net::Ipv4Addr;

use memchr::{memchr, memchr_iter};
use pfcluster_core::document::is_blank;

/// How many members the benchmarks go through.
pub const MEMBERS: [u32; 5] = [3, 30, 300, 3_000, 30_000];

/// The interfaces of the guide's servers, each with its subnet and what it is for.
const INTERFACES: [(&str, u8, &str); 3] =
    [("eth0", 1, "management"), ("eth1.2", 2, "registration"), ("eth1.3", 3, "isolation")];

/// Members fill their /16 in runs that keep clear of `.0` and `.255`.
const RUN: u32 = 250;

/// The clustering guide's three servers, with the guide's names and addresses.
pub fn guide_example() -> String {
    let mut file = File::default();
    file.server("CLUSTER", |subnet| Ipv4Addr::new(192, 168, subnet, 10));
    for number in 1..=3 {
        file.server(&format!("pf{number}.example.com"), |subnet| Ipv4Addr::new(192, 168, subnet, 4 + number));
    }
    file.text
}

/// The pf.conf that goes with [`cluster_conf`]: the guide's, with masks that hold all members.
pub fn pf_conf() -> String {
    include_str!("../../pfcluster-cli/examples/guide/pf.conf").replace("255.255.255.0", "255.255.0.0")
}

/// A file of the guide's shape: one zone with `members` servers, all names and addresses different.
///
/// # Panics
/// With more members than the subnets have room for: 62,500.
pub fn cluster_conf(members: u32) -> String {
    let mut file = File::default();
    file.server("CLUSTER", vip);
    for member in 0..members {
        file.server(&format!("pf{member}.example.com"), |subnet| member_address(subnet, member));
    }
    file.text
}

/// The guide's shape again, with long names and comments: over 9 MB with 100,004 sections, 25,000 members.
pub fn large() -> String {
    large_with("")
}

/// [`large`] with a mask for every interface of every member: each is a setting that the model keeps as text.
pub fn large_with_masks() -> String {
    large_with("mask=255.255.0.0\n")
}

fn large_with(settings: &'static str) -> String {
    let mut file = File { has_comments: true, settings, ..File::default() };
    file.server("CLUSTER", vip);
    for member in 0..25_000 {
        let (site, rack, slot) = (member / 1_000, member / 20 % 50, member % 20);
        file.line(format_args!("# site {site}, rack {rack}, slot {slot}, asset tag {:07}", 1_000_000 + member));
        let name = format!("pf{member}.site{site:02}.campus.northern.example.com");
        file.server(&name, |subnet| member_address(subnet, member));
    }
    file.text
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

/// A cluster.conf that is being written.
#[derive(Default)]
struct File {
    text: String,
    has_comments: bool,
    /// More lines for each interface.
    settings: &'static str,
}

impl File {
    /// The sections of one server: its management address and its interfaces.
    fn server(&mut self, name: &str, address: impl Fn(u8) -> Ipv4Addr) {
        self.line(format_args!("[{name}]"));
        self.line(format_args!("management_ip={}\n", address(INTERFACES[0].1)));
        let settings = self.settings;
        for (interface, subnet, purpose) in INTERFACES {
            if self.has_comments {
                self.line(format_args!("# {purpose}"));
            }
            self.line(format_args!("[{name} interface {interface}]"));
            self.line(format_args!("ip={}\n{settings}", address(subnet)));
        }
    }

    fn line(&mut self, content: Arguments<'_>) {
        writeln!(self.text, "{content}").expect("writing to a String does not fail");
    }
}

/// The least that a reader of lines must do: find the line ends, look at the first byte that is no blank, find `=`.
/// Keeps nothing; returns how many lines have a key.
pub fn line_floor(text: &[u8]) -> usize {
    let (mut start, mut keys) = (0, 0);
    for end in memchr_iter(b'\n', text) {
        keys += usize::from(has_key(&text[start..end]));
        start = end + 1;
    }
    keys + usize::from(has_key(&text[start..]))
}

fn has_key(line: &[u8]) -> bool {
    match line.iter().find(|&&byte| !is_blank(byte)) {
        None | Some(b'#' | b';' | b'[') => false,
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
        assert!((700..1_300).contains(&bytes), "{bytes}");
        assert_eq!((sections, members), (16, 3));
        assert_eq!(clean(&cluster_conf(300)).2, 300);
        assert_eq!(clean(&cluster_conf(30_000)).1, 120_004);
        let (bytes, sections, members) = clean(&large());
        assert!((9_000_000..10_000_000).contains(&bytes), "{bytes}");
        assert_eq!((sections, members), (100_004, 25_000));
        assert_eq!(clean(&large_with_masks()).1, 100_004);
    }

    #[test]
    fn the_floor_sees_every_key() {
        assert_eq!(line_floor(guide_example().as_bytes()), 16);
        assert_eq!(line_floor(b"a=1\n # b=2\n\n[c=d]\n e = 3"), 2);
    }
}
