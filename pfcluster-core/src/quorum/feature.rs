//! What of PacketFence works on a member (guide 4.1).

use super::State;

/// What users and administrators notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Feature {
    /// RADIUS requests of devices that are known by their MAC address.
    RadiusMacAuthentication,
    /// RADIUS 802.1X where "Dot1x recompute role from portal" is enabled in the connection profile.
    RadiusDot1xRecomputed,
    /// RADIUS 802.1X where it is disabled.
    RadiusDot1x,
    /// The captive portal.
    CaptivePortal,
    /// What learns addresses and names of devices from their DHCP packets.
    DhcpListeners,
    /// Telling firewalls who has which address.
    FirewallSso,
    /// The web administration, but for its configuration section.
    WebAdministration,
    /// The configuration section of the web administration.
    WebConfiguration,
}

/// How much of a feature is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Availability {
    /// All of it.
    Full,
    /// It answers, but nothing that it finds out is kept.
    NothingKept,
    /// It shows, but changes nothing.
    ReadOnly,
    /// Nothing.
    Off,
}

impl Availability {
    /// A stable word for it.
    pub fn kind(self) -> &'static str {
        match self {
            Availability::Full => "full",
            Availability::NothingKept => "nothing_kept",
            Availability::ReadOnly => "read_only",
            Availability::Off => "off",
        }
    }
}

/// A feature on a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provision {
    /// How much of it is there.
    pub availability: Availability,
    /// One English sentence without a final period.
    pub text: &'static str,
}

impl Feature {
    /// All of them, in the order in which people ask.
    pub const ALL: [Feature; 8] = [
        Feature::RadiusMacAuthentication,
        Feature::RadiusDot1xRecomputed,
        Feature::RadiusDot1x,
        Feature::CaptivePortal,
        Feature::DhcpListeners,
        Feature::FirewallSso,
        Feature::WebAdministration,
        Feature::WebConfiguration,
    ];

    /// A stable word for it.
    pub fn kind(self) -> &'static str {
        match self {
            Feature::RadiusMacAuthentication => "radius_mac_authentication",
            Feature::RadiusDot1xRecomputed => "radius_dot1x_recomputed",
            Feature::RadiusDot1x => "radius_dot1x",
            Feature::CaptivePortal => "captive_portal",
            Feature::DhcpListeners => "dhcp_listeners",
            Feature::FirewallSso => "firewall_sso",
            Feature::WebAdministration => "web_administration",
            Feature::WebConfiguration => "web_configuration",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Feature::RadiusMacAuthentication => "RADIUS MAC authentication",
            Feature::RadiusDot1xRecomputed => "RADIUS 802.1X, role recomputed",
            Feature::RadiusDot1x => "RADIUS 802.1X, otherwise",
            Feature::CaptivePortal => "captive portal",
            Feature::DhcpListeners => "DHCP listeners",
            Feature::FirewallSso => "firewall SSO",
            Feature::WebAdministration => "web administration",
            Feature::WebConfiguration => "web configuration",
        }
    }

    /// What is left of it on a member in this state (guide 4.1).
    pub fn on(self, state: State) -> Provision {
        match state {
            State::Primary => Provision { availability: Availability::Full, text: "as always" },
            State::ReadOnly => self.without_quorum(),
            State::Down => Provision { availability: Availability::Off, text: "the member is down" },
        }
    }

    fn without_quorum(self) -> Provision {
        let (availability, text) = match self {
            Feature::RadiusMacAuthentication => (
                Availability::NothingKept,
                "gives the role that the database has; filters apply, a new role is not saved",
            ),
            Feature::RadiusDot1xRecomputed => (
                Availability::NothingKept,
                "`Dot1x recompute role from portal` on: the sources, which must answer, give the role; it is not saved",
            ),
            Feature::RadiusDot1x => (
                Availability::NothingKept,
                "`Dot1x recompute role from portal` off: the role of the database is given; sources must answer",
            ),
            Feature::CaptivePortal => (Availability::Off, "tells users that the system has a problem at the moment"),
            Feature::DhcpListeners => (Availability::Off, "nothing of what devices ask and get is saved"),
            Feature::FirewallSso => (Availability::Off, "firewalls learn no address, since no DHCP listener does"),
            Feature::WebAdministration => (Availability::ReadOnly, "shows everything and changes nothing"),
            Feature::WebConfiguration => (Availability::Full, "shows and changes the configuration, which is in files"),
        };
        Provision { availability, text }
    }
}
