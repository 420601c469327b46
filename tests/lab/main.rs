//! The lab by hand: `tests/lab/lab up`, then whatever shall happen to it.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use pfcluster_tests::lab::{Host, Job, Lab, LabError, Options, Result, Start, start_together};

const HELP: &str = "\
A PacketFence cluster on this machine: real hosts, real daemons, and what can happen to them.

  lab up [EXAMPLE] [--version X] [--rsync] [--advert-int N] [--disk HOST=MEGABYTES] [--no-start]
                                     EXAMPLE: guide (default), five-members, two-zones
  lab status                         who is on, what its database is, who has the VIPs, what is cut
  lab down                           take everything away

  lab cut HOST...                    power cut, all at the same moment: what was not synced is gone
  lab stop HOST...                   graceful shutdown, one after the other
  lab start HOST... [--new-cluster|--without-position|--no-database]
                                     switch on; start the database and the services, of all at the same moment
  lab database HOST start [--new-cluster|--without-position] | stop | crash | recover
  lab pause HOST... | resume HOST... stop (SIGSTOP) and continue the database's processes
  lab fill HOST | free HOST          the database's disk (its own with --disk; else the host's, with the supervisor's records)
  lab tear HOST FILE BYTES           leave only the first bytes of a state file

  lab partition pf1/pf2,pf3          groups that do not hear each other
  lab block FROM TO                  one direction only
  lab unplug HOST INTERFACE | plug HOST INTERFACE
  lab heal                           everything gets through again

  lab load start [HOST...] [--to ADDRESS[:PORT]] [--pause MILLISECONDS]
  lab load stop | check              who has what was acknowledged?
  lab exec HOST COMMAND...           in the host (`lab exec pf1 bash`)
  lab log HOST [NAME] [-f]           mariadb (default), keepalived, haproxy-db, recovery, pfupdate
  lab matrix                         all scenarios (tests/lab/lab only)";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A reader that has heard enough, as `head`, is no error.
fn say(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn run(words: &[&str]) -> Result {
    let (Some(verb), rest) = (words.first(), words.get(1..).unwrap_or_default()) else {
        say(HELP);
        return Ok(());
    };
    match *verb {
        "help" | "--help" | "-h" => say(HELP),
        "up" => up(rest)?,
        "down" => Lab::open()?.remove()?,
        _ => act(&Lab::open()?, verb, rest)?,
    }
    Ok(())
}

/// Everything for which a lab must be up.
fn act(lab: &Lab, verb: &str, rest: &[&str]) -> Result {
    let (flags, names): (Vec<&str>, Vec<&str>) = rest.iter().partition(|word| word.starts_with("--"));
    let hosts = || names.iter().map(|name| lab.host(name)).collect::<Result<Vec<&Host>>>();
    let each = |what: &dyn Fn(&Host) -> Result| match hosts()?.as_slice() {
        [] => Err(LabError(format!("`lab {verb}` needs a host"))),
        hosts => hosts.iter().try_for_each(|host| what(host)),
    };
    match (verb, rest) {
        ("status", []) => status(lab),
        ("cut", [_, ..]) => lab.cut_together(&hosts()?),
        ("stop", _) => each(&Host::shutdown),
        ("start", [_, ..]) => start(&hosts()?, &flags),
        ("pause", _) => each(&|host| host.signal_database("STOP")),
        ("resume", _) => each(&|host| host.signal_database("CONT")),
        ("fill", _) => each(&Host::fill_disk),
        ("free", _) => each(&Host::free_disk),
        ("tear", [host, file, bytes]) => {
            let bytes = bytes.parse().map_err(|_| LabError(format!("`{bytes}` is not a number")))?;
            lab.host(host)?.tear(file, bytes)
        }
        ("database", [host, verb, flags @ ..]) => database(lab.host(host)?, verb, flags),
        ("partition", [groups]) => {
            let groups = groups.split('/').map(|group| group.split(',').map(|name| lab.plan.host(name)).collect());
            lab.network.partition(&lab.plan, &groups.collect::<Result<Vec<Vec<_>>>>()?)
        }
        ("block", [from, to]) => lab.network.block(&lab.plan, lab.plan.host(from)?, lab.plan.host(to)?),
        ("unplug", [host, interface]) => lab.network.plug(lab.plan.host(host)?, interface, false),
        ("plug", [host, interface]) => lab.network.plug(lab.plan.host(host)?, interface, true),
        ("heal", []) => lab.network.heal(&lab.plan),
        ("load", [verb, rest @ ..]) => load(lab, verb, rest),
        ("writer", [host, to, pause]) => writer(lab, host, to, pause)?.write(&AtomicBool::new(false)),
        ("exec", [host, command @ ..]) if !command.is_empty() => {
            Err(LabError::about(command[0], lab.host(host)?.command(command)?.exec()))
        }
        ("log", [host, rest @ ..]) => log(lab.host(host)?, rest),
        _ => Err(LabError(format!("`lab {verb} {}` is not understood: `lab help`", rest.join(" ")))),
    }
}

fn up(words: &[&str]) -> Result {
    let this = std::env::current_exe()?;
    let mut options = Options { program: this.with_file_name("pfcluster"), ..Options::default() };
    let mut starts = true;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().copied().ok_or_else(|| LabError(format!("{word} needs a value")));
        match *word {
            "--rsync" => options.database_arguments.push("--wsrep_sst_method=rsync".to_owned()),
            "--no-start" => starts = false,
            "--version" => value()?.clone_into(&mut options.version),
            "--advert-int" => {
                options.advert_int = value()?.parse().map_err(|_| LabError(format!("{word} needs a number")))?;
            }
            "--disk" => {
                let disk =
                    value()?.split_once('=').and_then(|(host, size)| Some((host.to_owned(), size.parse().ok()?)));
                options.small_disks.push(disk.ok_or_else(|| LabError("--disk needs HOST=MEGABYTES".to_owned()))?);
            }
            flag if flag.starts_with('-') => return Err(LabError(format!("`lab up` has no {flag}: `lab help`"))),
            example => example.clone_into(&mut options.example),
        }
    }
    let lab = Lab::to_stay(&options)?;
    if starts {
        let took = lab.form_cluster()?;
        lab.hosts.iter().try_for_each(Host::start_services)?;
        say(format!("{} databases in {:.1} s; `lab status`", lab.hosts.len(), took.as_secs_f64()));
    }
    Ok(())
}

fn status(lab: &Lab) -> Result {
    for host in &lab.hosts {
        let services = ["keepalived", "haproxy-db", "haproxy-portal", "haproxy-admin"];
        let running: Vec<&str> = services.into_iter().filter(|unit| host.is_on() && host.is_active(unit)).collect();
        let vips = if host.is_on() { extra_addresses(lab, host)? } else { String::new() };
        say(format!("{:10} {:15} {}", host.name(), host.plan.management.to_string(), host.database_state()));
        if !running.is_empty() || !vips.is_empty() {
            say(format!("{:26} {}{}{vips}", "", running.join(" "), if vips.is_empty() { "" } else { "; VIPs " }));
        }
    }
    lab.network.cuts(&lab.plan)?.iter().for_each(|cut| say(format!("cut: {cut}")));
    say(format!("disks and logs: {}", lab.folder.display()));
    Ok(())
}

/// Those that keepalived has given it.
fn extra_addresses(lab: &Lab, host: &Host) -> Result<String> {
    let shown = lab.network.inside(&host.plan, &["ip", "-o", "-4", "address", "show", "scope", "global"])?;
    let all = shown.lines().filter_map(|line| line.split_whitespace().nth(3)?.strip_suffix("/32"));
    Ok(all.filter(|address| *address != "100.64.0.1").collect::<Vec<_>>().join(" "))
}

fn how(flags: &[&str]) -> Result<Start> {
    match flags {
        [] => Ok(Start::Normal),
        ["--new-cluster"] => Ok(Start::NewCluster),
        ["--without-position"] => Ok(Start::WithoutPosition),
        other => Err(LabError(format!("`{}` is not understood: `lab help`", other.join(" ")))),
    }
}

fn start(hosts: &[&Host], flags: &[&str]) -> Result {
    hosts.iter().filter(|host| !host.is_on()).try_for_each(|host| host.boot())?;
    if flags != ["--no-database"] {
        start_together(hosts, how(flags)?)?;
    }
    hosts.iter().try_for_each(|host| host.start_services())
}

fn database(host: &Host, verb: &str, flags: &[&str]) -> Result {
    match verb {
        "start" => host.start_database(how(flags)?),
        "stop" => host.stop_database(),
        "crash" => host.crash_database(),
        "recover" => {
            let recovered = host.recover()?;
            say(recovered.position.unwrap_or(recovered.text));
            Ok(())
        }
        _ => Err(LabError(format!("a database does not `{verb}`: `lab help`"))),
    }
}

fn writer(lab: &Lab, host: &str, to: &str, pause: &str) -> Result<Job> {
    let pause = pause.parse().map_err(|_| LabError(format!("`{pause}` is not a number of milliseconds")))?;
    Ok(Job::new(lab.host(host)?, to.parse()?, &lab.ledgers(), Duration::from_millis(pause)))
}

/// Writers are processes of their own: this one ends.
fn load(lab: &Lab, verb: &str, words: &[&str]) -> Result {
    let pids = lab.ledgers().join("writers.pids");
    match verb {
        "start" => {
            let (mut to, mut pause, mut names) = ("socket", "10", Vec::new());
            let mut words = words.iter();
            while let Some(word) = words.next() {
                match *word {
                    "--to" => to = words.next().copied().unwrap_or_default(),
                    "--pause" => pause = words.next().copied().unwrap_or_default(),
                    name => names.push(lab.host(name)?.name()),
                }
            }
            if names.is_empty() {
                names = lab.hosts.iter().map(Host::name).collect();
            }
            let mut started = std::fs::read_to_string(&pids).unwrap_or_default();
            for name in names {
                writer(lab, name, to, pause)?;
                let mut command = Command::new("setsid");
                command.arg(std::env::current_exe()?).args(["writer", name, to, pause]).current_dir("/");
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                started += &format!("{}\n", command.spawn()?.id());
            }
            Ok(std::fs::write(&pids, started)?)
        }
        "stop" => {
            for pid in writers(&pids) {
                let _ = Command::new("kill").arg(pid).status();
            }
            let _ = std::fs::remove_file(&pids);
            Ok(())
        }
        "check" => {
            if !writers(&pids).is_empty() {
                return Err(LabError("the writers still write: first `lab load stop`".to_owned()));
            }
            let verdict = lab.verdict()?;
            let is_good = verdict.is_good();
            say(verdict);
            if is_good { Ok(()) } else { Err(LabError("rows are missing, too many, or different".to_owned())) }
        }
        _ => Err(LabError(format!("`lab load {verb}` is not understood: `lab help`"))),
    }
}

/// The writers that still run. Another process may have the number of one by now; and this program may have been built anew
/// since.
fn writers(pids: &Path) -> Vec<String> {
    let is_writer = |pid: &String| {
        let line = std::fs::read(PathBuf::from("/proc").join(pid).join("cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        words.next().is_some_and(|program| program.ends_with(b"/lab")) && words.next() == Some(b"writer")
    };
    let started = std::fs::read_to_string(pids).unwrap_or_default();
    started.lines().map(str::to_owned).filter(is_writer).collect()
}

fn log(host: &Host, words: &[&str]) -> Result {
    let follows = words.contains(&"-f");
    let name = words.iter().find(|word| **word != "-f").unwrap_or(&"mariadb");
    let path = host.folder.join("log").join(format!("{name}.log"));
    let error = Command::new("tail").args(["-n", "200"]).args(follows.then_some("-F")).arg(&path).exec();
    Err(LabError::about("tail", error))
}
