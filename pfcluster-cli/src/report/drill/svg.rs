//! The timeline of a day, drawn: a lane for each member, one for the virtual addresses that move together, and what happens
//! on top, numbered as in the list.

use pfcluster_core::quorum::State as Works;
use pfcluster_sim::drill::Day;
use pfcluster_sim::{Condition, Entry, Page};

use super::html::escape;
use super::{Report, holders, short, time, word};

/// The drawing's width, and what of it is left of the lanes.
const WIDTH: u64 = 1_000;
const LEFT: u64 = 150;

/// Above the lanes stand the numbers of what happens; a lane, its bar, and the strip below that.
const TOP: u64 = 30;
const LANE: u64 = 34;
const BAR: u64 = 20;
const STRIP: u64 = 5;

/// What a letter needs, so that words stay within their bars.
const LETTER: u64 = 8;

/// Steps of the scale, in seconds.
const STEPS: [u64; 9] = [5, 10, 20, 30, 60, 120, 300, 600, 1_200];
const MOST_STEPS: u64 = 12;

/// A drawing that grows.
struct Drawing {
    out: String,
    length: u64,
    /// Where the last number stands.
    numbered: u64,
}

impl Report<'_> {
    /// The drawing as an element of a page.
    pub(super) fn svg(&self, day: &Day) -> String {
        let names = short(&day.hosts);
        let groups = self.groups();
        let lanes = (names.len() + groups.len()) as u64;
        let bottom = TOP + lanes * LANE;
        let height = bottom + 24;
        let mut drawing = Drawing { out: String::new(), length: day.length.max(1), numbered: 0 };
        drawing.out += &format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"timeline of {} members in {} s\">\n",
            names.len(),
            time(day.length)
        );
        drawing.scale(bottom);
        for (place, name) in names.iter().enumerate() {
            let y = TOP + place as u64 * LANE;
            drawing.label(y, name);
            for (begin, end, member) in runs(day, |page| page.members[place]) {
                let (condition, works) = (member.database, member.works);
                let title = format!("{name}: {}, {}", word(condition), what_works(works));
                drawing.bar(y, begin, end, colour(condition), word(condition), &title);
                drawing.strip(y + BAR, begin, end, strip_colour(works), &title);
            }
        }
        for (lane, (number, group)) in groups.iter().enumerate() {
            let y = TOP + (names.len() + lane) as u64 * LANE;
            let ips: Vec<String> = group.iter().map(|address| address.ip.to_string()).collect();
            let more = if ips.len() > 1 { " ..." } else { "" };
            drawing.label(y, &format!("{}{more}", ips[0]));
            for (begin, end, set) in runs(day, |page| page.holders[*number]) {
                let who = holders(set, &names);
                let colour = if set.len() == 1 { "#5a6b8c" } else { "#b3261e" };
                drawing.bar(y, begin, end, colour, &who, &format!("{}: {who}", ips.join(", ")));
            }
        }
        let happens = day.moments.iter().filter_map(|moment| match &moment.entry {
            Entry::Happens(happening) => Some((moment.at, happening.text(&day.hosts))),
            Entry::Told(..) => None,
        });
        for (number, (at, what)) in (1..).zip(happens) {
            drawing.event(number, at, bottom, &what);
        }
        drawing.out + "</svg>\n"
    }
}

/// What stays the same from page to page, with its beginning and end.
fn runs<T: PartialEq>(day: &Day, of: impl Fn(&Page) -> T) -> Vec<(u64, u64, T)> {
    let mut runs: Vec<(u64, u64, T)> = Vec::new();
    for (page, end) in day.spans() {
        let value = of(page);
        match runs.last_mut() {
            Some(last) if last.2 == value => last.1 = end,
            _ => runs.push((page.at, end, value)),
        }
    }
    runs
}

impl Drawing {
    fn x(&self, at: u64) -> u64 {
        LEFT + at.min(self.length) * (WIDTH - LEFT - 10) / self.length
    }

    fn scale(&mut self, bottom: u64) {
        let length = self.length / 1_000;
        let step = STEPS.into_iter().find(|step| length / step <= MOST_STEPS).unwrap_or(length.max(1));
        for second in (0..=length).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            let x = self.x(second * 1_000);
            self.out += &format!("<line class=\"grid\" x1=\"{x}\" y1=\"{TOP}\" x2=\"{x}\" y2=\"{bottom}\"/>\n");
            let y = bottom + 16;
            self.out += &format!("<text class=\"scale\" x=\"{x}\" y=\"{y}\">{second} s</text>\n");
        }
    }

    fn label(&mut self, y: u64, name: &str) {
        let y = y + 15;
        self.out += &format!("<text x=\"4\" y=\"{y}\">{}</text>\n", escape(name));
    }

    fn bar(&mut self, y: u64, begin: u64, end: u64, colour: &str, word: &str, title: &str) {
        let (x, width) = (self.x(begin), (self.x(end) - self.x(begin)).max(1));
        self.out += &format!(
            "<rect class=\"bar\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" fill=\"{colour}\"><title>{} ({} to {} s)</title></rect>\n",
            escape(title),
            time(begin),
            time(end)
        );
        if width > word.len() as u64 * LETTER + 8 {
            let (x, y) = (x + 4, y + 15);
            self.out += &format!("<text class=\"in\" x=\"{x}\" y=\"{y}\">{}</text>\n", escape(word));
        }
    }

    fn strip(&mut self, y: u64, begin: u64, end: u64, colour: &str, title: &str) {
        let (x, width) = (self.x(begin), (self.x(end) - self.x(begin)).max(1));
        self.out += &format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{STRIP}\" fill=\"{colour}\"><title>{}</title></rect>\n",
            escape(title)
        );
    }

    /// A line across the lanes, with its number where there is room for one.
    fn event(&mut self, number: usize, at: u64, bottom: u64, what: &str) {
        let x = self.x(at);
        let is_free = x >= self.numbered + 3 * LETTER;
        let number = if is_free {
            self.numbered = x;
            format!("<text x=\"{x}\" y=\"{}\">{number}</text>", TOP - 12)
        } else {
            String::new()
        };
        self.out += &format!(
            "<g class=\"event\"><title>{} s: {}</title><line x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{bottom}\"/>{number}</g>\n",
            time(at),
            escape(what),
            TOP - 8
        );
    }
}

pub(super) fn colour(condition: Condition) -> &'static str {
    match condition {
        Condition::Off => "#333333",
        Condition::Stopped => "#767676",
        Condition::Starting => "#4f6fa8",
        Condition::Receiving => "#2d62c9",
        Condition::NonPrimary => "#b85c00",
        Condition::Stalled => "#8a6d00",
        Condition::Primary => "#1e7a43",
        Condition::Alone => "#0f6e6e",
    }
}

pub(super) fn strip_colour(works: Works) -> &'static str {
    match works {
        Works::Primary => "#7fd1a0",
        Works::ReadOnly => "#f0b429",
        Works::Down => "#d9534f",
    }
}

pub(super) fn what_works(works: Works) -> &'static str {
    match works {
        Works::Primary => "everything works there",
        Works::ReadOnly => "what works without quorum",
        Works::Down => "nothing works there",
    }
}
