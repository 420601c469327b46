//! `pfcluster drill`: a bad day, rehearsed on this cluster.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, ValueEnum};
use pfcluster_core::cluster::{Cluster, Hostname, Interface, View, Vip, Zone};
use pfcluster_core::installation::{Installation, Situation};
use pfcluster_core::pf_conf::{HostInterface, InterfaceKind, interfaces_of};
use pfcluster_sim::Policy;
use pfcluster_sim::drill::{Day, DrillError, Flush, Scenario, Setting};
use serde::Serialize;

use super::gather::gather;
use super::names::{Names, usage};
use super::{AnswerFormat, Global};
use crate::host::{HostError, files};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::drill::{Address, GENERATOR, Report};
use crate::report::json;

/// Simulate a failure on this cluster
///
/// The supervisors of `pfcluster mariadb supervise` run in a model of Galera, under the names of this cluster.conf. Says
/// what happens, what they decide and why, how each member is, who holds the virtual addresses, how long there is no service,
/// what becomes of the commits, and what an administrator has to do. Works offline and changes nothing. The same seed is the
/// same simulation. Without a scenario: which there are.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Drill {
    /// What happens
    #[arg(value_enum)]
    scenario: Option<Kind>,
    /// To whom: `lose HOST,...`, `partition HOST,.../HOST,...`
    #[arg(value_name = "WHO", requires = "scenario")]
    who: Option<String>,
    /// With `graceful-shutdown`: who goes after whom [default: the order of cluster.conf]
    #[arg(long, value_name = "HOST,...")]
    order: Option<String>,
    /// Random seed: how long things take, what each disk keeps and, with `random`, what happens
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What the cluster has as `innodb_flush_log_at_trx_commit`; 2 is PacketFence's
    #[arg(long, value_name = "0|1|2", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=2))]
    flush: u8,
    /// Also show what others would have done, as far as their rules are known
    #[arg(long, value_enum)]
    beside: Option<Beside>,
    /// Also write a self-contained HTML report
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// A cluster.conf that stands alone [default: that of ROOT]; `-` is standard input
    #[arg(long, value_name = "FILE")]
    cluster_conf: Option<PathBuf>,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// All members lose power, and get it back at different times
    PowerCut,
    /// All are shut down one after the other, and switched on together
    GracefulShutdown,
    /// Some members lose power for good
    Lose,
    /// The network is partitioned for one minute
    Partition,
    /// The guide's 8.4: the last member is upgraded first, alone; then the others
    Upgrade,
    /// A member is cut off and made primary by hand; then the network is restored
    SplitBrain,
    /// Hosts and networks fail by the seed's choice; then power and network are restored
    Random,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Beside {
    /// pf-mariadb alone, and with galera-autofix beside it
    Packetfence,
}

const HELP: &str = "\
A host may be named by the first part of its name: pf1 for pf1.example.com.

Exit status: 0 service came back without an administrator and nothing was lost, 1 it needs one or \
something was lost, 2 it could not be done.";

/// The rules of PacketFence's own programs.
const PACKETFENCE: [Policy; 2] = [Policy::PfMariadb, Policy::GaleraAutofix];

impl Drill {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let Some(kind) = self.scenario else { return self.list(printer) };
        let gathered = gather(global, matches, self.cluster_conf.as_deref(), printer)?;
        let installation = Installation::read(gathered.texts(), &gathered.situation);
        let names = Names::of(&installation.cluster, &gathered.situation)?;
        let scenario = self.scenario(kind, &names)?;
        let hosts: Vec<Hostname> = names.enabled().cloned().collect();
        let (addresses, candidates) = addresses(&installation, &gathered.situation, &hosts);
        let flush = match self.flush {
            0 => Flush::Never,
            1 => Flush::Always,
            _ => Flush::EachSecond,
        };
        let setting = Setting { hosts, addresses: candidates, flush, seed: self.seed };
        let rehearse = |policy: Policy| setting.rehearse(&scenario, policy).map_err(|error| refused(&error));
        let day = rehearse(Policy::Ours)?;
        let others: &[Policy] = if self.beside.is_some() { &PACKETFENCE } else { &[] };
        let beside = others.iter().map(|policy| rehearse(*policy)).collect::<Result<Vec<Day>, _>>()?;
        let report =
            Report { scenario: &scenario, setting: &setting, addresses: &addresses, day: &day, beside: &beside };
        if let Some(path) = &self.html {
            write_page(path, &report.html())?;
        }
        match self.format {
            AnswerFormat::Json => writeln!(printer.out, "{}", report.json())?,
            AnswerFormat::Text => report.text(printer.out)?,
        }
        names.tell_missing(&installation.diagnostics, self.cluster_conf.as_deref(), printer)?;
        Ok(if day.is_fine() { ExitStatus::Fine } else { ExitStatus::No })
    }

    /// Which scenarios there are.
    fn list(&self, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
        let scenarios: Vec<(String, String)> = Kind::value_variants()
            .iter()
            .filter_map(ValueEnum::to_possible_value)
            .map(|value| (value.get_name().to_owned(), value.get_help().map(ToString::to_string).unwrap_or_default()))
            .collect();
        match self.format {
            AnswerFormat::Json => {
                let scenarios = scenarios.iter().map(|(name, text)| Listed { name, text }).collect();
                writeln!(printer.out, "{}", json::versioned(List { scenarios }))?;
            }
            AnswerFormat::Text => {
                scenarios.iter().try_for_each(|(name, text)| writeln!(printer.out, "{name:<18} {text}"))?;
            }
        }
        Ok(ExitStatus::Fine)
    }

    fn scenario(&self, kind: Kind, names: &Names<'_>) -> Result<Scenario, CommandError> {
        if self.order.is_some() && kind != Kind::GracefulShutdown {
            return Err(usage("`--order` is about `graceful-shutdown`", "leave it out"));
        }
        let takes_who = matches!(kind, Kind::Lose | Kind::Partition);
        let who = match (&self.who, takes_who) {
            (Some(who), true) => who.as_str(),
            (None, false) => "",
            (Some(_), false) => {
                return Err(usage("this scenario is about all members", "leave the names out"));
            }
            (None, true) => {
                let help = "as in `pfcluster drill lose pf2` and `pfcluster drill partition pf1/pf2,pf3`";
                return Err(usage("this scenario needs members", help));
            }
        };
        Ok(match kind {
            Kind::PowerCut => Scenario::PowerCut,
            Kind::GracefulShutdown => Scenario::GracefulShutdown {
                order: match &self.order {
                    Some(order) => names.list_enabled(order)?,
                    None => names.enabled().cloned().collect(),
                },
            },
            Kind::Lose => Scenario::Lose { hosts: names.list_enabled(who)? },
            Kind::Partition => Scenario::Partition {
                groups: who.split('/').map(|group| names.list_enabled(group)).collect::<Result<_, _>>()?,
            },
            Kind::Upgrade => Scenario::Upgrade,
            Kind::SplitBrain => Scenario::SplitBrain,
            Kind::Random => Scenario::Random,
        })
    }
}

fn refused(error: &DrillError) -> CommandError {
    let help = match error {
        DrillError::Members(_) => "`pfcluster show` shows the members, `pfcluster node` who is disabled here",
        DrillError::Missing(_) => "name every enabled member of the database once",
        DrillError::NobodyLeft => "leave at least one member; `pfcluster drill power-cut` takes the power of all",
        DrillError::OneGroup => "separate the groups by `/`, as in `pf1/pf2,pf3`",
        DrillError::OnlyOurs => "leave `--beside` out, or choose another scenario",
        _ => "name each member once",
    };
    usage(error.to_string(), help)
}

/// The virtual addresses of the zones that these members are in, and who may hold each, with the priorities that keepalived has.
type Addresses = (Vec<Address>, Vec<Vec<(Hostname, u64)>>);

fn addresses(installation: &Installation<'_>, situation: &Situation, hosts: &[Hostname]) -> Addresses {
    let cluster = &installation.cluster;
    let zones = cluster.zones().iter().filter(|zone| zone.members.iter().any(|member| hosts.contains(&member.host)));
    zones.flat_map(|zone| addresses_of(cluster, zone, installation, situation)).unzip()
}

fn addresses_of(
    cluster: &Cluster,
    zone: &Zone,
    installation: &Installation<'_>,
    situation: &Situation,
) -> Vec<(Address, Vec<(Hostname, u64)>)> {
    let view = zone.members.first().and_then(|first| cluster.seen_by(&first.host, &situation.disabled).ok());
    let (Some(view), Some(vips)) = (view, &zone.vips) else { return Vec::new() };
    let pf_conf = installation.pf_conf.as_ref();
    let centralize = pf_conf.is_some_and(|pf_conf| pf_conf.is_enabled("active_active", "centralize_vips"));
    let interfaces =
        pf_conf.map(|pf_conf| interfaces_of(pf_conf, &view.me().addresses, situation.version)).unwrap_or_default();
    let management = vips.management_ip.map(|ip| ip.value);
    let address = |interface: &Interface| {
        let ip = interface.ip?.value;
        let known = interfaces.iter().find(|known| known.name == interface.name);
        let kind = kind_of(known, Some(ip) == management);
        let candidates = candidates(view, kind, situation, centralize);
        Some((Address { zone: zone.name.to_string(), interface: interface.name.to_string(), ip }, candidates))
    };
    vips.interfaces.iter().filter_map(address).collect()
}

fn kind_of(interface: Option<&HostInterface>, has_management_ip: bool) -> Vip {
    let is = |kind: InterfaceKind| interface.is_some_and(|interface| interface.is(kind));
    if has_management_ip || is(InterfaceKind::Management) {
        Vip::Management
    } else if is(InterfaceKind::Radius) {
        Vip::Radius
    } else {
        Vip::Registration
    }
}

fn candidates(view: View<'_>, kind: Vip, situation: &Situation, centralize: bool) -> Vec<(Hostname, u64)> {
    let priority = |host, member| Some((host, view.vrrp_priority(member, kind, situation.version, centralize)?));
    let all = view.zone_members().filter_map(|member| priority(member.host.clone(), member));
    all.filter_map(|(host, priority)| Some((host, u64::try_from(priority).ok()?))).collect()
}

/// Puts the page in the place of an earlier one; nothing else is written over.
fn write_page(path: &Path, page: &str) -> Result<(), CommandError> {
    let is_other = |bytes: &Vec<u8>| !String::from_utf8_lossy(bytes).contains(GENERATOR);
    if files::read_if_there(path)?.as_ref().is_some_and(is_other) {
        return Err(CommandError::Host(HostError::Write {
            path: path.to_owned(),
            reason: "it is there already, and no page of a drill".to_owned(),
            help: "name another file".to_owned(),
        }));
    }
    Ok(files::write(path, page.as_bytes())?)
}

/// The scenarios, as schemas/drill.json says.
#[derive(Serialize)]
struct List<'l> {
    scenarios: Vec<Listed<'l>>,
}

#[derive(Serialize)]
struct Listed<'l> {
    name: &'l str,
    text: &'l str,
}
