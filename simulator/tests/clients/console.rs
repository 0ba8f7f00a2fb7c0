//! A console on which somebody works, and the transcript of it.

use std::{
    cell::RefCell,
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use libtest_mimic::Failed;
use regex::Regex;
use serde_json::json;

use super::arms::transcript::without_lots;

/// A cluster, and the namespace to work in.
pub struct Place {
    pub kubeconfig: PathBuf,
    pub space: String,
}

pub struct Console {
    programs: PathBuf,
    kubeconfig: PathBuf,
    space: String,
    folder: tempfile::TempDir,
    transcript: RefCell<String>,
    count: RefCell<usize>,
}

/// Then what is printed is written down, and held against nothing.
pub fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

impl Console {
    /// Opens a console on nothing yet; a kubeconfig and a talosconfig may come to be in its folder.
    pub fn bare(programs: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            programs: programs.to_owned(),
            kubeconfig: folder.path().join("kubeconfig"),
            space: "default".to_owned(),
            folder,
            transcript: RefCell::default(),
            count: RefCell::default(),
        }
    }

    /// Opens a console on a cluster, with a namespace of its own that is ready for pods.
    pub fn open(programs: &Path, place: &Place) -> Self {
        let console = Self {
            programs: programs.to_owned(),
            kubeconfig: place.kubeconfig.clone(),
            space: place.space.clone(),
            folder: tempfile::tempdir().unwrap(),
            transcript: RefCell::default(),
            count: RefCell::default(),
        };
        console.quietly(&format!("kubectl create namespace {}", console.space));
        console.quietly("kubectl wait --for=create serviceaccount/default --timeout=60s");
        console
    }

    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// The text with the namespace in it.
    pub fn placed(&self, text: &str) -> String {
        text.replace("SPACE", &self.space)
    }

    /// Where a program is.
    pub fn program(&self, name: &str) -> String {
        self.programs.join(name).display().to_string()
    }

    /// The folder that commands are run in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a file there.
    pub fn file(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self.note(&format!("$ cat > {name}\n{}", self.plain(text.trim())));
    }

    /// Writes a line into the transcript.
    pub fn note(&self, text: &str) {
        self.transcript.borrow_mut().push_str(text);
    }

    /// Runs a command line, and writes down what it prints. Answers its standard output.
    #[track_caller]
    pub fn run(&self, line: &str) -> String {
        self.run_with(line, "")
    }

    /// The same for one that does several things at once: its lines are written down in an order of their own.
    #[track_caller]
    pub fn run_in_any_order(&self, line: &str) {
        let (text, errors, code) = self.output(line, "");
        let told = self.plain(&format!("{text}{errors}"));
        let mut told: Vec<&str> = told.lines().collect();
        told.sort_unstable();
        let end = if code == 0 { String::new() } else { format!("[{code}]\n") };
        self.note(&format!("$ {line}\n{}\n{end}", told.join("\n")));
    }

    /// The same for one that tells how it goes: only its last line is written down.
    #[track_caller]
    pub fn run_to_its_end(&self, line: &str) {
        let (text, errors, code) = self.output(line, "");
        let last = text.lines().last().unwrap_or_default();
        assert_eq!(code, 0, "{line}: {errors}");
        self.note(&format!("$ {line}\n{}", self.plain(last)));
    }

    /// The same for one that reads something.
    #[track_caller]
    pub fn run_with(&self, line: &str, stdin: &str) -> String {
        self.run_as(line, line, stdin)
    }

    /// The same for one that is written down in other words.
    #[track_caller]
    pub fn run_as(&self, shown: &str, line: &str, stdin: &str) -> String {
        let (text, errors, code) = self.output(line, stdin);
        let end = if code == 0 { String::new() } else { format!("[{code}]\n") };
        self.note(&format!("$ {shown}\n{}", self.plain(&format!("{text}{errors}{end}"))));
        text
    }

    /// Runs a command of which nothing is written down.
    #[track_caller]
    pub fn quietly(&self, line: &str) -> String {
        self.quietly_with(line, "")
    }

    /// The same for one that reads something.
    #[track_caller]
    pub fn quietly_with(&self, line: &str, stdin: &str) -> String {
        let (text, errors, code) = self.output(line, stdin);
        assert_eq!(code, 0, "{line}: {errors}");
        text
    }

    /// The same, with what it prints of how it goes.
    #[track_caller]
    pub fn told_by(&self, line: &str) -> String {
        let (text, errors, code) = self.output(line, "");
        assert_eq!(code, 0, "{line}: {errors}");
        text + &errors
    }

    /// Runs a command of which nothing is written down until it prints this.
    #[track_caller]
    pub fn until(&self, line: &str, words: &str) {
        let mut told = String::new();
        for _ in 0..240 {
            let (text, errors, _) = self.output(line, "");
            told = text + &errors;
            if told.contains(words) {
                return;
            }
            thread::sleep(std::time::Duration::from_millis(250));
        }
        panic!("{line} never said `{words}`, and in the end {told}");
    }

    /// Starts a command that goes on until it is dropped.
    pub fn start(&self, line: &str) -> Running {
        let mut command = self.command(line);
        Running(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn command(&self, line: &str) -> Command {
        *self.count.borrow_mut() += 1;
        let mut words = words(&self.placed(line)).into_iter();
        let program = words.next().unwrap();
        let mut command = Command::new(self.programs.join(&program));
        if matches!(program.as_str(), "kubectl" | "flux") {
            command.arg(format!("--namespace={}", self.space));
        }
        command.args(words).current_dir(self.folder());
        command.env("TALOSCONFIG", self.folder().join("talosconfig"));
        command.env("KUBECONFIG", &self.kubeconfig).env("HOME", self.folder()).env("HELM_NAMESPACE", &self.space);
        command.env("KUBE_EDITOR", "sed -i s/blue/green/").env("KUBECTL_EXTERNAL_DIFF", "diff -u -N");
        command
    }

    fn output(&self, line: &str, stdin: &str) -> (String, String, i32) {
        let mut command = self.command(line);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut given = child.stdin.take().unwrap();
        let words = stdin.to_owned();
        // It may end before it has read all.
        let giving = thread::spawn(move || drop(given.write_all(words.as_bytes())));
        let output = child.wait_with_output().unwrap();
        giving.join().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
    }

    /// The text without what differs from run to run: names that end by lot, ages, times, addresses, and how wide columns are.
    pub fn plain(&self, text: &str) -> String {
        let text = text.replace(&self.space, "SPACE");
        let text = text.replace(self.folder().to_str().unwrap(), "FOLDER");
        let mut text = without_lots(&json!(text)).as_str().unwrap().to_owned();
        for (form, word) in [
            (r"oci://(127\.0\.0\.1:\d+|registry\.test:5000)", "oci://REGISTRY"),
            (r"([Oo]rigin [Ss]ource:? +)'?[^,'\s]+'?", "${1}ORIGIN"),
            (r"\d+(\.\d+)? (B|KiB)\b", "SIZE"),
            (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
            (r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d (UTC )?\d{4}", "TIME"),
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|( [+-]\d{4} \w+)?)", "TIME"),
            (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "TIME"),
            (r"\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\b", "TIME"),
            (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
            (r"(?m)^([EWI])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ", "$1 "),
            // By chance: whether a command ended while kubectl was still giving it something.
            (r#"(?m)^E v2\.go:\d+\] "Copying stdin failed".*\n"#, ""),
            (r"\b\d+(\.\d+)?(ms|s|m|h|d)(\d+(ms|s|m|h))?\b", "AGE"),
            (r"127\.\d+\.\d+\.(\d)\b", "MACHINE-$1"),
            (r"hash [0-9a-f]{8}, revision \d+, total keys \d+, total size \d+", "hash HASH, revision, keys, size"),
            (r"\(\d+ bytes\)", "(SIZE)"),
            (r"(?m)^(     (id|secret)): \S{40,}$", "$1: KEY"),
            (r"(?m)^    version: \d+$", "    version: VERSION"),
            (r"\d+ kB +\d+ kB \(\d+\.\d+%\)", "SIZE"),
            (r"([0-9a-f]{16}) +\d+ +\d+ +\d+ +false", "$1 INDEX TERM INDEX false"),
            (r"pod-template-hash=\w+", "pod-template-hash=HASH"),
            (r#"Invalid value: (\\*)"\{.*\}(\\*)": "#, "Invalid value: OBJECT: "),
            (r"resourceVersion: .*", "resourceVersion: VERSION"),
            (r"uid: .*", "uid: UID"),
            (r"/tmp/(LIVE|MERGED)-\w+/(\S+)", "$1/$2"),
            (r"eyJ[\w.-]+", "TOKEN"),
            (r"https?://127\.0\.0\.1:\d+", "SERVER"),
            (r"127\.0\.0\.1:\d+", "LOOPBACK"),
            (r"\b10\.(\d+)\.\d+\.\d+\b", "ADDRESS"),
            (r"(sha\d+:)[0-9a-f]{8,}", "${1}SUM"),
            (r"\bnode-[12]\b", "NODE"),
            (r"(?m)[ \t]+$", ""),
            (r"(\S)[ \t]{2,}", "$1  "),
        ] {
            text = Regex::new(form).unwrap().replace_all(&text, word).into_owned();
        }
        match text.is_empty() || text.ends_with('\n') {
            true => text,
            false => text + "\n",
        }
    }

    /// Holds what was printed against what is kept; where `keeps` says so, `UPDATE=1` keeps it.
    pub fn hold_against(&self, name: &str, keeps: bool) -> Result<(), Failed> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/clients/recorded/{name}.txt"));
        let told = self.transcript.borrow();
        if updating() && keeps {
            fs::write(&path, &*told).unwrap();
        }
        let kept = fs::read_to_string(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
        if kept == *told {
            return Ok(());
        }
        let difference = similar::TextDiff::from_lines(&kept, &*told);
        Err(difference.unified_diff().context_radius(3).header("recorded", "printed").to_string().into())
    }
}

/// The words of a line: what stands in single quotes is one.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().expect("there is a first one").push(letter),
        }
    }
    words
}

/// A command that goes on.
pub struct Running(Child);

impl Running {
    /// What it printed up to a line with this in it.
    pub fn until(&mut self, words: &str) -> String {
        let output = self.0.stdout.as_mut().unwrap();
        let (mut told, mut letter) = (Vec::new(), [0]);
        while output.read(&mut letter).unwrap() == 1 {
            told.push(letter[0]);
            if letter[0] == b'\n' && String::from_utf8_lossy(&told).contains(words) {
                break;
            }
        }
        String::from_utf8(told).unwrap()
    }

    /// Ends it. Answers what it printed of its errors.
    pub fn end(mut self) -> String {
        self.0.kill().unwrap();
        self.ended()
    }

    /// Waits until it ends by itself. Answers what it printed of its errors.
    pub fn ended(mut self) -> String {
        let mut errors = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        errors
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
