//! Runbooks rehearsed in this process, whose journals end wherever a test wants them to.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use cozyscript::{
    cli::scenery::{Conditions, Scenery, Take},
    event::{EffectEnd, Outcome},
    run::{
        journal::{
            format::{Head, Line, Record, VERSION},
            past::Past,
            read::{self, Journal},
            write::{Disk, Writer},
        },
        select::Selection,
    },
    script::sources::Sources,
    ui::{
        Verbosity,
        plain::Plain,
        screen::{Screen, Stream},
        style::{Color, Style, Terminal},
    },
};
use jiff::Timestamp;

/// How a process ends before its run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Whoever wrote the last record didn't come to do anything more: a change that was about to be sent never was.
    AtOnce,
    /// It goes on until the next one would be written: a change was sent, and its outcome is not known.
    BeforeTheNext,
}

/// A world with a runbook.
pub struct Play {
    scenery: Scenery,
    runbook: PathBuf,
}

/// What came of running it once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    pub status: u8,
    /// All that was said, on both streams, in its order.
    pub said: String,
    /// The journal, as it was left.
    pub journal: Vec<u8>,
    was_cut: bool,
}

impl Told {
    pub fn records(&self) -> Vec<Record> {
        self.lines().into_iter().map(|line| line.record).collect()
    }

    fn lines(&self) -> Vec<Line> {
        read::read(&self.journal).map(|journal| journal.lines).unwrap_or_default()
    }

    /// How many steps were done. One that only looks is done again in each process, and counts once.
    fn steps_done(&self) -> usize {
        let finished = self.records().into_iter().filter_map(|record| match record {
            Record::StepFinished(step) => Some(step.step),
            _ => None,
        });
        finished.collect::<BTreeSet<_>>().len()
    }

    /// The steps of the runbook's own level that were done, in their order.
    pub fn steps(&self) -> Vec<String> {
        let finished = self.records().into_iter().filter_map(|record| match record {
            Record::StepFinished(step) if step.outcome == Outcome::Done => Some(step.step),
            _ => None,
        });
        finished.filter(|step| !step.contains(['/', '['])).collect()
    }
}

impl Play {
    /// A runbook of this package, on the world beside it or a bare one.
    #[track_caller]
    pub fn of(runbook: impl AsRef<Path>, seed: u64) -> Self {
        Self::under(runbook, Conditions { seed: Some(seed), ..Conditions::default() })
    }

    /// The same on a bad day.
    #[track_caller]
    pub fn on_a_bad_day(runbook: impl AsRef<Path>, seed: u64) -> Self {
        Self::under(runbook, Conditions { seed: Some(seed), bad_day: true, ..Conditions::default() })
    }

    #[track_caller]
    fn under(runbook: impl AsRef<Path>, conditions: Conditions) -> Self {
        // `main` does this; whoever is second is told so, and it is the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runbook = runbook.as_ref().to_owned();
        let scenery = Scenery::of(&runbook, None, conditions, &Sources::default());
        let scenery = scenery.unwrap_or_else(|wrong| panic!("{}: {wrong:?}", runbook.display()));
        Self { scenery, runbook }
    }

    /// Runs it from its beginning to its end.
    pub fn run(&self) -> Told {
        self.begin(None, Selection::default())
    }

    /// Runs it from its beginning up to the end of a step.
    pub fn run_to(&self, step: &str) -> Told {
        self.begin(None, Selection { until: Some(step.to_owned()), ..Selection::default() })
    }

    /// Runs it again from a step on, up to the end of another one.
    pub fn run_again(&self, told: &Told, from: &str, until: Option<&str>) -> Told {
        let until = until.map(str::to_owned);
        self.go_on(
            told,
            None,
            BTreeMap::new(),
            Selection { from: Some(from.to_owned()), until, ..Selection::default() },
        )
    }

    /// Ends its process after each record that it writes, and resumes it, until it is done: first each process may write one
    /// record, and as long as a step isn't done, each has one more than the one before it.
    pub fn run_with_a_stop_after_each_record(&self, cut: Cut) -> Told {
        let mut more = 1;
        let mut told = self.begin(Some((cut, 2 + more)), Selection::default());
        let mut unsent = BTreeSet::new();
        while told.was_cut {
            match told.records().last() {
                Some(Record::Intent(intent)) if cut == Cut::AtOnce => _ = unsent.insert(intent.effect),
                _ => {}
            }
            let done = told.steps_done();
            let settled = settled(&told, &mut unsent);
            let session = told.records().len() + 1;
            let resumed = self.go_on(&told, Some((cut, session + more)), settled, Selection::default());
            more = if resumed.steps_done() > done { 1 } else { more + 1 };
            told = resumed;
        }
        told
    }

    /// What a script says that looks at the world, from a folder with what the runbook wrote into its own.
    #[track_caller]
    pub fn look(&self, script: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let probe = folder.path().join("probe.rhai");
        std::fs::write(&probe, script).unwrap();
        let machine = |path: &Path| self.scenery.files().join(path.strip_prefix("/").unwrap());
        let beside = machine(folder.path());
        copy(&machine(std::path::absolute(&self.runbook).unwrap().parent().unwrap()), &beside);
        let said = Said::default();
        let status = self.scenery.rehearse(&probe, Take::whole(said.screen(), TERMINAL)).unwrap();
        std::fs::remove_dir_all(beside).unwrap();
        assert_eq!(status, 0, "{}", said.text());
        said.text()
    }

    fn begin(&self, cut: Option<(Cut, usize)>, selection: Selection) -> Told {
        let tape = Tape { cut, ..Tape::default() };
        let name = self.runbook.file_stem().unwrap().to_string_lossy();
        let head = Head {
            journal: VERSION,
            cozyscript: "0.0.0".to_owned(),
            run: format!("{name}-20260101-090000"),
            runbook: self.runbook.to_string_lossy().into_owned(),
            title: String::new(),
            seed: 1,
        };
        let disk = Arc::new(Mutex::new(tape));
        let mut writer = Writer::onto(Box::new(Kept(disk.clone())), Path::new("tape"), 0, Arc::default());
        let line = writer.write(Timestamp::UNIX_EPOCH, Record::Run(head.clone())).unwrap();
        let past = Past::of(std::slice::from_ref(&line)).unwrap();
        let journal = Journal { head, lines: vec![line], whole: 0 };
        self.take(&disk, (writer, journal, past), selection, BTreeMap::new())
    }

    fn go_on(
        &self,
        told: &Told,
        cut: Option<(Cut, usize)>,
        settled: BTreeMap<String, String>,
        selection: Selection,
    ) -> Told {
        let journal = read::read(&told.journal).unwrap();
        let past = Past::of(&journal.lines).unwrap();
        let tape = Tape { bytes: told.journal.clone(), records: journal.lines.len(), cut, was_cut: false };
        let disk = Arc::new(Mutex::new(tape));
        let next = journal.lines.len() as u64;
        let writer = Writer::onto(Box::new(Kept(disk.clone())), Path::new("tape"), next, Arc::default());
        self.take(&disk, (writer, journal, past), selection, settled)
    }

    fn take(
        &self,
        disk: &Arc<Mutex<Tape>>,
        before: (Writer, Journal, Past),
        selection: Selection,
        settled: BTreeMap<String, String>,
    ) -> Told {
        let said = Said::default();
        let take = Take { selection, before: Some(before), settled, ..Take::whole(said.screen(), TERMINAL) };
        let status = self.scenery.rehearse(&self.runbook, take).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let tape = disk.lock().unwrap();
        Told { status, said: said.text(), journal: tape.bytes.clone(), was_cut: tape.was_cut }
    }

    /// What there is in the world and beside the runbook, a line each.
    #[track_caller]
    pub fn holdings(&self) -> String {
        let held = self.look(PROBE);
        let held = held.lines().filter(|line| line.starts_with("- "));
        held.chain(files(&self.scenery.files()).iter().map(String::as_str)).map(|line| format!("{line}\n")).collect()
    }
}

const TERMINAL: Terminal =
    Terminal { input: false, output: false, errors: false, dumb: true, utf8: true, no_color: true, force_color: false };

/// Looks at a world that has come to rest: what there is, but for the parts of it that are another each time.
const PROBE: &str = r#"
    sleep("2m");
    let kinds = ["namespaces", "nodes", "configmaps", "secrets", "services", "deployments", "statefulsets", "daemonsets", "jobs",
        "persistentvolumeclaims", "customresourcedefinitions"];
    for context in kubeconfig::read().contexts {
        let cluster = k8s::connect(context.name);
        // A kubeconfig may name clusters that the world doesn't have.
        if !(try { cluster.list("namespaces"); true } catch { false }) { continue; }
        for kind in kinds {
            for it in cluster.list(kind, #{ all_namespaces: true }) {
                let shown = switch it.kind {
                    "ConfigMap" if it.metadata.name != "kube-root-ca.crt" => it.data ?? "",
                    "Deployment" => `${it.spec.replicas} of ${it.spec.template.spec.containers[0].image}`,
                    "Node" => it.spec.unschedulable ?? "",
                    _ => "",
                };
                print(`- ${context.name} ${it.kind} ${it.metadata.namespace ?? ""}/${it.metadata.name} ${shown}`);
            }
        }
    }
"#;

/// Copies a folder, if there is one.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).into_iter().flatten() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { _ = std::fs::copy(&path, &to).unwrap() }
    }
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(format!("file {}", path.file_name().unwrap().to_string_lossy())),
        }
    }
    found.sort();
    found
}

/// What really became of the changes in doubt.
fn settled(told: &Told, unsent: &mut BTreeSet<u64>) -> BTreeMap<String, String> {
    let mut open = BTreeSet::new();
    for record in told.records() {
        match record {
            Record::Intent(intent) => _ = open.insert(intent.effect),
            Record::Outcome { effect, end: EffectEnd::Done | EffectEnd::Failed, .. } => _ = open.remove(&effect),
            _ => {}
        }
    }
    unsent.retain(|effect| open.contains(effect));
    let word = |effect: &u64| if unsent.contains(effect) { "repeat" } else { "happened" };
    open.iter().map(|effect| (effect.to_string(), word(effect).to_owned())).collect()
}

/// A journal in memory, which takes so many records.
#[derive(Default)]
struct Tape {
    bytes: Vec<u8>,
    records: usize,
    cut: Option<(Cut, usize)>,
    was_cut: bool,
}

struct Kept(Arc<Mutex<Tape>>);

impl Disk for Kept {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut tape = self.0.lock().unwrap();
        let room = tape.cut.is_none_or(|(_, records)| tape.records < records);
        if room {
            tape.bytes.extend_from_slice(bytes);
            tape.records += 1;
        }
        let ends = !room || tape.cut == Some((Cut::AtOnce, tape.records));
        tape.was_cut |= ends;
        if ends { Err(io::Error::other("the process has ended")) } else { Ok(()) }
    }

    fn force(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a screen's lines go.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn screen(&self) -> Screen {
        let style = Style::new(Color::Never, &TERMINAL, false);
        let stream = || Stream::new(self.clone(), false);
        let view = Plain::new(Verbosity::Normal, style, style);
        Screen::new(Box::new(view), style, stream(), stream(), Box::new(|| None))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
