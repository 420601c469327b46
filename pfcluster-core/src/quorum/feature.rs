//! What of PacketFence works on a member (guide 4.1).

use serde::Serialize;

use super::State;

/// What users and administrators notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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
    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Availability::Full => "works",
            Availability::NothingKept => "works, not saved",
            Availability::ReadOnly => "read-only",
            Availability::Off => "off",
        }
    }
}

/// A feature on a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
                "returns the role that the database has; filters apply; changes of the role are not saved",
            ),
            Feature::RadiusDot1xRecomputed => (
                Availability::NothingKept,
                "`Dot1x recompute role from portal` on: the sources, which must answer, give the role; it is not saved",
            ),
            Feature::RadiusDot1x => (
                Availability::NothingKept,
                "`Dot1x recompute role from portal` off: the role of the database is given; sources must answer",
            ),
            Feature::CaptivePortal => (Availability::Off, "shows an error page to users"),
            Feature::DhcpListeners => (Availability::Off, "DHCP traffic is not recorded"),
            Feature::FirewallSso => {
                (Availability::Off, "firewalls get no updates, as the DHCP listeners record nothing")
            }
            Feature::WebAdministration => (Availability::ReadOnly, "shows everything and changes nothing"),
            Feature::WebConfiguration => (Availability::Full, "shows and changes the configuration, which is in files"),
        };
        Provision { availability, text }
    }
}
