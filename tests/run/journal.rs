//! The journal: what it promises to a run that was cut off anywhere, and to other versions of the program.

use std::{
    fs, io, panic,
    path::Path,
    sync::{Arc, Mutex},
};

use cozyscript::run::journal::{
    format::{Line, Record, VERSION},
    past::Past,
    read,
    write::{Disk, Writer},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{
    program::Runbook,
    server::{Reply, Server},
};

/// A bit of everything; its changes may be repeated, so that a cut between intent and outcome needs no person.
fn rich(url: &str) -> String {
    format!(
        r#"
        let total = 0;
        let tries = 0;
        step "flaky" retry 1 timeout "20s" {{ tries += 1; if tries < 2 {{ throw "once"; }} total += 100000; }}
        let post = |what| http::post("{url}", what, #{{ repeat_safe: true }});
        let first = step "first" {{ post.call("first"); total += 1; 10 }};
        step "outer" {{
            step "inner" {{ total += first; }}
            post.call("between");
            step "again" {{ total += 100; }}
        }}
        for node in ["a", "b"] {{ step "drain" key node {{ post.call(node); total += 1000; }} }}
        let sides = parallel for n in 1..=2 {{ step "side" {{ post.call(`side ${{n}}`); n * 10000 }} }};
        step "end" {{ print(`end ${{total + sides[0] + sides[1]}}`); }}
        "#
    )
}

const END: &str = "end 132111\n";

/// Cuts the journal of a finished run to what `cut` says, and resumes it.
#[track_caller]
fn resumes(book: &Runbook, journal: &[u8], length: usize) {
    let path = book.journal();
    fs::write(&path, &journal[..length]).unwrap();
    let ended = book.resume().done();
    assert!(ended.stdout.ends_with(END), "cut at byte {length}: {}\n{}", ended.stdout, ended.stderr);
    ended.stdout_has(END).stderr_has("run");
}

/// A finished run, its journal without the last record, and where its lines end.
fn finished() -> (Runbook, Server, Vec<u8>, Vec<usize>) {
    let server = Server::start(|_| Reply::new(200, "ok"));
    let book = Runbook::new(&rich(&server.url("/")));
    book.run().done().stdout(END).stderr_has("once");
    let mut journal = fs::read(book.journal()).unwrap();
    let mut ends: Vec<usize> =
        journal.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    ends.pop();
    // The step that prints the end is always the last one to be cut.
    ends.pop();
    journal.truncate(*ends.last().unwrap());
    (book, server, journal, ends)
}

#[test]
fn a_journal_cut_after_any_record_resumes_to_the_same_end() {
    let (book, _server, journal, ends) = finished();
    assert!(ends.len() > 25, "{} records", ends.len());
    for end in ends {
        resumes(&book, &journal, end);
    }
}

#[test]
fn a_journal_torn_anywhere_resumes_to_the_same_end() {
    let (book, _server, journal, ends) = finished();
    let mut chance = fastrand::Rng::with_seed(7);
    for _ in 0..25 {
        resumes(&book, &journal, chance.usize(ends[0]..journal.len()));
    }
}

fn lines(texts: &[Value]) -> Vec<Line> {
    let numbered = texts.iter().enumerate().map(|(seq, record)| {
        let mut line = json!({ "seq": seq, "at": "2026-01-01T00:00:00Z" });
        line.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
        serde_json::from_value(line).unwrap()
    });
    numbered.collect()
}

fn head() -> Value {
    json!({ "record": "run", "journal": 1, "cozyscript": "0.1.0", "run": "r", "runbook": "/r.rhai", "seed": 1 })
}

fn session() -> Value {
    json!({ "record": "session", "process": 1, "host": "h", "user": "u", "sources": {}, "params": {} })
}

fn started(step: &str) -> Value {
    json!({ "record": "step_started", "step": step, "attempt": 1, "own": "o" })
}

fn ended(step: &str) -> Value {
    json!({ "record": "step_finished", "step": step, "outcome": "done", "elapsed_ms": 1 })
}

fn intent(effect: u64) -> Value {
    json!({ "record": "intent", "effect": effect, "step": "a", "verb": "POST", "object": "o", "digest": "d", "repeatable": false })
}

fn outcome(effect: u64) -> Value {
    json!({ "record": "outcome", "effect": effect, "end": "done" })
}

#[test]
fn records_out_of_order_are_refused() {
    let illegal: [(&str, Vec<Value>); 8] = [
        ("no head", vec![session()]),
        ("two heads", vec![head(), head()]),
        ("a step before any session", vec![head(), started("a")]),
        ("an intent before any session", vec![head(), intent(0)]),
        ("a step that ends and never began", vec![head(), session(), ended("a")]),
        ("an outcome without its intent", vec![head(), session(), started("a"), outcome(0)]),
        ("an outcome twice", vec![head(), session(), started("a"), intent(0), outcome(0), outcome(0)]),
        ("a change done twice", vec![head(), session(), started("a"), intent(0), outcome(0), intent(0)]),
    ];
    let taken: Vec<&str> =
        illegal.iter().filter(|(_, records)| Past::of(&lines(records)).is_ok()).map(|(name, _)| *name).collect();
    assert_eq!(taken, Vec::<&str>::new());
    let legal =
        [head(), session(), started("a"), intent(0), outcome(0), ended("a"), session(), started("b"), ended("b")];
    assert!(Past::of(&lines(&legal)).is_ok());
}

#[test]
fn no_mutation_of_a_journal_makes_reading_it_panic() {
    let (_book, _server, journal, _) = finished();
    let lines = read::read(&journal).unwrap().lines;
    let mut chance = fastrand::Rng::with_seed(11);
    for round in 0..3000 {
        let mut mutated = lines.clone();
        for _ in 0..chance.usize(1..4) {
            let (at, other) = (chance.usize(..mutated.len()), chance.usize(..mutated.len()));
            match chance.u8(..5) {
                0 => drop(mutated.remove(at)),
                1 => mutated.insert(other, mutated[at].clone()),
                2 => mutated.swap(at, other),
                3 => mutated[at].record = Record::Unknown,
                _ => {
                    if let Record::Intent(intent) = &mut mutated[at].record {
                        intent.effect = u64::from(chance.u8(..)) * (u64::MAX / 255);
                    }
                }
            }
            if mutated.is_empty() {
                break;
            }
        }
        let read = panic::catch_unwind(|| drop(Past::of(&mutated)));
        assert!(read.is_ok(), "round {round} panicked");
    }
    for _ in 0..3000 {
        let mut bytes = journal.clone();
        for _ in 0..chance.usize(1..6) {
            let at = chance.usize(..bytes.len());
            bytes[at] = chance.u8(..);
        }
        let read = panic::catch_unwind(|| read::read(&bytes).map(|journal| Past::of(&journal.lines).is_ok()).is_ok());
        assert!(read.is_ok());
    }
}

#[test]
fn a_torn_tail_is_cut_off_the_file() {
    let book = Runbook::new("step \"a\" { print(\"a\"); } step \"b\" { throw \"broken\"; }");
    book.run().fails(1).stdout("a\n").stderr_has("broken");
    let mut journal = fs::read(book.journal()).unwrap();
    journal.extend_from_slice(b"{\"seq\":99,\"at\":\"2026");
    fs::write(book.journal(), &journal).unwrap();
    book.resume().fails(1).stderr_has("broken");
    assert!(book.records().len() > 8, "every line can be read again");
}

#[test]
fn damage_before_the_end_is_refused_with_its_line() {
    let book = Runbook::new("step \"a\" { throw \"broken\"; }");
    book.run().fails(1).stderr_has("broken");
    let run = book.journal().file_stem().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(book.journal()).unwrap().replacen("step_started", "step\"started", 1);
    fs::write(book.journal(), text).unwrap();
    book.call(["resume", &run]).fails(2).stderr_has("line 3 is damaged");
}

#[test]
fn a_journal_of_a_newer_version_is_read_and_not_written() {
    let book = Runbook::new("step \"a\" { throw \"broken\"; }");
    book.run().fails(1).stderr_has("broken");
    let newer = fs::read_to_string(book.journal()).unwrap().replacen("\"journal\":1", "\"journal\":2", 1);
    let newer =
        format!("{newer}{{\"seq\":9,\"at\":\"2030-01-01T00:00:00Z\",\"record\":\"dreamt\",\"of\":\"sheep\"}}\n");
    fs::write(book.journal(), &newer).unwrap();
    book.call(["history"]).done().stdout_has("failed");
    book.resume()
        .fails(2)
        .stderr_has("is of version 2, and this program writes up to version 1")
        .stderr_has("newer cozyscript");
    assert_eq!(fs::read_to_string(book.journal()).unwrap(), newer);
}

#[test]
fn a_second_writer_is_told_who_runs() {
    let book = Runbook::new("step \"a\" { time::sleep(\"1h\"); }");
    let running = book.run().variable("USER", "operator").start().until("step a: started");
    let ended = book.resume().fails(2).stderr_has("is running already, as process").stderr_has("of operator on");
    ended.stderr_has("hint: wait for it");
    running.signal("INT").ends(3).stderr_has("resume");
}

#[test]
fn the_journal_of_version_1_is_resumed_by_every_later_program() {
    let golden = fs::read_to_string("tests/run/golden/version-1.jsonl").unwrap();
    assert_eq!(VERSION, 1, "a new version needs a golden journal of its own beside the old ones");
    let book = Runbook::new(&fs::read_to_string("tests/run/golden/book.rhai").unwrap());
    book.write("runs/golden.jsonl", &golden);
    let ended = book.call(["resume", "golden", "--runbook", "book.rhai", "--set", "version=v1.2"]).done();
    ended
        .stdout("the end of v1.2: 42\n")
        .stderr_has("step prepare: replayed")
        .stderr_has("because it had not finished");
}

#[test]
fn a_journal_that_can_not_be_made_is_an_error_before_the_first_step() {
    let book = Runbook::new("step \"a\" { print(\"never\"); }").file("taken", "a file");
    book.run().args(["--journal", "taken/runs"]).fails(2).stderr_has("can't create the journal");
}

#[test]
fn only_its_owner_may_read_a_journal() {
    use std::os::unix::fs::PermissionsExt;
    let book = Runbook::new("step \"a\" {}");
    book.run().done();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&book.journal()), 0o600);
    assert_eq!(mode(book.journal().parent().unwrap()), 0o700);
}

/// What a journal asked of its disk: how many bytes it was handed, and how many of them it was told to keep.
#[derive(Clone, Default)]
struct Watched(Arc<Mutex<(usize, Vec<usize>)>>);

impl Disk for Watched {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().0 += bytes.len();
        Ok(())
    }

    fn force(&mut self) -> io::Result<()> {
        let (length, forced) = &mut *self.0.lock().unwrap();
        forced.push(*length);
        Ok(())
    }
}

/// Writes the records to a watched disk, and says after which of them everything was forced to it.
fn forced_after(records: Vec<Record>) -> Vec<usize> {
    let disk = Watched::default();
    let mut writer = Writer::onto(Box::new(disk.clone()), Path::new("watched"), 0, Arc::default());
    let mut forced = Vec::new();
    for (number, record) in records.into_iter().enumerate() {
        let before = disk.0.lock().unwrap().1.len();
        writer.write(Timestamp::UNIX_EPOCH, record).unwrap();
        let (length, now) = &*disk.0.lock().unwrap();
        match &now[before..] {
            [] => {}
            [one] if one == length => forced.push(number),
            other => panic!("after record {number} of {length} bytes: {other:?}"),
        }
    }
    forced
}

#[test]
fn a_run_without_changes_forces_nothing_to_the_disk() {
    let book = Runbook::new("for i in 0..50 { step \"a\" { i } }");
    book.run().done();
    let records = book.lines();
    assert!(records.len() > 100, "{} records", records.len());
    let forced = forced_after(records);
    assert!(forced.is_empty(), "{forced:?}");
}

#[test]
fn an_intent_is_on_the_disk_before_its_effect_and_results_ride_along() {
    let server = Server::start(|_| Reply::new(200, "ok"));
    let book = Runbook::new(&format!(
        "step \"a\" {{}} step \"b\" {{ http::post(\"{0}\", \"one\"); http::post(\"{0}\", \"two\"); }} step \"c\" {{}}",
        server.url("/")
    ));
    book.run().done();
    let records = book.lines();
    let forces = |record: &Record| matches!(record, Record::Intent(_) | Record::Ended { .. });
    let expected: Vec<usize> = (0..records.len()).filter(|number| forces(&records[*number])).collect();
    assert_eq!(expected.len(), 3, "two changes and the end");
    assert_eq!(forced_after(records), expected);
}
