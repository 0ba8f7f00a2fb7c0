//! The reference beside us: the same inputs to `kubectl` and to a runbook end in the same objects, and whatever one is told
//! by `kubectl` one is told by the runbook.
//!
//! Each case has two namespaces, one a side. What both said is kept in `compared/NAME.txt`, to be read side by side;
//! `UPDATE=1` writes it anew.

mod cases;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use self::cases::{CASES, FILES};
use super::{Bed, shared};
use crate::support::transcript::{normalised, program, said};

/// One thing that an operator does.
pub struct Case {
    pub name: &'static str,
    /// Commands that make the beginning, the same on both sides. `$SPACE` is the namespace, and a node for those that need one.
    pub given: &'static [&'static str],
    /// With kubectl, as one types it.
    pub theirs: &'static str,
    /// The body of a step; `cluster` is connected, and `space` is the namespace.
    pub ours: &'static str,
    /// What kubectl tells, and how we tell the same.
    pub facts: &'static [(&'static str, &'static str)],
}

/// How many cases are compared at once.
const AT_ONCE: usize = 4;

/// How long controllers may take until both sides are the same.
const SETTLED: Duration = Duration::from_secs(20);

#[test]
fn a_runbook_ends_where_kubectl_ends_and_tells_no_less() {
    let Some(bed) = shared() else { return };
    let spaces = CASES.iter().flat_map(|case| SIDES.map(|side| space(case, side)));
    let spaces = spaces.map(|space| format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {space}}}}}"));
    bed.kubectl_with(&["create"], &spaces.collect::<Vec<_>>().join("\n---\n"));
    let cases = Mutex::new(CASES.iter().copied());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = cases.lock().unwrap().next();
                    let Some(case) = next else { return };
                    wrong.lock().unwrap().extend(compare(&bed, case));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_comparison_is_kept() {
    if std::env::var_os("UPDATE").is_some() {
        // They are being written.
        return;
    }
    let cases: BTreeSet<String> = CASES.iter().map(|case| format!("{}.txt", case.name)).collect();
    let names = fs::read_dir(kept("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), cases, "`UPDATE=1` writes what is missing");
    assert!(cases.len() >= 30, "{} cases", cases.len());
}

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/compared").join(name)
}

const SIDES: [&str; 2] = ["kubectl", "runbook"];

fn space(case: &Case, side: &str) -> String {
    format!("{}-{side}", case.name)
}

/// One side of a case: a folder to be in, and a namespace to work in.
struct Side<'b> {
    bed: &'b Bed,
    space: String,
    folder: tempfile::TempDir,
}

/// What a side said, and whether it succeeded.
struct Told {
    succeeded: bool,
    text: String,
}

impl<'b> Side<'b> {
    fn new(bed: &'b Bed, space: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in FILES {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let side = Self { bed, space, folder };
        let kubeconfig = fs::read_to_string(bed.kubeconfig()).unwrap();
        let here = kubeconfig.replace("context: {", &format!("context: {{namespace: {}, ", side.space));
        assert_ne!(here, kubeconfig, "its contexts are written on a line each");
        fs::write(side.kubeconfig(), here).unwrap();
        side
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn kubectl(&self, commands: &str) -> Told {
        let mut shell = Command::new("sh");
        shell.args(["-euc", commands]).current_dir(self.folder.path()).env_clear();
        let path = std::env::join_paths([self.bed.programs(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        shell.env("PATH", path).env("HOME", &self.bed.folder).env("KUBECONFIG", self.kubeconfig());
        let (status, text) = said(shell.env("SPACE", &self.space));
        Told { succeeded: status == 0, text: text.replace(&self.space, "SPACE") }
    }

    fn runbook(&self, body: &str) -> Told {
        let text = format!(
            "let space = \"{}\";\nlet cluster = k8s::connect();\nstep \"compare\" {{\n    {body}\n}}\n",
            self.space
        );
        fs::write(self.folder.path().join("book.rhai"), text).unwrap();
        let mut command = program(&self.folder.path().join("runs"));
        command.arg("book.rhai").current_dir(self.folder.path()).env("KUBECONFIG", self.kubeconfig());
        let (status, text) = said(&mut command);
        Told { succeeded: status == 0, text: text.replace(&self.space, "SPACE") }
    }

    /// The objects of this side, without what makes each of them unique.
    fn state(&self) -> Value {
        let kinds = "configmaps,secrets,services,deployments,statefulsets,daemonsets,poddisruptionbudgets,pods";
        let objects =
            self.kubectl(&format!("kubectl get {kinds} -o json; kubectl get node $SPACE --ignore-not-found -o json"));
        let mut answers = serde_json::Deserializer::from_str(&objects.text).into_iter::<Value>();
        let mut answer = || answers.next().map(|answer| answer.unwrap_or_else(|_| panic!("{}", objects.text)));
        let there = answer().unwrap();
        let (pods, there): (Vec<_>, Vec<_>) =
            there["items"].as_array().unwrap().iter().partition(|item| item["kind"] == "Pod");
        let own = there.into_iter().filter(|item| item["metadata"]["name"] != "kube-root-ca.crt");
        let mut state: Vec<Value> = own.map(essence).collect();
        state.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
        // Pods have names of their own, and elsewhere they come and go as they like.
        let placed = pods.iter().filter(|pod| pod["spec"]["nodeName"] == "SPACE").count();
        json!({ "objects": state, "pods": placed, "node": answer().map(|node| node["spec"]["unschedulable"].clone()) })
    }
}

/// An object without its identity, its bookkeeping and its state.
fn essence(object: &Value) -> Value {
    let mut spec = object["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        for chosen_by_the_server in ["clusterIP", "clusterIPs"] {
            spec.remove(chosen_by_the_server);
        }
    }
    let metadata = &object["metadata"];
    let mut essence = json!({
        "kind": object["kind"],
        "metadata": {
            "name": metadata["name"], "labels": metadata["labels"], "annotations": metadata["annotations"],
            "finalizers": metadata["finalizers"],
        },
        "spec": spec, "data": object["data"], "type": object["type"],
    });
    without_times(&mut essence);
    essence
}

fn without_times(value: &mut Value) {
    match value {
        Value::String(text) if text.parse::<Timestamp>().is_ok() => *text = "TIME".to_owned(),
        Value::Array(items) => items.iter_mut().for_each(without_times),
        Value::Object(fields) => fields.values_mut().for_each(without_times),
        _ => {}
    }
}

/// What is wrong with a case.
fn compare(bed: &Bed, case: &Case) -> Vec<String> {
    let sides = SIDES.map(|side| Side::new(bed, space(case, side)));
    for side in sides.iter().filter(|_| !case.given.is_empty()) {
        let given = side.kubectl(&case.given.join("\n"));
        if !given.succeeded {
            return vec![format!("{}: its beginning can't be made: {}", case.name, given.text)];
        }
    }
    let [theirs, ours] = [sides[0].kubectl(case.theirs), sides[1].runbook(case.ours)];
    keep(case, &theirs, &ours);

    let mut wrong = Vec::new();
    let mut missing = |is_there: bool, what: String| {
        if !is_there {
            wrong.push(format!("{}: {what}\nkubectl:\n{}\nours:\n{}", case.name, theirs.text, ours.text));
        }
    };
    missing(theirs.succeeded == ours.succeeded, "one side fails and the other doesn't".to_owned());
    for (their_fact, our_fact) in case.facts {
        missing(theirs.text.contains(their_fact), format!("kubectl does not say `{their_fact}`"));
        missing(ours.text.contains(our_fact), format!("we don't say `{our_fact}`"));
    }
    let begun = Instant::now();
    loop {
        let [theirs, ours] = [sides[0].state(), sides[1].state()];
        if theirs == ours {
            return wrong;
        }
        if begun.elapsed() > SETTLED {
            let (theirs, ours) = (format!("{theirs:#}"), format!("{ours:#}"));
            let diff = similar::TextDiff::from_lines(&theirs, &ours);
            wrong.push(format!("{}: the objects differ:\n{}", case.name, diff.unified_diff().context_radius(3)));
            return wrong;
        }
        thread::sleep(Duration::from_millis(200));
    }
}

fn keep(case: &Case, theirs: &Told, ours: &Told) {
    if std::env::var_os("UPDATE").is_none() {
        return;
    }
    let ended = |told: &Told| if told.succeeded { "succeeds" } else { "fails" };
    let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let text = format!(
        "kubectl {}:\n\n{}\n\n{}\n\n\n---- a runbook {}:\n\n{}\n\n{}\n",
        ended(theirs),
        lines(case.theirs),
        steady(theirs),
        ended(ours),
        lines(case.ours),
        steady(ours)
    );
    fs::create_dir_all(kept("")).unwrap();
    fs::write(kept(&format!("{}.txt", case.name)), text).unwrap();
}

/// What a side said, without what is otherwise each time: where lines are broken and columns stand, which hangs on names; how far
/// something had come on its way; and the order of what happens at once.
fn steady(told: &Told) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in anonymous(normalised(&told.text).trim_end()).lines() {
        let rest = line.strip_prefix("      ").filter(|rest| !rest.starts_with(' '));
        match (rest, lines.last_mut()) {
            (Some(rest), Some(before)) => *before = format!("{before} {rest}"),
            _ => lines.push(narrow(line)),
        }
    }
    // Where it came to no end, the last of them says how far it came.
    let progress = |line: &String| line.starts_with("Waiting for ");
    let last = lines.iter().rposition(progress).filter(|_| !told.succeeded);
    let mut index = 0..;
    lines.retain(|line| index.next() == last || !progress(line));
    for together in lines.chunk_by_mut(|a, b| at_once(a).is_some() && at_once(a) == at_once(b)) {
        together.sort();
    }
    lines.join("\n")
}

/// What several lines begin with, of things that happen at once.
fn at_once(line: &str) -> Option<&'static str> {
    ["evicting pod ", "error when evicting pods/", "pod/"].into_iter().find(|beginning| line.starts_with(beginning))
}

/// A line of a table with its columns as close as can be; a list in its order.
fn narrow(line: &str) -> String {
    if line.starts_with(' ') {
        return line.to_owned();
    }
    if let Some((before, (list, after))) =
        line.split_once(": [").and_then(|(before, rest)| Some((before, rest.rsplit_once(']')?)))
    {
        let mut items: Vec<&str> = list.split(", ").collect();
        items.sort_unstable();
        return format!("{before}: [{}]{after}", items.join(", "));
    }
    let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
    let short =
        |cell: &str| if cell.chars().all(|sign| sign == '─') { "────".to_owned() } else { cell.to_owned() };
    cells.map(short).collect::<Vec<_>>().join("  ")
}

/// Without what is another one each time: times, uids, versions, and what is added to names.
fn anonymous(text: &str) -> String {
    let word = |word: &str| {
        let core = word.trim_matches(|sign: char| !sign.is_ascii_alphanumeric());
        let hyphens = core.matches('-').count();
        let is_uid =
            core.len() == 36 && hyphens == 4 && core.chars().all(|sign| sign == '-' || sign.is_ascii_hexdigit());
        let is_version = !core.is_empty() && word.starts_with('"') && core.chars().all(|sign| sign.is_ascii_digit());
        let added = core.rsplit_once('-').filter(|(_, last)| {
            (5..=10).contains(&last.len()) && last.chars().all(|sign| "bcdfghjklmnpqrstvwxz2456789".contains(sign))
        });
        match added {
            _ if core.parse::<Timestamp>().is_ok() => word.replace(core, "TIME"),
            _ if is_uid => word.replace(core, "UID"),
            _ if is_version => word.replace(core, "VERSION"),
            Some((name, _)) => word.replace(core, &format!("{name}-NAME")),
            None => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
