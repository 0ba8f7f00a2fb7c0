//! What the program says, as it is kept and compared.

use std::{
    collections::BTreeMap,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The program, in the folder of the package, with a journal of its own and nobody to ask.
pub fn program(journal: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cozyscript"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).env("COZYSCRIPT_JOURNAL", journal);
    command
}

/// Runs it to its end; gives its exit status and all that it says on both of its outputs, in the order it is said.
pub fn said(command: &mut Command) -> (i32, String) {
    let mut file = tempfile::tempfile().unwrap();
    let status = command.stdout(file.try_clone().unwrap()).stderr(file.try_clone().unwrap()).status().unwrap();
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_string(&mut text).unwrap();
    (status.code().unwrap(), text)
}

/// Holds what was said against `tests/transcripts/NAME`; `UPDATE=1` writes it anew.
#[track_caller]
pub fn compare(name: &str, said: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(name);
    let said = normalised(said);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &said).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let diff = similar::TextDiff::from_lines(&kept, &said);
    let diff = diff.unified_diff().context_radius(2).to_string();
    assert!(kept == said, "this is not what {name} says (`UPDATE=1` writes it anew, then read it):\n{diff}");
}

/// What differs from run to run is made equal:
///
/// - times and durations are `TIME`
/// - the name of a run is `RUN`, what the cluster adds to a name is `NAME`
/// - of what a wait says on its way only the last reason stays, if it was not met: a quick cluster skips some; a wait that
///   was stopped, since another branch was quicker, leaves nothing
/// - lines of branches that run side by side stand in the order of their paths
pub fn normalised(text: &str) -> String {
    let lines = without_reasons(text.lines());
    let mut lines: Vec<(String, String)> =
        lines.into_iter().map(|line| (branch(line).to_owned(), words(line))).collect();
    for together in lines.chunk_by_mut(|a, b| !a.0.is_empty() && !b.0.is_empty()) {
        together.sort_by(|a, b| a.0.cmp(&b.0));
    }
    lines.iter().map(|(_, line)| format!("{line}\n")).collect()
}

/// The word and the step's path of a line of a log, and what it says.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (head, text) = rest.split_once(": ")?;
    let (word, path) = head.split_once(' ').unwrap_or((head, ""));
    Some((word, path, text))
}

/// The path of a line that was said in a branch; nothing for others.
fn branch(line: &str) -> &str {
    let path = parts(line).filter(|(word, ..)| *word != "run").map_or("", |(_, path, _)| path);
    if path.contains(['[', '/']) { path } else { "" }
}

fn without_reasons<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<&'l str> {
    let mut kept: Vec<Option<&str>> = Vec::new();
    // By the step: where a wait began, and where its reasons stand.
    let mut waits: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for line in lines {
        if let Some(("wait", path, text)) = parts(line) {
            let wait = waits.entry(path).or_default();
            let drop = |from: usize, to: usize, kept: &mut Vec<Option<&str>>| {
                wait.iter().skip(from).take(to).for_each(|index| kept[*index] = None);
            };
            let reasons = wait.len().saturating_sub(1);
            if text.contains(": stopped after ") {
                drop(0, usize::MAX, &mut kept);
                waits.remove(path);
                continue;
            } else if text.contains(": not met within ") {
                drop(1, reasons.saturating_sub(1), &mut kept);
                waits.remove(path);
            } else if text.contains(": met after ") {
                drop(1, usize::MAX, &mut kept);
                waits.remove(path);
            } else {
                wait.push(kept.len());
            }
        }
        kept.push(Some(line));
    }
    kept.into_iter().flatten().collect()
}

fn words(line: &str) -> String {
    let line = match line.strip_prefix('[').and_then(|line| line.split_once(']')) {
        Some((time, rest)) if time.contains(':') => format!("[TIME]{rest}"),
        _ => line.to_owned(),
    };
    let words = line.split(' ').map(|word| {
        let core = word.trim_matches(|sign: char| !sign.is_ascii_alphanumeric());
        let normal = if is_duration(core) { Some("TIME".to_owned()) } else { name(core) };
        normal.map_or(word.to_owned(), |normal| word.replacen(core, &normal, 1))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `4s`, `1.5s`, `4m59s`, `260ms`.
fn is_duration(word: &str) -> bool {
    let units = word.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '.');
    if units.len() == word.len() {
        return false;
    }
    match units.find(|sign: char| sign.is_ascii_digit()) {
        _ if word.is_empty() => false,
        None => matches!(units, "ms" | "s" | "m" | "h"),
        Some(next) => matches!(&units[..next], "m" | "h") && is_duration(&units[next..]),
    }
}

/// `guestbook-20261121-074544` and `web-6c856c8b7-ttj7p`, without what is another one each time.
fn name(word: &str) -> Option<String> {
    let mut pieces: Vec<&str> = word.split('-').collect();
    let digits = |piece: &str, length| piece.len() == length && piece.chars().all(|sign| sign.is_ascii_digit());
    if pieces.len() > 3 && digits(pieces[pieces.len() - 2], 6) {
        pieces.pop();
    }
    let [start @ .., before, last] = pieces.as_slice() else { return None };
    if digits(before, 8) && digits(last, 6) {
        return Some(format!("{}-RUN", start.join("-")));
    }
    let chosen = |piece: &str| piece.chars().all(|sign| "bcdfghjklmnpqrstvwxz2456789".contains(sign));
    let is_pod =
        !start.is_empty() && last.len() == 5 && chosen(last) && (8..=10).contains(&before.len()) && chosen(before);
    is_pod.then(|| format!("{}-NAME", start.join("-")))
}
