//! From a long history to a short one that breaks the same promise: parts of the list of faults are left out, halves first, as long
//! as it still breaks (delta debugging; Zeller 1999).

use super::breach::Kind;
use super::plan::{Fault, Plan};
use super::world::World;

impl Plan {
    /// The same plan with the fewest faults that still break this kind of promise, and without the days after that.
    #[must_use]
    pub fn shrunk(&self, kind: Kind) -> Plan {
        let breaks = |faults: &[Fault]| {
            let days = faults.last().map_or(1, |fault| fault.day + 1);
            let plan = Plan { faults: faults.to_vec(), days, ..self.clone() };
            World::live(&plan, false).breaches.contains(&kind).then_some(plan)
        };
        let Some(mut plan) = breaks(&self.faults) else { return self.clone() };
        let mut parts = 2;
        while parts <= plan.faults.len() {
            let size = plan.faults.len().div_ceil(parts);
            let shorter = (0..plan.faults.len()).step_by(size).find_map(|from| {
                let to = (from + size).min(plan.faults.len());
                breaks(&[&plan.faults[..from], &plan.faults[to..]].concat())
            });
            match shorter {
                Some(shorter) => {
                    plan = shorter;
                    parts = parts.saturating_sub(1).max(2);
                }
                None if size == 1 => break,
                None => parts = (parts * 2).min(plan.faults.len()),
            }
        }
        plan
    }
}
