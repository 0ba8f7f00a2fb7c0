//! What comes with the program, rehearsed: equal seeds, stops anywhere, and the same as on the real thing.

mod bad_days;
mod files;
mod guestbook;
mod same_each_time;
mod servers;
mod speedrun;
mod stdlib;
mod three_ways;

use std::{collections::VecDeque, path::Path, sync::Mutex, thread};

/// The runbooks of a folder, but for those that run programs of this machine: a rehearsal has none.
fn runbooks(folder: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let names = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let paths = names.filter(|name| name.ends_with(".rhai")).map(|name| format!("{folder}/{name}"));
    let runs_programs = |path: &String| std::fs::read_to_string(path).unwrap().contains("exec::run(");
    let mut paths: Vec<String> = paths.filter(|path| !runs_programs(path)).collect();
    paths.sort();
    paths
}

/// All that come with the program.
fn all_runbooks() -> Vec<String> {
    ["examples", "runbooks"].into_iter().flat_map(runbooks).collect()
}

/// Does all of this, on as many threads as there are processors; what fails is told of each.
fn side_by_side<T: Send>(work: Vec<T>, check: impl Fn(T) + Sync) {
    let work = Mutex::new(VecDeque::from(work));
    let next = || work.lock().unwrap().pop_front();
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|around| {
        for _ in 0..threads {
            around.spawn(|| {
                while let Some(piece) = next() {
                    check(piece);
                }
            });
        }
    });
}
