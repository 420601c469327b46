//! The simulated world by hand: `tests/sim --seed N` tells one story, `tests/sim --seeds N` looks for broken promises.

use std::process::ExitCode;

use pfcluster_tests::sim::{Plan, STEPS, World, compare, survey_of};

const HELP: &str = "\
tests/sim --seed N [--steps N]              what happens in the world of this seed, line by line; if a promise is broken, also
                                            the shortest history that breaks it
tests/sim --seeds N [--from N] [--steps N]  live through so many seeds, and sum up
  ... --measured                            in worlds that do what was measured on 2026-11-30, with the faults that go with it
  ... --without FAULT                       without faults of this kind (\"tc.log wrecked\"); again for more of them
tests/sim --compare N                       the same outages by the rules of others, as far as they are known";

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

/// False if a promise was broken.
fn run(args: &[String]) -> Result<bool, String> {
    let (mut seed, mut seeds, mut others, mut from, mut steps) = (None, None, None, 0, STEPS);
    let mut drawn: fn(u64, usize) -> Plan = Plan::new;
    let mut without: Vec<String> = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let number = |text: Option<&String>| {
            text.and_then(|text| text.parse::<u64>().ok()).ok_or_else(|| format!("{word} needs a number"))
        };
        match word.as_str() {
            "--seed" => seed = Some(number(words.next())?),
            "--seeds" => seeds = Some(number(words.next())?),
            "--compare" => others = Some(number(words.next())?),
            "--from" => from = number(words.next())?,
            "--steps" => steps = usize::try_from(number(words.next())?).map_err(|_| "too many steps".to_owned())?,
            "--measured" => drawn = Plan::measured,
            "--without" => without.push(words.next().ok_or("--without needs a kind of fault")?.clone()),
            "--help" => return Err("The simulated world, driven by one seed".to_owned()),
            other => return Err(format!("{other} is not known")),
        }
    }
    let draw = |seed: u64| {
        let mut plan = drawn(seed, steps);
        plan.faults.retain(|fault| !without.contains(&fault.kind.to_string()));
        plan
    };
    match (seed, seeds, others) {
        (Some(seed), None, None) => {
            let plan = draw(seed);
            print!("{}", plan.story());
            let is_good = World::live(&plan, false).breach.is_none();
            if let Some(short) = plan.short_story() {
                print!("\n=== the shortest history that breaks the same promise\n{short}");
            }
            Ok(is_good)
        }
        (None, Some(seeds), None) => {
            let survey = survey_of(from..from + seeds, draw);
            println!("{survey}");
            Ok(survey.broken.is_empty())
        }
        (None, None, Some(seeds)) => {
            println!("{:<45} | {:>8} | {:>8} | {:>8} | {:>8} | {:>8}", "", "lost", "split", "down", "well", "returns");
            compare(from..from + seeds).iter().for_each(|(policy, score)| println!("{policy:<45}{score}"));
            Ok(true)
        }
        _ => Err("say --seed, --seeds or --compare".to_owned()),
    }
}
