//! What a person reads when a promise is broken.

use std::fmt::Write as _;

use super::plan::Plan;
use super::world::World;

impl Plan {
    /// The story of this plan: what it is, and line by line what happens.
    pub fn story(&self) -> String {
        let world = World::live(self, true);
        let mut text = String::new();
        let flush = match (self.window, self.crash_costs) {
            (0, _) => "every commit is flushed",
            (_, false) => "a power cut may cost the last commits",
            (_, true) => "a power cut or a crash may cost the last commits",
        };
        let _ = writeln!(
            text,
            "seed {}: {} members, {} faults on {} bad days; {flush}",
            self.seed,
            self.members,
            self.faults.len(),
            self.days
        );
        world.story.iter().flatten().for_each(|line| {
            let _ = writeln!(text, "{line}");
        });
        text
    }

    /// The story of the shortest plan that breaks what this one breaks, if it breaks anything.
    pub fn short_story(&self) -> Option<String> {
        let breach = World::live(self, false).breach?;
        let short = self.shrunk(breach.kind);
        let (few, all) = (short.faults.len(), self.faults.len());
        Some(format!("seed {}: {breach}\n{few} of its {all} faults suffice.\n{}", self.seed, short.story()))
    }
}
