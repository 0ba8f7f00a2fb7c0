//! The first example, from its beginning to its end, on a real control plane.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Bed, shared};
use crate::support::transcript::{compare, program, said};

/// There is one kind `Guestbook` in a cluster, and the example deletes it in the end.
static KIND: Mutex<()> = Mutex::new(());

fn alone_with_the_kind() -> MutexGuard<'static, ()> {
    KIND.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cozyscript(bed: &Bed, journal: &Path) -> Command {
    let mut command = program(journal);
    command.env("KUBECONFIG", bed.kubeconfig()).env("COZYSCRIPT_PASSWORD", "open-sesame-7");
    command
}

/// Runs it until it says `word`, interrupts it, and gives its exit status with what it said.
fn interrupted(command: &mut Command, word: &str) -> (i32, String) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    let mut stopped = false;
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains(word) && !stopped {
            stopped = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success();
        }
        told.push_str(&line);
        told.push('\n');
    }
    (child.wait().unwrap().code().unwrap(), told)
}

#[test]
fn the_guestbook_says_what_its_transcript_says_and_says_it_again() {
    let Some(bed) = shared() else { return };
    let _kind = alone_with_the_kind();
    let journal = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (status, told) = said(cozyscript(&bed, journal.path()).arg("examples/guestbook.rhai"));
        assert_eq!(status, 0, "{told}");
        assert!(!told.contains("open-sesame-7"), "{told}");
        compare("guestbook.txt", &told);
    }
}

#[test]
fn the_guestbook_can_be_stopped_anywhere_and_goes_on() {
    let Some(bed) = shared() else { return };
    let _kind = alone_with_the_kind();
    let journal = tempfile::tempdir().unwrap();
    let mut next = cozyscript(&bed, journal.path());
    next.args(["examples/guestbook.rhai", "--set", "namespace=guestbook-stopped"]);
    let stops = [
        ("wait hang the mirror: ", "hang the mirror"),
        ("migrate: attempt 1 of 4 failed", "work at night"),
        ("wait clear away: ", "clear away"),
    ];
    for (word, step) in stops {
        let (status, told) = interrupted(&mut next, word);
        assert_eq!(status, 3, "stopped in `{step}`: {told}");
        assert!(told.contains(&format!("step {step}: stopped")), "{told}");
        next = cozyscript(&bed, journal.path());
        next.arg("resume");
    }
    let (status, told) = said(&mut next);
    assert_eq!(status, 0, "{told}");
    assert!(told.contains("resume clear away: on from here, because it had not finished"), "{told}");
    for step in ["clear the table", "serve", "hang the mirror", "work at night", "look around"] {
        assert!(told.contains(&format!("step {step}: replayed")), "`{step}` is not replayed: {told}");
    }
    let left = bed.kubectl(&["get", "namespaces,customresourcedefinitions", "-o", "name"]);
    assert!(!left.contains("guestbook"), "{left}");
}
