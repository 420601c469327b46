//! Following a runbook: each action of each step on its hosts, then its checks with `--verify`, until they hold.
//!
//! What the lab's hosts have is real: the database, HAProxy, keepalived, pfcluster, the tools of the system. The rest is stood in
//! for by programs that write down what they are asked; one that no stand-in knows ends the test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use pfcluster_core::cluster::{Cluster, Hostname, remove_member};
use pfcluster_core::document::Document;
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use pfcluster_guide::runbook::{Action, Name, Request, Runbook, Step, runbook};
use pfcluster_tests::guard::guard;
use pfcluster_tests::lab::command::{said, wait_until};
use pfcluster_tests::lab::{DEADLINE, Host, Lab, LabError, Result};
use pfcluster_tests::webservices::{PASSWORD, lab as webservices};
use serde_json::Value;

use crate::common::{formed, measured};

/// The lab's PacketFence, and the one that it is upgraded to.
pub(crate) const VERSION: &str = "14.0";
pub(crate) const NEW_VERSION: &str = "14.1";

const PFCMD: &str = include_str!("../../host/pfcmd");
/// A backup that holds something.
const BACKUP: &str =
    "#!/bin/sh\nmkdir -p /root/backup\necho dump >/root/backup/packetfence-exportable-backup-now.tgz\n";
/// The packages of the new version; their server is the one that is there, so it restarts.
const APT_GET: &str = "#!/bin/sh\necho \"apt-get $*\" >>/var/log/pfcmd.log\ncase $1 in\n    update) ;;\n    dist-upgrade) echo \
                       'PacketFence 14.1.0' >/usr/local/pf/conf/pf-release ;;\n    *) exit 64 ;;\nesac\n";
/// Root needs no password on its own host, and nobody is there to type one.
const CLIENT: &str =
    "#!/bin/sh\nfor word; do shift; [ \"$word\" = -p ] || set -- \"$@\" \"$word\"; done\nexec /usr/bin/NAME \"$@\"\n";

/// Sentences of steps that need no hand here, by how they begin.
const NOTHING_TO_DO: [&str; 12] = [
    "with the hypervisor, all of them",
    "restart the server if the packages ask for it",
    "follow the upgrade notes",
    "as the upgrade notes say",
    "once, ",
    "a server that does not answer may still be running",
    "only if it bootstraps another member",
    "only if it starts several members together",
    "only if the decision does not say that",
    "only if `Decision:` says wait or refuse",
    "if a member's database is primary",
    "switch them on, all of them",
];

/// A lab whose hosts have what runbooks call.
pub(crate) fn prepared() -> Result<Lab> {
    let lab = formed()?;
    webservices::serve(&lab)?;
    for host in &lab.hosts {
        prepare(host)?;
    }
    Ok(lab)
}

/// After each boot.
pub(crate) fn prepare(host: &Host) -> Result {
    let programs = [
        ("pf/bin/pfcmd", PFCMD.to_owned()),
        ("pf/addons/exportable-backup.sh", BACKUP.to_owned()),
        ("bin/apt-get", APT_GET.to_owned()),
        ("bin/mysql", CLIENT.replace("NAME", "mariadb")),
        ("bin/mysqldump", CLIENT.replace("NAME", "mariadb-dump")),
    ];
    for (name, text) in programs {
        let path = host.folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&host.folder))?;
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    fs::write(host.folder.join("pf/conf/pf-release"), format!("PacketFence {VERSION}.0\n"))?;
    fs::write(host.folder.join("etc/pf-mariadb"), "")?;
    // Its own, not the machine's.
    host.exec(&["mount", "-t", "tmpfs", "root", "/root"])?;
    fs::copy(host.folder.join("pf/conf/cluster.conf"), host.folder.join("pf/conf/cluster.conf.followed"))?;
    host.exec(&["cp", "/usr/local/pf/conf/cluster.conf.followed", "/root/cluster.conf"]).map(drop)
}

/// A runbook that is followed.
pub(crate) struct Follower<'l> {
    lab: &'l Lab,
    book: Runbook,
    /// The command that makes the same runbook.
    command: Vec<String>,
    text: Vec<u8>,
}

impl<'l> Follower<'l> {
    pub(crate) fn new(lab: &'l Lab, name: Name, members: &[&str], options: &[&str]) -> Result<Follower<'l>> {
        let text = fs::read(lab.plan.folder.join("cluster.conf"))?;
        let cluster = Cluster::from_document(&Document::parse(Source::ClusterConf, &text).value).value;
        let mut request = Request::new(&cluster, version(VERSION));
        request.members = members.iter().map(|name| full_name(lab, name)).collect::<Result<_>>()?;
        let mut command: Vec<String> =
            ["pfcluster", "runbook", "--cluster-conf", "/root/cluster.conf", "--root", "/usr/local/pf", name.as_str()]
                .map(str::to_owned)
                .to_vec();
        command.extend(members.iter().map(|name| (*name).to_owned()));
        command.extend(["--pf-version", VERSION, "--database", "packetfence"].map(str::to_owned));
        for pair in options.chunks(2) {
            match pair {
                ["--without", host] => request.without.push(full_name(lab, host)?),
                ["--to", to] => request.to = Some(version(to)),
                other => return Err(LabError(format!("no such option: {other:?}"))),
            }
            command.extend(pair.iter().map(|word| (*word).to_owned()));
        }
        let book = runbook(name, &request).map_err(|error| LabError(error.to_string()))?;
        Ok(Follower { lab, book, command, text })
    }

    /// All of it; `before` is called before each step.
    pub(crate) fn follow(&self, mut before: impl FnMut(&Step) -> Result) -> Result {
        for number in 0..self.book.steps.len() {
            before(&self.book.steps[number])?;
            self.step(number)?;
        }
        Ok(())
    }

    /// Every line that is for another host alone, pasted into a terminal of this one: how many there were.
    pub(crate) fn paste_into(&self, host: &Host) -> Result<usize> {
        let for_another =
            |command: &&String| guard(command).is_some_and(|(hosts, _)| !hosts.contains(&&*host.plan.hostname));
        let actions = self.book.steps.iter().flat_map(|step| step.actions.iter().chain(&step.back));
        let commands = actions.filter_map(|action| match action {
            Action::Run { command, .. } => Some(command),
            _ => None,
        });
        let mut pasted = 0;
        for command in commands.filter(for_another) {
            let output = host.output(&["bash", "-c", command])?;
            assert_eq!(
                output.status.code(),
                Some(1),
                "`{command}` does something on {}: {}",
                host.name(),
                said(&output)
            );
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(told.starts_with(&format!("not run: this is {}", host.plan.hostname)), "{command}: {told}");
            pasted += 1;
        }
        Ok(pasted)
    }

    fn host(&self, host: &Hostname) -> Result<&'l Host> {
        let found = self.lab.hosts.iter().find(|one| one.plan.hostname == host.as_str());
        found.ok_or_else(|| LabError(format!("the lab has no {host}")))
    }

    fn step(&self, number: usize) -> Result {
        let step = &self.book.steps[number];
        measured(&format!("{} {}", self.book.name, number + 1), &step.title);
        let actions = |name: &Hostname| -> Result {
            let host = self.host(name)?;
            let failed = |error: LabError| LabError(format!("{} on {name}: {error}", step.title));
            step.actions.iter().try_for_each(|action| self.action(host, action)).map_err(failed)
        };
        if step.one_by_one {
            return step.on.iter().try_for_each(|name| {
                actions(name)?;
                self.verify(number, self.host(name)?)
            });
        }
        if step.warnings.iter().any(|warning| warning.starts_with("one after the other, each until")) {
            for name in &step.on {
                actions(name)?;
                let host = self.host(name)?;
                let is_through =
                    || !host.database_runs() || host.status("wsrep_local_state_comment").eq_ignore_ascii_case("synced");
                let what = format!("step {} on {name}: synced, or not started", number + 1);
                wait_until(&what, DEADLINE, is_through, || host.log("mariadb"))?;
            }
            return step.on.iter().try_for_each(|name| self.verify(number, self.host(name)?));
        }
        // In a terminal for each: a database that waits for the others keeps none of them waiting.
        thread::scope(|scope| {
            let all: Vec<_> = step.on.iter().map(|name| scope.spawn(|| actions(name))).collect();
            all.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| Err(LabError("a panic".to_owned()))))
        })?;
        step.on.iter().try_for_each(|name| self.verify(number, self.host(name)?))
    }

    /// What can be told of the step on this host holds in the end.
    fn verify(&self, number: usize, host: &Host) -> Result {
        if !host.is_on() {
            return Ok(());
        }
        let checks = || -> Vec<Value> {
            let words: Vec<&str> = self.command.iter().map(String::as_str).collect();
            let answer = host.output(&[&words[..], &["--verify", "--format", "json", "--timeout", "2"]].concat());
            let document =
                answer.ok().and_then(|answer| serde_json::from_slice::<Value>(&answer.stdout).ok()).unwrap_or_default();
            document["steps"][number]["verify"].as_array().cloned().unwrap_or_else(|| vec![document])
        };
        // Virtual addresses are the business of other scenarios: without supervisors nobody tells what others hold.
        let is_told = |check: &Value| check["standing"]["elsewhere"] != true && check["kind"] != "virtual_addresses";
        let holds = || checks().iter().filter(|check| is_told(check)).all(|check| check["standing"]["state"] == "done");
        let what = format!("step {} on {}", number + 1, host.name());
        wait_until(&what, DEADLINE, holds, || format!("{:#?}\n{}", checks(), host.log("mariadb"))).map(drop)
    }

    fn action(&self, host: &Host, action: &Action) -> Result {
        match action {
            Action::Run { only: Some(only), .. } if !only.contains("Debian") => Ok(()),
            Action::Run { command, .. } => self.run(host, command),
            Action::Sql { client, statements } => {
                let line = format!("printf '%s\\n' \"{}\" | {{ {client}; }}", statements.join(" "));
                self.run(host, &line)
            }
            Action::Edit { file, lines } => {
                let name = file.trim_start_matches("/usr/local/");
                Ok(fs::write(host.folder.join(name), lines.join("\n") + "\n")?)
            }
            Action::Do { what } => self.do_it(host, what),
            other => Err(LabError(format!("nobody knows how: {other:?}"))),
        }
    }

    pub(crate) fn run(&self, host: &Host, command: &str) -> Result {
        // Between hosts, as ssh would.
        if let Some((path, target)) = command.strip_prefix("scp /").and_then(|rest| rest.split_once(" root@")) {
            let address = target.trim_end_matches(":/root/");
            let to = self.lab.hosts.iter().find(|one| one.plan.management.to_string() == address);
            let text = host.exec(&["cat", &format!("/{path}")])?;
            let to = to.ok_or_else(|| LabError(format!("nobody has {address}")))?;
            return to.exec(&["sh", "-c", &format!("cat >/{path} <<'EOF'\n{text}\nEOF")]).map(drop);
        }
        if let Some(source) = command.strip_prefix("scp root@") {
            let (address, path) = source.trim_end_matches(" /root/").split_once(':').unwrap_or((source, ""));
            let from = self.lab.hosts.iter().find(|one| one.plan.management.to_string() == address);
            let text = from.ok_or_else(|| LabError(format!("nobody has {address}")))?.exec(&["cat", path])?;
            return host.exec(&["sh", "-c", &format!("cat >{path} <<'EOF'\n{text}\nEOF")]).map(drop);
        }
        if let Some(program) = ["shutdown -h now", "reboot"].into_iter().find(|program| command.ends_with(program)) {
            // The guard is what decides, as everywhere.
            let line = command.replace(program, "true");
            host.exec(&["sh", "-c", &line])?;
            return host.shutdown();
        }
        let command = command.replace("--api-user USER", "--api-user packet");
        let output = host.output(&["env", &format!("PFCLUSTER_API_PASSWORD={PASSWORD}"), "bash", "-c", &command])?;
        let code = output.status.code().unwrap_or(-1);
        // The answer "no" is an answer, and whoever is off does not answer; 64 is a stand-in that does not know it.
        let answers = [
            "pfcluster status",
            "pfcluster conflict",
            "pfcluster bootstrap",
            "pfcluster check",
            "ping ",
            "grep ",
            "pgrep ",
            "ls ",
        ];
        // On the members that the decision does not name.
        let is_passed_over = output.stdout.starts_with(b"not run: /root/pfcluster-decision does not say");
        let asks = guard(&command).map_or(&*command, |(_, command)| command);
        if code == 0
            || code == 1 && is_passed_over
            || code < 64 && answers.iter().any(|answer| asks.starts_with(answer) || asks.ends_with("--dry-run"))
        {
            return Ok(());
        }
        Err(LabError(format!("`{command}` ends with {code}: {}", said(&output))))
    }

    fn do_it(&self, host: &Host, what: &str) -> Result {
        if NOTHING_TO_DO.iter().any(|begin| what.starts_with(begin)) {
            return Ok(());
        }
        if what.starts_with("delete these sections") {
            let document = Document::parse(Source::ClusterConf, &self.text).value;
            let gone = what.split('[').nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
            let gone: Hostname = gone.parse().map_err(|error| LabError(format!("{gone}: {error}")))?;
            let text = remove_member(&document, &gone).map_err(|error| LabError(error.to_string()))?;
            return Ok(fs::write(host.folder.join("pf/conf/cluster.conf"), text)?);
        }
        Err(LabError(format!("nobody knows how to `{what}`")))
    }
}

fn full_name(lab: &Lab, name: &str) -> Result<Hostname> {
    let name = lab.plan.host(name).map_or(name, |plan| &plan.hostname);
    name.parse().map_err(|error| LabError(format!("{name}: {error}")))
}

fn version(text: &str) -> PfVersion {
    text.parse().unwrap_or(PfVersion::NEWEST)
}
