//! The day as one page without anything beside it: for a phone, a mail, a wall.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::quorum::State as Works;
use pfcluster_sim::Condition;
use pfcluster_sim::drill::Day;

use super::svg::{colour, strip_colour, what_works};
use super::{End, Report, holders, mark, seconds, setting, short, time, word};

const STYLE: &str = "
:root { color-scheme: light; font: 16px/1.45 system-ui, sans-serif; }
body { margin: 0; overflow-wrap: anywhere; color: #1b1b1b; background: #ffffff; }
main { max-width: 64rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.end { padding: .6rem .8rem; border-left: .4rem solid; font-weight: 600; }
.fine { border-color: #1e7a43; background: #e8f5ec; } .lost { border-color: #8a6d00; background: #fdf6dd; }
.needs_administrator { border-color: #b3261e; background: #fdeceb; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 44rem; font-size: 13px; }
svg .grid { stroke: #dddddd; } svg .scale { fill: #555555; text-anchor: middle; } svg .in { fill: #ffffff; }
svg .bar { stroke: #ffffff; } svg .event line { stroke: #1b1b1b; stroke-dasharray: 3 3; } svg .event text { text-anchor: middle; font-weight: 600; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .7rem .2rem 0; vertical-align: top; border-bottom: 1px solid #e4e4e4; white-space: nowrap; }
td.text { white-space: normal; }
ul.log { list-style: none; padding: 0; } ul.log > li { margin: .5rem 0; overflow-wrap: anywhere; }
ul.log ul { margin: 0; color: #555555; font-size: .9rem; }
.happens { font-weight: 600; } .time { color: #555555; font-variant-numeric: tabular-nums; }
.key { display: inline-block; margin-right: 1rem; } .key span { display: inline-block; width: .9rem; height: .9rem; margin-right: .3rem; }
code { overflow-wrap: anywhere; }
";

/// By this a page is known as one of ours.
pub(crate) const GENERATOR: &str = "<meta name=\"generator\" content=\"pfcluster drill\"/>";

impl Report<'_> {
    /// The page.
    pub(crate) fn html(&self) -> String {
        let title = escape(&format!("Drill: {}", self.title()));
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n{GENERATOR}\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        );
        let hosts: Vec<String> = self.setting.hosts.iter().map(|host| escape(host.as_str())).collect();
        page += &format!("<p>{}<br/>{}</p>\n", hosts.join(", "), escape(&setting(self)));
        let end = End::of(self.day);
        page += &format!(
            "<p class=\"end {}\">Outcome: {}</p>\n",
            pfcluster_core::form::kind_of(&end),
            escape(&end.sentence(self.scenario))
        );
        page += &self.facts_table(self.day);
        page += "<h2>Timeline</h2>\n";
        page += &scroll(&self.svg(self.day));
        page += &legend();
        page += "<h2>What happens</h2>\n<p>Times in seconds; identifiers and sequence numbers are the model's.</p>\n";
        page += &Report::log(self.day);
        page += "<h2>What an administrator has to do</h2>\n";
        page += &self.administrator();
        page += "<h2>How the members are, and who holds the virtual addresses</h2>\n";
        page += &scroll(&self.pages_table(self.day));
        page += &read_only(self.day);
        page += &self.others_html();
        page + "</main>\n</body>\n</html>\n"
    }

    fn facts_table(&self, day: &Day) -> String {
        let rows = self.facts(day).into_iter();
        let rows =
            rows.map(|(name, text)| format!("<tr><th>{name}</th><td class=\"text\">{}</td></tr>\n", escape(&text)));
        let breach = day.breach.as_ref().map_or_else(String::new, |breach| {
            format!("<tr><th>a promise was broken</th><td class=\"text\">{}</td></tr>\n", escape(&breach.what))
        });
        format!("<table>\n{}{breach}</table>\n", joined(rows))
    }

    fn log(day: &Day) -> String {
        let mut number = 0;
        let mut list = String::from("<ul class=\"log\">\n");
        for line in Report::lines(day) {
            let by: Vec<&str> = line.by.iter().map(Hostname::as_str).collect();
            let (class, by) = if by.is_empty() {
                number += 1;
                (" class=\"happens\"", format!("({number}) "))
            } else {
                ("", format!("{}: ", by.join(", ")))
            };
            let reasons = line.because.iter().map(|reason| format!("<li>{}</li>\n", escape(reason)));
            let reasons = joined(reasons);
            let reasons = if reasons.is_empty() { reasons } else { format!("<ul>\n{reasons}</ul>\n") };
            let (at, what) = (time(line.at), escape(&format!("{by}{}", line.what)));
            list += &format!("<li{class}><span class=\"time\">{at}</span> {what}{reasons}</li>\n");
        }
        list + "</ul>\n"
    }

    fn pages_table(&self, day: &Day) -> String {
        let names = short(&day.hosts);
        let groups = self.groups();
        let heads = groups.iter().map(|(_, group)| {
            let ips: Vec<String> = group.iter().map(|address| address.ip.to_string()).collect();
            ips.join(" ")
        });
        let heads = ["from".to_owned()].into_iter().chain(names.iter().cloned()).chain(heads);
        let mut table = format!("<table>\n{}", row("th", heads));
        for page in &day.pages {
            let members = page.members.iter().map(|member| format!("{} {}", mark(member.works), word(member.database)));
            let held = groups.iter().map(|(number, _)| holders(page.holders[*number], &names));
            table += &row("td", [time(page.at)].into_iter().chain(members).chain(held));
        }
        table + "</table>\n"
    }

    fn administrator(&self) -> String {
        let remedies = Report::remedies(self.day);
        if remedies.is_empty() {
            return format!("<p>{}</p>\n", self.nothing());
        }
        let mut out = String::new();
        for (hosts, action, steps) in remedies {
            let names: Vec<&str> = hosts.iter().map(|host| host.as_str()).collect();
            let say = if hosts.len() == 1 { "says" } else { "say" };
            out += &format!("<p>{} {say}: {}</p>\n", escape(&names.join(", ")), escape(&action));
            if !steps.is_empty() {
                let steps = joined(steps.iter().map(|step| format!("<li><code>{}</code></li>\n", escape(step))));
                out += &format!("<ol>\n{steps}</ol>\n");
            }
        }
        out
    }

    fn others_html(&self) -> String {
        if self.beside.is_empty() {
            return String::new();
        }
        let mut out = String::from(
            "<h2>The same day by the rules of others</h2>\n<p>Reconstructed from what is known of them, in a model; no \
             measurements of these programs.</p>\n",
        );
        let heads = ["rules of", "service restored", "write outage", "commits lost", "split"];
        let mut table = format!("<table>\n{}", row("th", heads.map(str::to_owned)));
        for day in [self.day].into_iter().chain(self.beside) {
            table += &row(
                "td",
                [
                    day.policy.to_string(),
                    day.returned.map_or_else(|| "not by themselves".to_owned(), seconds),
                    seconds(day.without_service()),
                    format!("{} of {}", day.commits.gone(), day.commits.acknowledged),
                    if day.is_split() { "yes" } else { "no" }.to_owned(),
                ],
            );
        }
        out += &scroll(&(table + "</table>\n"));
        for day in self.beside {
            out += &format!("<h3>{}</h3>\n{}", escape(&day.policy.to_string()), scroll(&self.svg(day)));
        }
        out
    }
}

fn read_only(day: &Day) -> String {
    let features = Report::read_only(day);
    if features.is_empty() {
        return String::new();
    }
    let rows = features.into_iter().map(|(title, how, text)| {
        format!("<tr><th>{}</th><td>{how}</td><td class=\"text\">{}</td></tr>\n", escape(title), escape(text))
    });
    let rows = joined(rows);
    format!("<h2>What works without quorum (~)</h2>\n<table>\n{rows}</table>\n")
}

fn legend() -> String {
    let key = |colour: &str, text: &str| {
        format!("<span class=\"key\"><span style=\"background: {colour}\"></span>{}</span>\n", escape(text))
    };
    let databases = joined(Condition::ALL.into_iter().map(|condition| key(colour(condition), word(condition))));
    let works = joined(
        Works::ALL.into_iter().map(|works| key(strip_colour(works), &format!("{} {}", mark(works), what_works(works)))),
    );
    format!("<p>{databases}</p>\n<p>{works}</p>\n")
}

fn row(cell: &str, cells: impl IntoIterator<Item = String>) -> String {
    let cells = joined(cells.into_iter().map(|text| format!("<{cell}>{}</{cell}>", escape(&text))));
    format!("<tr>{cells}</tr>\n")
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.fold(String::new(), |all, part| all + &part)
}

fn scroll(inner: &str) -> String {
    format!("<div class=\"scroll\">\n{inner}</div>\n")
}

/// A text that means itself in an element and in a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(escape("<b title='x'>\"&amp;\"</b>"), "&lt;b title=&#39;x&#39;&gt;&quot;&amp;amp;&quot;&lt;/b&gt;");
        assert_eq!(escape("pf1.example.com: 5 s"), "pf1.example.com: 5 s");
    }
}
