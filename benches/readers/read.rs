//! Reads one file with one reader, and says how long it took or how much memory: `pfcluster-read READER FILE SECONDS`.
//!
//! read.pl and read.py answer in the same form: `MEDIAN_SECONDS REPETITIONS`, of the processor's time, or with 0 seconds
//! `PEAK_BYTES`, what one reading adds to the memory of the process. `pfcluster-read inputs DIRECTORY` writes the files.

use std::hint::black_box;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use ini::{Ini, ParseOption};
use pfcluster_benches::{MEMBERS, cluster_conf, guide_example, large, large_with_masks, line_floor};
use pfcluster_core::check::{Context, check};
use pfcluster_core::cluster::Cluster;
use pfcluster_core::document::{Document, Lines};
use pfcluster_core::span::{LineEnd, Source};
use rustix::time::{ClockId, clock_gettime};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["inputs", directory] => Ok(write_inputs(directory)?),
        [reader, path, seconds] => run(reader, path, seconds.parse()?),
        _ => Err("usage: pfcluster-read READER FILE SECONDS".into()),
    }
}

fn write_inputs(directory: &str) -> io::Result<()> {
    fs::write(format!("{directory}/guide.conf"), guide_example())?;
    fs::write(format!("{directory}/large.conf"), large())?;
    fs::write(format!("{directory}/masks.conf"), large_with_masks())?;
    MEMBERS.iter().try_for_each(|&members| fs::write(format!("{directory}/{members}.conf"), cluster_conf(members)))
}

/// All but `file` and `rust-ini` read a text that is in memory already.
fn run(reader: &str, path: &str, seconds: f64) -> Result<(), Failure> {
    let text = if seconds > 0.0 { fs::read(path)? } else { Vec::new() };
    match reader {
        "floor" => report(seconds, || Ok(line_floor(&text))),
        "scan" => report(seconds, || {
            Lines::new(&text, LineEnd::detect(&text), 0).for_each(|line| _ = black_box(line));
            Ok(())
        }),
        "document" => report(seconds, || Ok(Document::parse(Source::ClusterConf, &text).value.sections().count())),
        "cluster" => report(seconds, || Ok(Cluster::from_document(&Document::parse(Source::ClusterConf, &text).value))),
        "check" => report(seconds, || {
            let cluster = Cluster::from_document(&Document::parse(Source::ClusterConf, &text).value).value;
            Ok(check(&Context::new(&cluster)))
        }),
        "file" => report(seconds, || {
            let text = fs::read(path)?;
            let document = Document::parse(Source::ClusterConf, &text).value;
            let cluster = Cluster::from_document(&document);
            // Text, document and cluster are all alive here, as they are in a program that checks.
            black_box((&document, &cluster));
            Ok(())
        }),
        "rust-ini" => report(seconds, || {
            // As near to PacketFence's dialect as its options go.
            let option = ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
            Ok(Ini::load_from_file_opt(path, option)?)
        }),
        _ => Err(format!("no reader `{reader}`").into()),
    }
}

fn report<T>(seconds: f64, read: impl Fn() -> Result<T, Failure>) -> Result<(), Failure> {
    if seconds > 0.0 {
        let (median, repetitions) = median(Duration::from_secs_f64(seconds), read)?;
        println!("{median:e} {repetitions}");
    } else {
        let before = peak()?;
        black_box(read()?);
        println!("{}", peak()? - before);
    }
    Ok(())
}

/// The median time of one reading, in seconds of the processor, and how many readings there were.
fn median<T>(budget: Duration, read: impl Fn() -> Result<T, Failure>) -> Result<(f64, u64), Failure> {
    // Short readings are timed in batches, so that the clock's own time does not count.
    let batch_time = Duration::from_micros(100);
    let warm_up = processor_time();
    black_box(read()?);
    let mut batch = 1_u32;
    if processor_time().saturating_sub(warm_up) < batch_time {
        let again = processor_time();
        black_box(read()?);
        batch = u32::try_from(batch_time.as_nanos() / processor_time().saturating_sub(again).as_nanos().max(1))?.max(1);
    }
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < 3 || begin.elapsed() < budget {
        let start = processor_time();
        for _ in 0..batch {
            black_box(read()?);
        }
        times.push(processor_time().saturating_sub(start) / batch);
    }
    times.sort_unstable();
    Ok((times[times.len() / 2].as_secs_f64(), times.len() as u64 * u64::from(batch)))
}

/// What this process has had of the processors. Waiting for one that others use does not count.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// The most memory that this process ever had, in bytes.
fn peak() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
