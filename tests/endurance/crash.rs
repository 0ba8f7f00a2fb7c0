//! A run that is killed wherever it stands: resumed until it is done, it has done everything once.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use cozyscript::{
    event::{EffectEnd, RunEnd},
    run::journal::{
        format::{Line, Record},
        past::{EffectPast, Past},
        read::{self, Damage},
    },
};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::world::{NAMESPACE, World};
use testbed::Bed;

/// How often the program is killed.
const KILLS: u64 = 200;
const KILLS_ON_THE_TESTBED: u64 = 20;
/// Runs side by side: they wait for the world most of the time.
const SIDE_BY_SIDE: usize = 3;
/// One process, from its start to its end.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn trials(count: Option<u64>) -> Vec<Trial> {
    let count = count.unwrap_or(KILLS);
    vec![
        Trial::test("a_killed_run_resumes_until_done", move || {
            let tally = Tally::default();
            thread::scope(|scope| {
                let tally = &tally;
                let workers: Vec<_> =
                    (0..SIDE_BY_SIDE).map(|worker| scope.spawn(move || runs(tally, count, worker))).collect();
                workers.into_iter().try_for_each(|worker| worker.join().expect("a worker tells of its failures"))
            })?;
            tally.report("the counting server");
            Ok(())
        }),
        Trial::test("a_killed_run_resumes_until_done_on_a_real_cluster", move || {
            let Some(bed) = testbed::shared() else { return Ok(()) };
            let tally = Tally::default();
            real_runs(&tally, count.min(KILLS_ON_THE_TESTBED), &bed)?;
            tally.report("a real cluster");
            Ok(())
        }),
    ]
}

/// What was seen in all runs.
#[derive(Default)]
struct Tally {
    kills: AtomicU64,
    runs: AtomicU64,
    resumes: AtomicU64,
    most_resumes: AtomicU64,
    never_began: AtomicU64,
    cut_journals: AtomicU64,
    torn_tails: AtomicU64,
    in_doubt: AtomicU64,
    happened: AtomicU64,
    came_late: AtomicU64,
}

impl Tally {
    fn report(&self, world: &str) {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        eprintln!(
            "on {world}: {} kills in {} runs, {} resumes (at most {} a run), {} before anything was written; {} journals \
             cut as by a loss of power, {} with a torn tail; {} stops in doubt, over changes {} of which had happened; {} \
             failures because a change came late; no wrong counter, no duplicate",
            of(&self.kills),
            of(&self.runs),
            of(&self.resumes),
            of(&self.most_resumes),
            of(&self.never_began),
            of(&self.cut_journals),
            of(&self.torn_tails),
            of(&self.in_doubt),
            of(&self.happened),
            of(&self.came_late),
        );
    }
}

fn add(number: &AtomicU64) {
    number.fetch_add(1, Ordering::Relaxed);
}

fn runs(tally: &Tally, count: u64, worker: usize) -> Result<(), Failed> {
    for number in 0.. {
        if tally.kills.load(Ordering::Relaxed) >= count {
            return Ok(());
        }
        let seed = number * SIDE_BY_SIDE as u64 + worker as u64;
        let world = World::begin(seed);
        let kubeconfig = world.kubeconfig();
        let objects = || world.objects();
        let subject = Subject { world: &world, namespace: NAMESPACE, kubeconfig: &kubeconfig, objects: &objects };
        Run::begin(subject, tally, count, seed)?.through().map_err(|error| format!("seed {seed}: {error}"))?;
    }
    Ok(())
}

fn real_runs(tally: &Tally, count: u64, bed: &Bed) -> Result<(), Failed> {
    let kubeconfig = fs::read_to_string(bed.kubeconfig())?;
    for seed in 0.. {
        if tally.kills.load(Ordering::Relaxed) >= count {
            return Ok(());
        }
        let world = World::begin(seed);
        let namespace = bed.space(&format!("crash-{seed}"));
        let objects = || {
            let listed = bed.kubectl(&["get", "configmaps", "-n", &namespace, "-o", "json"]);
            let listed: Value = serde_json::from_str(&listed).expect("kubectl prints JSON");
            let is_ours = |object: &&Value| object["metadata"]["name"] != "kube-root-ca.crt";
            listed["items"].as_array().expect("a list has items").iter().filter(is_ours).cloned().collect()
        };
        let subject = Subject { world: &world, namespace: &namespace, kubeconfig: &kubeconfig, objects: &objects };
        Run::begin(subject, tally, count, seed)?.through().map_err(|error| format!("seed {seed}: {error}"))?;
    }
    Ok(())
}

/// What a run works on.
struct Subject<'a> {
    world: &'a World,
    namespace: &'a str,
    kubeconfig: &'a str,
    objects: &'a dyn Fn() -> Vec<Value>,
}

struct Run<'a> {
    subject: Subject<'a>,
    tally: &'a Tally,
    count: u64,
    random: fastrand::Rng,
    folder: tempfile::TempDir,
}

/// When a process is killed.
#[derive(Debug)]
enum Moment {
    After(Duration),
    /// When the journal has so many more intents.
    Intended(usize),
    /// When so many more requests have come to the server.
    Arrived(usize),
}

impl<'a> Run<'a> {
    fn begin(subject: Subject<'a>, tally: &'a Tally, count: u64, seed: u64) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("crash.rhai"), include_str!("crash.rhai"))?;
        fs::write(folder.path().join("kubeconfig"), subject.kubeconfig)?;
        add(&tally.runs);
        Ok(Self { subject, tally, count, random: fastrand::Rng::with_seed(seed), folder })
    }

    /// Kills it and resumes it until it is done, then counts.
    fn through(mut self) -> Result<(), String> {
        let mut settled: Vec<String> = Vec::new();
        let mut resumes = 0;
        loop {
            let past = self.past()?;
            if past.as_ref().is_some_and(|past| past.ended == Some(RunEnd::Done)) {
                // It was killed when nothing was left to do.
                break;
            }
            let resuming = past.as_ref().is_some_and(|past| past.session.is_some());
            if resuming {
                resumes += 1;
                add(&self.tally.resumes);
            } else {
                self.forget()?;
            }
            let mut child = self.start(resuming, &settled)?;
            let kills_on = self.tally.kills.load(Ordering::Relaxed) < self.count;
            let status = match kills_on {
                true => self.kill(&mut child)?,
                false => wait(&mut child)?,
            };
            settled.clear();
            match (status.signal(), status.code()) {
                (Some(_), _) => {
                    add(&self.tally.kills);
                    self.lose_power()?;
                }
                (None, Some(0)) => break,
                (None, Some(3)) => {
                    add(&self.tally.in_doubt);
                    settled = self.look()?;
                    if settled.is_empty() {
                        return Err(self.told("it stopped, and no change was in doubt"));
                    }
                }
                // What the process before had sent came in after this one had looked: the next one finds it.
                (None, Some(1)) if self.said("error[already_exists]") => add(&self.tally.came_late),
                (None, code) => return Err(self.told(&format!("it ended with the exit status {code:?}"))),
            }
        }
        self.tally.most_resumes.fetch_max(resumes, Ordering::Relaxed);
        self.count_all()
    }

    fn start(&self, resuming: bool, settled: &[String]) -> Result<Child, String> {
        let folder = self.folder.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cozyscript"));
        command.current_dir(folder).env("KUBECONFIG", "kubeconfig").env("HOME", folder);
        if resuming {
            command.args(["resume", "--journal", "journal"]);
            command.args(settled.iter().flat_map(|settled| ["--settle", settled]));
        } else {
            command.args(["run", "crash.rhai", "--journal", "journal"]);
            command.args(["--set", &format!("server={}", self.subject.world.url())]);
            command.args(["--set", &format!("namespace={}", self.subject.namespace)]);
        }
        let output = || fs::File::create(folder.join("output")).map_err(|error| error.to_string());
        let output = output()?;
        let again = output.try_clone().map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(output).stderr(again).spawn().map_err(|error| error.to_string())
    }

    /// Waits for a moment and kills the process then, unless it has ended before.
    fn kill(&mut self, child: &mut Child) -> Result<ExitStatus, String> {
        let moment = match self.random.u8(0..3) {
            0 if self.random.bool() => Moment::After(Duration::from_micros(self.random.u64(0..80_000))),
            0 => Moment::After(Duration::from_micros(self.random.u64(0..1_000_000))),
            1 => Moment::Intended(self.intents() + self.random.usize(1..12)),
            _ => Moment::Arrived(self.subject.world.arrived() + self.random.usize(1..16)),
        };
        let then = Duration::from_micros(if self.random.bool() { 0 } else { self.random.u64(0..6_000) });
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                return Ok(status);
            }
            let is_now = match moment {
                Moment::After(pause) => begun.elapsed() >= pause,
                Moment::Intended(intents) => self.intents() >= intents,
                Moment::Arrived(requests) => self.subject.world.arrived() >= requests,
            };
            if is_now {
                thread::sleep(then);
                child.kill().map_err(|error| error.to_string())?;
                return child.wait().map_err(|error| error.to_string());
            }
            thread::sleep(Duration::from_micros(300));
        }
        hung(child)
    }

    /// The one journal, if there is one.
    fn journal(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("journal")).ok()?;
        entries.flatten().map(|entry| entry.path()).next()
    }

    fn intents(&self) -> usize {
        let bytes = self.journal().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let intent = br#""record":"intent""#;
        bytes.windows(intent.len()).filter(|window| window == intent).count()
    }

    /// What the journal says; it must be readable at any time.
    fn past(&self) -> Result<Option<Past>, String> {
        let Some(path) = self.journal() else { return Ok(None) };
        let bytes = fs::read(&path).map_err(|error| error.to_string())?;
        let journal = match read::read(&bytes) {
            Ok(journal) => journal,
            Err(Damage::Empty) => return Ok(None),
            Err(damage) => return Err(self.told(&format!("the journal can't be read: {damage}"))),
        };
        Past::of(&journal.lines)
            .map(Some)
            .map_err(|illegal| self.told(&format!("the journal can't be read: {illegal}")))
    }

    /// Forgets a run that never began.
    fn forget(&self) -> Result<(), String> {
        let Some(path) = self.journal() else { return Ok(()) };
        add(&self.tally.never_began);
        fs::remove_file(path).map_err(|error| error.to_string())
    }

    /// Every other time the power fails as well: of what follows the last flushed record, any part may be lost.
    fn lose_power(&mut self) -> Result<(), String> {
        let Some(path) = self.journal() else { return Ok(()) };
        let mut bytes = fs::read(&path).map_err(|error| error.to_string())?;
        if self.random.bool() {
            let flushed = flushed(&bytes);
            let kept = self.random.usize(flushed..=bytes.len());
            if kept < bytes.len() {
                add(&self.tally.cut_journals);
            }
            bytes.truncate(kept);
            fs::write(&path, &bytes).map_err(|error| error.to_string())?;
        }
        if bytes.last().is_some_and(|last| *last != b'\n') {
            add(&self.tally.torn_tails);
        }
        Ok(())
    }

    /// What a person does when the program asks: looks at the other side, and says of each change in doubt what became
    /// of it.
    fn look(&self) -> Result<Vec<String>, String> {
        self.subject.world.settle();
        let past = self.past()?.ok_or("the journal is gone")?;
        let in_doubt = past.effects().iter().filter(|effect| is_in_doubt(effect) && made(effect).is_some());
        let counts = self.counts();
        Ok(in_doubt
            .map(|effect| {
                let known =
                    past.effects().iter().filter(|other| made(other) == made(effect) && other.was_done()).count();
                let done = made(effect).and_then(|made| counts.get(made).copied()).unwrap_or(0);
                let word = if done > known as u64 { "happened" } else { "repeat" };
                if word == "happened" {
                    add(&self.tally.happened);
                }
                format!("{}={word}", effect.intent.effect)
            })
            .collect())
    }

    /// How often each thing was done that can be done twice: the counters, and the objects that the server named.
    fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = self.subject.world.counters();
        for object in (self.subject.objects)() {
            let named = object["metadata"]["name"].as_str().unwrap_or_default();
            if let Some(generated) = object["metadata"]["generateName"].as_str() {
                assert!(named.starts_with(generated), "the server named it");
                *counts.entry(generated.to_owned()).or_default() += 1;
            }
        }
        counts
    }

    /// Holds the world against what the runbook says.
    fn count_all(&self) -> Result<(), String> {
        self.subject.world.settle();
        let counts = self.counts();
        if counts != expected_counts() {
            return Err(self.told(&format!("it counted {counts:#?}, not {:#?}", expected_counts())));
        }
        let plain = |object: &Value| {
            let name = object["metadata"]["name"].as_str()?;
            let generated = object["metadata"].get("generateName").is_some();
            (!generated).then(|| (name.to_owned(), object["data"]["value"].as_str().unwrap_or_default().to_owned()))
        };
        let objects: BTreeMap<String, String> = (self.subject.objects)().iter().filter_map(plain).collect();
        if objects != expected_objects() {
            return Err(self.told(&format!("there is {objects:#?}, not {:#?}", expected_objects())));
        }
        match self.past()?.and_then(|past| past.ended) {
            Some(RunEnd::Done) => Ok(()),
            other => Err(self.told(&format!("its journal says that it ended as {other:?}"))),
        }
    }

    fn said(&self, text: &str) -> bool {
        fs::read_to_string(self.folder.path().join("output")).is_ok_and(|output| output.contains(text))
    }

    /// What went wrong, with what the program said last and its journal.
    fn told(&self, what: &str) -> String {
        let read = |path: &Path| {
            fs::read(path).map_or_else(|error| error.to_string(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        let output = read(&self.folder.path().join("output"));
        let journal = self.journal().map_or_else(|| "(none)".to_owned(), |path| read(&path));
        let journal = journal.lines().filter(|line| !line.contains(r#""record":"session""#)).collect::<Vec<_>>();
        format!("{what}\nit said:\n{output}\nits journal:\n{}", journal.join("\n"))
    }
}

fn wait(child: &mut Child) -> Result<ExitStatus, String> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        thread::sleep(Duration::from_millis(2));
    }
    hung(child)
}

fn hung(child: &mut Child) -> Result<ExitStatus, String> {
    child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
    Err(format!("it did not end within {PATIENCE:?}"))
}

/// How much of a journal is on the disk for certain.
fn flushed(bytes: &[u8]) -> usize {
    let (mut at, mut flushed) = (0, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let record = serde_json::from_slice::<Line>(line).map(|line| line.record);
        if matches!(record, Ok(Record::Intent(_) | Record::Answer { .. } | Record::Ended { .. })) {
            flushed = at;
        }
    }
    flushed
}

fn is_in_doubt(effect: &EffectPast) -> bool {
    effect.settled.is_none() && matches!(effect.end, None | Some((EffectEnd::InDoubt, _)))
}

/// What a change makes that can be made twice: the name of a counter, or how the names of objects begin that the server
/// chooses.
fn made(effect: &EffectPast) -> Option<&str> {
    let object = effect.intent.object.as_str();
    let note = || object.split_once("configmap/").map(|(_, name)| name).filter(|name| name.starts_with("note-"));
    object.split_once("/counter/").map(|(_, name)| name).or_else(note)
}

/// What [`made`] must come to.
fn expected_counts() -> BTreeMap<String, u64> {
    let each = |name: &str, until: u64, count: u64| {
        (1..=until).map(|number| (format!("{name}-{number}"), count)).collect::<Vec<_>>()
    };
    let notes = ["note-1-", "note-2-"].map(|note| (note.to_owned(), 1));
    let alone = ["twice", "outer"].map(|name| (name.to_owned(), 2));
    let all = [each("posted", 5, 1), each("mixed", 3, 1), each("beside", 4, 2), each("inner", 2, 1)];
    all.into_iter().flatten().chain(notes).chain(alone).collect()
}

/// The objects that the runbook names, and their values.
fn expected_objects() -> BTreeMap<String, String> {
    let each = |(name, until)| (1..=until).map(move |number: u64| (format!("{name}-{number}"), number.to_string()));
    let many = [("applied", 5), ("created", 5), ("mixed-applied", 3), ("mixed-created", 3), ("beside", 4), ("many", 5)];
    many.into_iter().flat_map(each).chain([("sum".to_owned(), "18".to_owned())]).collect()
}
