//! keepalived.conf: who holds the virtual addresses.

mod blocks;
mod globals;
mod grammar;
mod instances;
mod key;
mod routes;
mod statics;
mod tracking;

use super::features::Feature;
use super::scene::Scene;
use super::{Access, DaemonVersion, Deviation, GenerateError, GeneratedFile, Notice, Rendered, Request, template};
use blocks::Blocks;
use globals::Globals;
use instances::Instances;
use statics::Statics;
use tracking::Tracker;

/// The user's own template, below the install directory.
const TEMPLATE: &str = "conf/keepalived.conf";

/// keepalived knows `enable_script_security`, `script_user` and `vrrp_version`.
const SCRIPT_SECURITY: DaemonVersion = DaemonVersion::new(1, 3);
/// keepalived takes the quotes off every word. Older ones may take the quote itself for the key; the keys that are let
/// through read the same without quotes.
const QUOTED_WORDS: DaemonVersion = DaemonVersion::new(2, 0);

/// keepalived.conf for one member: the virtual addresses that it may hold, and what it must run to hold them.
///
/// A template `conf/keepalived.conf` of the user's is filled in instead of the built-in layout. Its tags: `emailaddr`,
/// `fromaddr`, `smtpserver`, `router_id`, `vrrp` (everything that follows `global_defs`), and for the parts of `vrrp` that
/// shall stand elsewhere `track_scripts`, `static_ipaddress`, `static_routes`. PacketFence's `mysql_backend` and `lvs` are
/// empty.
///
/// # Errors
/// [`GenerateError`]: the member has no place in the cluster; an address is missing; a setting holds what keepalived
/// would read otherwise than it is meant; a network is split by role (the roles are in PacketFence's database); the
/// template has a tag that there is not.
pub fn keepalived(request: &Request<'_>) -> Result<Rendered, GenerateError> {
    let scene = Scene::new(request)?;
    let mut said = Said::default();
    let globals = Globals::new(&scene, &mut said)?;
    let instances = Instances::new(&scene, &globals, &mut said)?;
    let statics = Statics::new(&scene, &mut said)?;
    let text = if let Some(template) = scene.template(TEMPLATE) {
        from_template(template, &scene, &globals, &instances, &statics, &mut said)?
    } else {
        let mut out = Blocks::new();
        out.line("# Written by pfcluster: edits are lost. Change pf.conf or cluster.conf instead,");
        out.line("# or write a template conf/keepalived.conf.");
        globals.write(&mut out);
        instances.trackers().iter().for_each(|tracker| tracker.write(&mut out));
        statics.write_addresses(&mut out);
        statics.write_routes(&mut out);
        instances.write(&mut out);
        out.finish()
    };
    let Said { deviations, notices } = said;
    let files = vec![GeneratedFile { path: "var/conf/keepalived.conf", text, access: Access::Secret }];
    Ok(Rendered { files, deviations, notices })
}

fn from_template(
    template: &str,
    scene: &Scene<'_>,
    globals: &Globals,
    instances: &Instances<'_>,
    statics: &Statics,
    said: &mut Said,
) -> Result<String, GenerateError> {
    let is_used = |tag: &str| template.to_ascii_lowercase().contains(&format!("%%{tag}%%"));
    let part = |write: &dyn Fn(&mut Blocks)| {
        let mut out = Blocks::new();
        write(&mut out);
        out.finish()
    };
    // A check that the template itself defines (PacketFence's of version 12 and later does) is the user's.
    let trackers = instances.trackers();
    let own = |tracker: &&Tracker| !tracking::defines(template, tracker.name());
    let track_scripts = part(&|out| trackers.iter().filter(own).for_each(|tracker| tracker.write(out)));
    let addresses = part(&|out| statics.write_addresses(out));
    let routes = part(&|out| statics.write_routes(out));
    let parts = [("track_scripts", &track_scripts), ("static_ipaddress", &addresses), ("static_routes", &routes)];
    let here = parts.iter().filter(|(tag, text)| !is_used(tag) && !text.is_empty());
    let mut vrrp: Vec<String> = here.map(|(_, text)| (*text).clone()).collect();
    vrrp.push(part(&|out| instances.write(out)));
    let vrrp = vrrp.join("\n");
    let emailaddr = globals.addresses().join("\n     ");
    let tags = [
        ("emailaddr", emailaddr.as_str()),
        ("fromaddr", globals.from()),
        ("smtpserver", globals.smtp_server()),
        ("router_id", globals.router_id()),
        ("vrrp", vrrp.trim_end()),
        ("track_scripts", track_scripts.trim_end()),
        ("static_ipaddress", addresses.trim_end()),
        ("static_routes", routes.trim_end()),
        ("mysql_backend", ""),
        ("lvs", ""),
    ];
    let filled = template::fill(TEMPLATE, template, &tags)?;
    if !is_used("vrrp") {
        said.notice(
            "the template conf/keepalived.conf has no %%vrrp%%: this member takes no virtual address",
            "put %%vrrp%% on a line of its own",
        );
    }
    if scene.request.options.keepalived >= SCRIPT_SECURITY && !template.contains("enable_script_security") {
        said.notice(
            "the template conf/keepalived.conf does not turn on script security, which keepalived calls a violation",
            "write `enable_script_security` and `script_user root` into its global_defs",
        );
    }
    Ok(format!(
        "# Written by pfcluster from the template {TEMPLATE}: edits are lost.\n# Change the template, pf.conf or \
         cluster.conf instead.\n\n{filled}"
    ))
}

/// What is told to the user beside the file, each thing once.
#[derive(Default)]
struct Said {
    deviations: Vec<Deviation>,
    notices: Vec<Notice>,
}

impl Said {
    fn deviation(&mut self, deviation: Deviation) {
        if !self.deviations.contains(&deviation) {
            self.deviations.push(deviation);
        }
    }

    fn notice(&mut self, message: impl Into<String>, help: impl Into<String>) {
        let notice = Notice { message: message.into(), help: help.into() };
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }
}

fn has(scene: &Scene<'_>, feature: Feature) -> bool {
    feature.is_in(scene.request.version)
}
