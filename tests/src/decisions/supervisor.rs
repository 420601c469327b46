//! A supervisor over time: the command of tests/testdata/supervisor.
//!
//! ```text
//! supervise pf1 [passive]
//! 0s   pf1  crashed  A:10  view=5{1,2,3}
//! 0s   pf2  crashed  A:12  view=5{1,2,3}
//! 0s   pf3  silent
//! 4s   pf1  told assume-lost pf3
//! 10s
//! ----
//! 0.0 s  wait for pf3
//! 4.0 s  override given on pf1 by root: do without what pf3 may hold
//! ```
//!
//! Each line says what is so from that moment on; the last moment ends the story. The peers are real supervisors that only
//! look and tell, so what is heard of them has come by datagram. Questions are answered at once, and steps carried out at
//! once: a server that was started is `starting` then, one that was ended is `crashed` or `stopped`.
//!
//! | line | meaning |
//! |---|---|
//! | `pf1 STATE ...` | what its database is found to be, in the words of tests/src/decisions/bootstrap.rs, and `queue=`, `number=` (what waits to be applied, the view's number in its status), `age=` (how many seconds old that is when it is found), `holds=` (the virtual addresses of its host, which can't tell without this word). Records are those of its supervisor at its start |
//! | `pf2 silent` | its supervisor is not heard, nor hears |
//! | `pf2 database STATE ...` | what its database answers over the network, if not what its supervisor finds |
//! | `pf2 told WORD [HOST]` | root gives there the override `assume-lost`, `discard`, `trust`, `end`, `seed`, `standalone` or `force` |
//! | `pf1 ended WHY` | the database's process has ended |
//! | `pf1 steps fail WHY`, `pf1 steps hang`, `pf1 steps go` | how steps go from here on; those that hang are done when they go |
//! | `pf1 records fail WHY`, `pf1 records go` | the same for what is written down in service |
//! | `pf1 keys both`, `pf1 keys next` | its file has the current and the next key now, or only what was the next one |
//! | `pf2 signs own`, `pf2 signs another` | it signs with a key of its own from here on, or with another one. (Another run of a peer, with other records, signs nothing.) |
//! | `pf1 accepts pf2 another` | an operator accepts that key of pf2 there |
//! | `pf1 end` | the supervisor is told to end |
//!
//! The output: what it tells, does and writes down, and when.

mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{Evidence, Observation, Process, Records, Running};
use pfcluster_core::supervisor::{Config, Event, Input, Key, Look, Output, Start, Status, Step, Supervisor, Tick};

use self::words::{backup, goes, keys, saying, shown, signing, step_shown};
use super::bootstrap::{host, member, readable};
use crate::Case;

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    (case.command == "supervise").then(|| story(case).map(|story| readable(story.out)))
}

/// What the supervisor of a case tells, and how it is in the end.
///
/// # Errors
/// A sentence about a line that can't be read.
pub fn told(case: &Case) -> Result<(Vec<Event>, Option<Status>), String> {
    let story = story(case)?;
    let status = |host: &Host| host.supervisor.as_ref().map(|supervisor| supervisor.status(story.now));
    let status = story.hosts.get(&story.me).and_then(status);
    Ok((story.events, status))
}

fn story(case: &Case) -> Result<Story, String> {
    let lines: Vec<Line> = case.input.lines().map(line).collect::<Result<_, _>>()?;
    let me = host(case.words.first().ok_or("`supervise` needs the member that it is about")?)?;
    let mut names: Vec<&str> = lines.iter().filter_map(|line| line.words.first().copied()).collect();
    names.sort_unstable();
    names.dedup();
    let names = names.into_iter().map(host).collect::<Result<Vec<_>, _>>()?;
    let mut story = Story::new(me, names, case.has("passive"))?;
    for together in lines.chunk_by(|one, other| one.when == other.when) {
        story.pass(together[0].when)?;
        together.iter().try_for_each(|line| story.happens(line))?;
        story.settle()?;
    }
    Ok(story)
}

/// More than any moment asks for.
const MOST_AT_ONCE: usize = 1000;

struct Line<'l> {
    when: Tick,
    words: Vec<&'l str>,
}

fn line(text: &str) -> Result<Line<'_>, String> {
    let mut words = text.split_whitespace();
    let wrong = || format!("`{text}`: begin with a time like `12s` or `0.5s`");
    let seconds: f64 =
        words.next().and_then(|word| word.strip_suffix('s')).and_then(|word| word.parse().ok()).ok_or_else(wrong)?;
    let when = std::time::Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    Ok(Line { when: Tick(0) + when, words: words.collect() })
}

/// How something goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Goes {
    #[default]
    Well,
    Hangs,
    Fails(String),
}

/// One member's host, as far as its supervisor can tell.
#[derive(Default)]
struct Host {
    supervisor: Option<Supervisor>,
    /// What a look finds.
    look: Option<Look>,
    /// Records that were there before its supervisor began.
    records: Records,
    hash: Option<Box<str>>,
    /// What its database answers over the network.
    database: Option<Running>,
    runs: u64,
    silent: bool,
}

struct Story {
    me: Hostname,
    names: Vec<Hostname>,
    passive: bool,
    now: Tick,
    hosts: BTreeMap<Hostname, Host>,
    steps: Goes,
    records: Goes,
    /// Steps that hang, in the order in which they are to be done.
    hanging: Vec<Vec<Step>>,
    said: u64,
    data: u64,
    /// What was persisted last, as it is shown.
    recorded: String,
    events: Vec<Event>,
    out: String,
}

impl Story {
    fn new(me: Hostname, names: Vec<Hostname>, passive: bool) -> Result<Story, String> {
        if !names.contains(&me) {
            return Err(format!("nothing is said of {me}"));
        }
        let hosts = names.iter().map(|name| (name.clone(), Host::default())).collect();
        Ok(Story {
            me,
            names,
            passive,
            now: Tick(0),
            hosts,
            steps: Goes::Well,
            records: Goes::Well,
            hanging: Vec::new(),
            said: 0,
            data: 0,
            recorded: "records nothing".to_owned(),
            events: Vec::new(),
            out: String::new(),
        })
    }

    fn host(&mut self, name: &Hostname) -> Result<&mut Host, String> {
        self.hosts.get_mut(name).ok_or_else(|| format!("nothing is said of {name} at first"))
    }

    fn happens(&mut self, line: &Line<'_>) -> Result<(), String> {
        let Some((name, words)) = line.words.split_first() else { return Ok(()) };
        let name = host(name)?;
        let is_mine = name == self.me;
        match words {
            ["silent"] if !is_mine => self.host(&name)?.silent = true,
            ["database", state @ ..] => {
                let evidence = self.evidence(&name, state)?;
                self.host(&name)?.database = match evidence.process {
                    Process::Running(running) => Some(running),
                    _ => None,
                };
            }
            ["told", word @ ..] => {
                self.said += 1;
                let input = Input::Said { id: self.said, saying: saying(word)?, user: Some(0) };
                self.input(&name, input);
            }
            ["keys", which] => {
                let keys = keys(which)?;
                self.input(&name, Input::KeysRead { keys });
            }
            ["signs", which] => {
                let key = signing(&name, which)?;
                self.input(&name, Input::SigningKeyRead { key });
            }
            ["accepts", member, which] => {
                let member = host(member)?;
                let key = signing(&member, which)?.public();
                self.input(&name, Input::PublicKeyAccepted { member, key });
            }
            ["ended", why @ ..] if is_mine => {
                self.becomes(Process::Stopped);
                self.input(&name, Input::Ended { why: why.join(" ").into() });
            }
            ["steps", how @ ..] if is_mine => {
                self.steps = goes(how)?;
                if self.steps != Goes::Hangs {
                    std::mem::take(&mut self.hanging).iter().for_each(|steps| self.carry_out(steps));
                }
            }
            ["records", how @ ..] if is_mine => self.records = goes(how)?,
            ["end"] if is_mine => self.input(&name, Input::End),
            state => self.found(&name, state)?,
        }
        Ok(())
    }

    fn evidence(&self, name: &Hostname, state: &[&str]) -> Result<Evidence, String> {
        let place = self.names.iter().position(|other| other == name).unwrap_or_default();
        let short = name.as_str().split('.').next().unwrap_or_default();
        match member(place, &format!("{short} {}", state.join(" ")))?.observation {
            Observation::Known(evidence) => Ok(*evidence),
            Observation::Unknown(_) => {
                Err(format!("{short}: `{}` is nothing that it can find of itself", state.join(" ")))
            }
        }
    }

    /// From here on this is what a look at the member finds.
    fn found(&mut self, name: &Hostname, words: &[&str]) -> Result<(), String> {
        let value = |key: &str| {
            let word = words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            word.map(|word| word.parse::<u64>().map_err(|_| format!("{key}={word} is no number"))).transpose()
        };
        let (queue, number, age) = (value("queue")?, value("number")?, value("age")?);
        let holds = words.iter().find_map(|word| word.strip_prefix("holds="));
        let vips = holds.map(|vips| {
            let vips = vips.split(',').filter(|vip| !vip.is_empty());
            vips.map(|vip| vip.parse::<Ipv4Addr>().map_err(|_| format!("{vip} is no address"))).collect()
        });
        let vips = vips.transpose()?;
        let backup =
            words.iter().find_map(|word| word.strip_prefix("backup=")).map(backup).transpose()?.unwrap_or_default();
        let is_look =
            |word: &&&str| ["queue=", "number=", "age=", "holds=", "backup="].iter().any(|key| word.starts_with(key));
        let state: Vec<&str> = words.iter().filter(|word| !is_look(word)).copied().collect();
        let mut evidence = self.evidence(name, &state)?;
        self.data += 1;
        let data = self.data;
        let (now, is_mine, passive) = (self.now, *name == self.me, self.passive || *name != self.me);
        let (names, me) = (self.names.clone(), name.clone());
        let host = self.host(name)?;
        // Records are the supervisor's to know.
        let records = evidence.files.as_mut().map(|files| std::mem::take(&mut files.records)).unwrap_or_default();
        let hash = evidence.members_hash.clone();
        // Another run of its supervisor, with other records.
        let begins = host.supervisor.is_none() || !is_mine && (records != host.records || hash != host.hash);
        (host.records, host.hash, host.silent) = (records.clone(), hash.clone(), false);
        host.look = Some(Look {
            evidence: Evidence { members_hash: None, ..evidence },
            data,
            view_number: number,
            receive_queue: queue,
            age: Duration::from_secs(age.unwrap_or_default()),
            vips,
            backup,
        });
        if begins {
            host.runs += 1;
            let place = names.iter().position(|other| *other == me).unwrap_or_default() as u64;
            let mut config = Config::new(me, names, Key::new([7; 32]), 100 * place + host.runs);
            (config.records, config.is_passive) = (records, passive);
            if let Some(hash) = hash {
                config.members_hash = hash;
            }
            host.supervisor = Some(Supervisor::new(config, now));
        } else if !is_mine {
            // A peer looks at once, so that the story tells when the others hear of it.
            self.input(name, Input::Ended { why: Box::default() });
        }
        Ok(())
    }

    /// The own database's process is another one now.
    fn becomes(&mut self, process: Process) {
        self.data += 1;
        if let Some(look) = self.hosts.get_mut(&self.me).and_then(|host| host.look.as_mut()) {
            look.data = self.data;
            look.evidence.process = process;
        }
    }

    fn input(&mut self, name: &Hostname, input: Input) {
        if let Some(supervisor) = self.hosts.get_mut(name).and_then(|host| host.supervisor.as_mut()) {
            supervisor.handle_input(self.now, input);
        }
    }

    /// Time goes on until then.
    fn pass(&mut self, until: Tick) -> Result<(), String> {
        if until < self.now {
            return Err(format!("time goes back to {} ms", until.0));
        }
        loop {
            let next = |host: &Host| host.supervisor.as_ref()?.poll_timeout().map(|(when, _)| when);
            let due = self.hosts.iter().filter_map(|(name, host)| Some((next(host)?, name.clone()))).min();
            let Some((when, name)) = due.filter(|(when, _)| *when <= until) else { break };
            self.now = self.now.max(when);
            self.input(&name, Input::Woken);
            self.settle()?;
        }
        self.now = until;
        Ok(())
    }

    /// All that is to be done now is done. Where that never ends, the supervisors keep each other busy.
    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..MOST_AT_ONCE {
            let mut hosts = self.hosts.iter_mut();
            let output = hosts.find_map(|(name, host)| Some((name.clone(), host.supervisor.as_mut()?.poll_output()?)));
            let Some((name, output)) = output else { return Ok(()) };
            self.output(&name, output);
        }
        let last = self.out.lines().rev().take(10).collect::<Vec<_>>().join("\n");
        Err(format!("at {} ms there is no end of outputs; the last were\n{last}", self.now.0))
    }

    fn output(&mut self, name: &Hostname, output: Output) {
        let is_mine = *name == self.me;
        match output {
            Output::Look { number, .. } => {
                if let Some(look) = self.hosts.get(name).and_then(|host| host.look.clone()) {
                    self.input(name, Input::Looked { number, look: Box::new(look) });
                }
            }
            Output::Ask { number, hosts } => {
                let answers = if is_mine { self.answers(&hosts) } else { Vec::new() };
                self.input(name, Input::Asked { number, answers });
            }
            Output::Send { to, bytes } => {
                let is_heard = |name: &Hostname| self.hosts.get(name).is_some_and(|host| !host.silent);
                if is_heard(name) && is_heard(&to) {
                    self.input(&to, Input::Received { bytes });
                }
            }
            Output::Act { steps, .. } if is_mine => match self.steps {
                Goes::Hangs => self.hanging.push(steps),
                _ => self.carry_out(&steps),
            },
            Output::Record(records) if is_mine => {
                let text = format!("records {}", shown(&records));
                // Who has a supervisor is not shown.
                if self.recorded != text || matches!(self.records, Goes::Fails(_)) {
                    self.tell(&text);
                }
                self.recorded = text;
                if let Goes::Fails(why) = &self.records {
                    let why = why.as_str().into();
                    self.input(name, Input::NotRecorded { why });
                }
            }
            Output::Sync => {
                if is_mine {
                    self.tell("  sync the data to disk");
                }
                self.input(name, Input::Synced { result: Ok(()) });
            }
            Output::Tell(event) if is_mine => {
                self.tell(&match &event {
                    Event::Decided { action, .. } => action.to_string(),
                    event => event.to_string(),
                });
                self.events.push(event);
            }
            Output::End if is_mine => self.tell("ends"),
            _ => {}
        }
    }

    fn answers(&self, asked: &[Hostname]) -> Vec<(Hostname, Running)> {
        let answer = |name: &Hostname| {
            let host = self.hosts.get(name)?;
            let found = host.look.as_ref().filter(|_| !host.silent).map(|look| &look.evidence.process);
            match (&host.database, found) {
                (Some(running), _) | (None, Some(Process::Running(running))) => Some((name.clone(), running.clone())),
                _ => None,
            }
        };
        asked.iter().filter_map(answer).collect()
    }

    fn carry_out(&mut self, steps: &[Step]) {
        let result = match &self.steps {
            Goes::Fails(why) => Err(why.as_str().into()),
            _ => Ok(()),
        };
        for step in steps {
            self.tell(&format!("  {}", step_shown(step)));
            match step {
                Step::Start { how: Start::Normal, .. } if result.is_ok() => self.becomes(Process::Starting),
                Step::Start { .. } if result.is_ok() => self.becomes(Process::Bootstrapping),
                Step::Stop { .. } | Step::End { .. } if result.is_ok() => self.becomes(Process::Stopped),
                _ => {}
            }
        }
        let me = self.me.clone();
        self.input(&me, Input::Acted { result });
    }

    fn tell(&mut self, text: &str) {
        let _ = writeln!(self.out, "{}.{} s  {text}", self.now.0 / 1000, self.now.0 % 1000 / 100);
    }
}
