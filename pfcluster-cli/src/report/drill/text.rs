//! The day as people read it in a terminal.

use std::io::{self, Write};

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use pfcluster_core::cluster::Hostname;
use pfcluster_sim::drill::Day;

use super::{End, Line, Report, holders, mark, seconds, setting, short, time, word};

impl Report<'_> {
    /// What happens, how the members are, how it ends, what is to be done; beside it what others would have done.
    ///
    /// # Errors
    /// If it can't be written.
    pub(crate) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "Drill: {}", self.title())?;
        writeln!(out, "({})", setting(self))?;
        writeln!(out, "\nWhat happens, in seconds (identifiers and sequence numbers are the model's):")?;
        Report::lines(self.day).iter().try_for_each(|line| line.print(out))?;
        writeln!(out, "\nHow the members are, and who holds the virtual addresses:")?;
        self.table(self.day, out)?;
        writeln!(out, "+ everything works there, ~ what works without quorum, - nothing")?;
        let read_only = Report::read_only(self.day);
        if !read_only.is_empty() {
            writeln!(out, "\nWhat works without quorum (~):")?;
            let mut table = plain();
            for (title, how, text) in read_only {
                table.add_row([title, &how, text]);
            }
            print(&table, " ", out)?;
        }
        writeln!(out, "\nOutcome: {}", End::of(self.day).sentence(self.scenario))?;
        self.end(self.day, out)?;
        self.others(out)
    }

    fn table(&self, day: &Day, out: &mut dyn Write) -> io::Result<()> {
        let names = short(&day.hosts);
        let groups = self.groups();
        let mut table = plain();
        let heads = groups.iter().map(|(_, group)| {
            let ips: Vec<String> = group.iter().map(|address| address.ip.to_string()).collect();
            ips.join("\n")
        });
        table.set_header(["from".to_owned()].into_iter().chain(names.iter().cloned()).chain(heads));
        for page in &day.pages {
            let members = page.members.iter().map(|member| format!("{} {}", mark(member.works), word(member.database)));
            let held = groups.iter().map(|(number, _)| holders(page.holders[*number], &names));
            table.add_row([time(page.at)].into_iter().chain(members).chain(held));
        }
        print(&table, "", out)
    }

    fn end(&self, day: &Day, out: &mut dyn Write) -> io::Result<()> {
        let mut table = plain();
        let mut before = "";
        for (name, sentence) in self.facts(day) {
            table.add_row([if name == before { "" } else { name }, &sentence]);
            before = name;
        }
        print(&table, " ", out)?;
        if let Some(breach) = &day.breach {
            writeln!(out, "  a promise was broken: {}", breach.what)?;
            writeln!(out, "  this is a mistake of pfcluster: please report it with the command and its seed")?;
        }
        writeln!(out, "\nWhat an administrator has to do:")?;
        let remedies = Report::remedies(day);
        if remedies.is_empty() {
            writeln!(out, "  {}", self.nothing())?;
        }
        for (hosts, action, steps) in remedies {
            let hosts: Vec<&str> = hosts.iter().map(|host| host.as_str()).collect();
            writeln!(out, "  {} {}: {action}", hosts.join(", "), if hosts.len() == 1 { "says" } else { "say" })?;
            let mut steps = steps.iter().enumerate();
            steps.try_for_each(|(number, step)| writeln!(out, "    {}. {step}", number + 1))?;
        }
        Ok(())
    }

    fn others(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.beside.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nThe same day by the rules of others, reconstructed from what is known of them:")?;
        let mut table = plain();
        table.set_header(["rules of", "service restored", "write outage", "commits lost", "split"]);
        for day in [self.day].into_iter().chain(self.beside) {
            table.add_row([
                day.policy.to_string(),
                day.returned.map_or_else(|| "not by themselves".to_owned(), seconds),
                seconds(day.without_service()),
                format!("{} of {}", day.commits.gone(), day.commits.acknowledged),
                if day.is_split() { "yes" } else { "no" }.to_owned(),
            ]);
        }
        print(&table, "", out)
    }
}

impl Line {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let by: Vec<&str> = self.by.iter().map(Hostname::as_str).collect();
        let by = if by.is_empty() { String::new() } else { format!("{}: ", by.join(", ")) };
        let mark = if self.by.is_empty() { '*' } else { ' ' };
        writeln!(out, "{:>7} {mark} {by}{}", time(self.at), self.what)?;
        self.because.iter().try_for_each(|reason| writeln!(out, "            {reason}"))
    }
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table
}

fn print(table: &Table, before: &str, out: &mut dyn Write) -> io::Result<()> {
    table.lines().try_for_each(|line| writeln!(out, "{}", format!("{before}{line}").trim_end()))
}
