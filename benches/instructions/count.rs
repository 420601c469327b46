//! Takes one path once, for valgrind to count: `pfcluster-count PATH MEMBERS`. `pfcluster-count list` names the paths, each
//! with the power of its growth and its numbers of members.

use std::process::ExitCode;

use pfcluster_benches::paths::PATHS;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = |name: &str| PATHS.iter().find(|path| path.name == name);
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            for path in &PATHS {
                let members: Vec<String> = path.members.iter().map(u32::to_string).collect();
                println!("{} {} {}", path.name, path.power, members.join(" "));
            }
            return ExitCode::SUCCESS;
        }
        [name, members] => {
            if let (Some(path), Ok(members)) = (path(name), members.parse()) {
                counted(path.prepare(members));
                return ExitCode::SUCCESS;
            }
        }
        _ => {}
    }
    eprintln!("usage: pfcluster-count PATH MEMBERS");
    ExitCode::from(2)
}

/// What is counted: valgrind knows this function by its name.
#[inline(never)]
fn counted(work: Box<dyn FnOnce()>) {
    work();
    // Not the last call: the function must be left only after the work.
    std::hint::black_box(());
}
