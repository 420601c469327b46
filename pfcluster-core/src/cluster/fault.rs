//! What keeps cluster.conf from being read as meant: rules PFC010, PFC011 and PFC040 to PFC059.

use crate::rule::rules;

rules! {
    /// A value that should be an IPv4 address is none.
    ///
    /// PacketFence's own test only looks for four groups of digits: it takes 999.1.1.1 for an address, and two of its
    /// programs then disagree whether clustering is on. A key that stands twice is joined to a value of two lines.
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     management_ip = 192.168.1.500
    ///
    /// What to do: write the address as four numbers from 0 to 255 with dots between, without leading zeros.
    pub(super) static INVALID_ADDRESS = "PFC010" "invalid-address" Error;

    /// `management_ip` is missing, of a member or of `[CLUSTER]`.
    ///
    /// Every member is reached at its management address: configuration, database and web services use it. Without
    /// the one of `[CLUSTER]` clustering is off, whatever else the file says. (PacketFence's checkup: FATAL; from 9.2
    /// on it does not look in multi-zone files.)
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     [pf1.example.com interface eth0]
    ///     ip = 192.168.1.5
    ///
    /// What to do: add `management_ip` below the section's header.
    pub(super) static MISSING_MANAGEMENT_IP = "PFC011" "missing-management-ip" Error;

    /// The file names no member and no virtual address: clustering is off.
    ///
    /// PacketFence ships cluster.conf so. The server works alone.
    ///
    /// Example:
    ///     [CLUSTER]
    ///     management_ip =
    ///
    /// What to do: nothing, or describe the cluster (guide 3.4.2; `pfcluster demo` shows a complete file).
    pub(super) static CLUSTERING_OFF = "PFC040" "clustering-off" Info;

    /// The file is empty, or holds only comments.
    ///
    /// One of PacketFence's two readers takes that for an error, the other for an empty configuration. The server
    /// works alone.
    ///
    /// Example: `: > cluster.conf`
    ///
    /// What to do: restore the file from another member or from a backup.
    pub(super) static EMPTY_FILE = "PFC041" "empty-file" Warning;

    /// There are members, but no `[CLUSTER]` section.
    ///
    /// The virtual addresses stand there, and its `management_ip` is what turns clustering on. Without it each server
    /// works alone. So does a file of zones (`[DC1 CLUSTER]`) in which `multi_zone` is not enabled.
    ///
    /// Example: a file whose `[CLUSTER]` block was commented out.
    ///
    /// What to do: add `[CLUSTER]` with `management_ip`, and `[CLUSTER interface eth0]` with `ip`, and so on; for zones
    /// write `multi_zone=enabled` into `[general]`.
    pub(super) static NO_CLUSTER_SECTION = "PFC042" "no-cluster-section" Error;

    /// `[general]` in a single-zone file is taken for a member named "general".
    ///
    /// PacketFence counts every section with a name of one word as a server. The phantom shifts the order, and with it
    /// the priorities and the quorum. pfcluster does not count it.
    ///
    /// Example:
    ///     [general]
    ///     multi_zone = disabled
    ///
    /// What to do: remove the section, or comment it out.
    pub(super) static GENERAL_IS_A_MEMBER = "PFC043" "general-is-a-member" Error;

    /// A section that PacketFence reads but uses for nothing.
    ///
    /// What follows the owner's name must be `interface NAME`, or for CLUSTER also `network A.B.C.D`, with exactly one
    /// space before it. With two spaces or a tab the section is silently lost.
    ///
    /// Example:
    ///     [pf1.example.com  interface eth0]
    ///
    /// What to do: correct the section's name.
    pub(super) static UNUSED_SECTION = "PFC045" "unused-section" Warning;

    /// A section's name is no host name.
    ///
    /// Members are named exactly as `hostname` prints it: letters, digits, `.`, `-` and `_`, at most 253.
    ///
    /// Example:
    ///     [pf1/example.com]
    ///
    /// What to do: run `hostname` on the member and copy what it prints.
    pub(super) static INVALID_HOSTNAME = "PFC046" "invalid-hostname" Error;

    /// A zone's name has characters other than letters and digits.
    ///
    /// PacketFence does not find such a zone and ignores all of its members; only its search for the first zone takes
    /// `_` as well, so it may even choose a zone that it has not read.
    ///
    /// Example:
    ///     [DC-1 CLUSTER]
    ///
    /// What to do: name the zone with letters and digits only, in all of its sections.
    pub(super) static INVALID_ZONE_NAME = "PFC047" "invalid-zone-name" Error;

    /// A zone has no `[ZONE CLUSTER]` section.
    ///
    /// PacketFence finds a zone by that section: without it the zone and its members are silently ignored. A zone of
    /// one server needs it as well.
    ///
    /// Example:
    ///     [DC2 pf1.dc2.example.com]
    ///     management_ip = 192.168.2.11
    ///
    /// What to do: add `[DC2 CLUSTER]` with `management_ip`.
    pub(super) static ZONE_WITHOUT_CLUSTER_SECTION = "PFC048" "zone-without-cluster-section" Error;

    /// A host is a member of two zones.
    ///
    /// PacketFence refuses to load the whole configuration.
    ///
    /// Example:
    ///     [DC1 pf1.example.com]
    ///     [DC2 pf1.example.com]
    ///
    /// What to do: keep it in the zone that it stands in.
    pub(super) static HOST_IN_TWO_ZONES = "PFC049" "host-in-two-zones" Error;

    /// A host has the name of a zone.
    ///
    /// PacketFence removes the zone's name from the front of section names while it goes through the zones: what
    /// belongs to the host is then taken for a part of the zone.
    ///
    /// Example:
    ///     [DC1 DC2]
    ///     [DC2 CLUSTER]
    ///
    /// What to do: rename the zone.
    pub(super) static HOST_NAMED_LIKE_ZONE = "PFC050" "host-named-like-zone" Error;

    /// A section of a multi-zone file belongs to no zone.
    ///
    /// With `multi_zone=enabled` every section but `[general]` begins with a zone's name. All others are silently
    /// ignored.
    ///
    /// Example:
    ///     [general]
    ///     multi_zone = enabled
    ///     [CLUSTER]
    ///     management_ip = 192.168.1.10
    ///
    /// What to do: write `[ZONE CLUSTER]`, or remove the section.
    pub(super) static SECTION_OUTSIDE_ZONES = "PFC052" "section-outside-zones" Error;

    /// A switch is neither on nor off.
    ///
    /// PacketFence knows `enabled`, `enable`, `yes`, `y`, `true`, `1` and `disabled`, `disable`, `no`, `n`, `false`, `0`.
    /// Any other word is neither: some places take it for on, others for off.
    ///
    /// Example:
    ///     [general]
    ///     multi_zone = on
    ///
    /// What to do: write `enabled` or `disabled`.
    pub(crate) static ODD_TOGGLE = "PFC053" "odd-toggle" Warning;

    /// A section's name differs from `CLUSTER` or `general` only by upper and lower case.
    ///
    /// Names are case-sensitive: PacketFence takes `[cluster]` for a member of that name.
    ///
    /// Example:
    ///     [cluster]
    ///     management_ip = 192.168.1.10
    ///
    /// What to do: write `CLUSTER` in capitals, `general` in small letters.
    pub(super) static MISSPELT_SECTION = "PFC054" "misspelt-section" Error;

    /// A key that PacketFence does not know in this section.
    ///
    /// It is read and used for nothing; mostly it is a misspelt one.
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     managment_ip = 192.168.1.5
    ///
    /// What to do: correct or remove it.
    pub(super) static UNKNOWN_KEY = "PFC055" "unknown-key" Warning;

    /// The name of an interface is none that the kernel could have.
    ///
    /// At most 15 characters: letters, digits, `.`, `-`, `_`, `:`, `@`.
    ///
    /// Example:
    ///     [pf1.example.com interface enp0s31f6.registration]
    ///
    /// What to do: write the name as `ip link` prints it.
    pub(crate) static INVALID_INTERFACE_NAME = "PFC056" "invalid-interface-name" Error;

    /// Blanks after `[CLUSTER] management_ip` turn clustering off.
    ///
    /// The test whether clustering is on does not remove them and finds no address; the rest of PacketFence removes
    /// them and works with the address. Half of the programs run as a cluster, the others alone.
    ///
    /// Example: `management_ip=192.168.1.10` with two spaces after it.
    ///
    /// What to do: remove the blanks at the end of the line.
    pub(super) static BLANKS_TURN_CLUSTERING_OFF = "PFC057" "blanks-turn-clustering-off" Error;

    /// What looks like a comment behind a value is part of the value.
    ///
    /// `#` and `;` begin a comment only at the beginning of a line.
    ///
    /// Example:
    ///     ip = 192.168.1.5 # eth0
    ///
    /// What to do: put the comment on a line of its own.
    pub(super) static TRAILING_COMMENT = "PFC058" "trailing-comment" Error;

    /// The name of a `network` section is no IPv4 address.
    ///
    /// `[CLUSTER network A.B.C.D]` writes over the section `[A.B.C.D]` of networks.conf.
    ///
    /// Example:
    ///     [CLUSTER network 192.168.2.0/24]
    ///
    /// What to do: write the network's address without a mask, as in networks.conf.
    pub(super) static INVALID_NETWORK = "PFC059" "invalid-network" Error;
}
