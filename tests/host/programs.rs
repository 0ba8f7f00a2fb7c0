use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use cozyscript::host::{
    programs::{Exit, Program, Programs, Said, Saying},
    real::programs::LocalPrograms,
};
use futures::StreamExt;

use crate::support::runtime;

fn program(argv: &[&str]) -> Program {
    Program {
        name: argv[0].to_owned(),
        arguments: argv[1..].iter().map(|argument| (*argument).to_owned()).collect(),
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        folder: PathBuf::from("/"),
        input: "".into(),
    }
}

fn shell(text: &str) -> Program {
    program(&["sh", "-c", text])
}

/// Everything it says, to its end.
fn heard(program: Program) -> (String, String, Exit) {
    runtime().block_on(async {
        let mut saying = LocalPrograms.start(program).await.unwrap();
        let (mut output, mut error) = (Vec::new(), Vec::new());
        loop {
            match saying.next().await.unwrap().unwrap() {
                Said::Output(chunk) => output.extend(chunk),
                Said::Error(chunk) => error.extend(chunk),
                Said::Ended(exit) => {
                    assert!(saying.next().await.is_none(), "nothing comes after the end");
                    return (String::from_utf8(output).unwrap(), String::from_utf8(error).unwrap(), exit);
                }
            }
        }
    })
}

/// The first words that it says, as many as these.
async fn first_words(saying: &mut Saying, count: usize) -> Vec<String> {
    let mut said = String::new();
    while !said.ends_with('\n') || said.split_whitespace().count() < count {
        match saying.next().await.unwrap().unwrap() {
            Said::Output(chunk) => said.push_str(std::str::from_utf8(&chunk).unwrap()),
            other => panic!("it said {other:?}"),
        }
    }
    said.split_whitespace().map(str::to_owned).collect()
}

/// Whether it is gone, or only waits to be buried by whoever inherited it.
fn is_gone(process: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(process).join("stat"));
    stat.is_ok_and(|stat| stat.rsplit(") ").next().unwrap().starts_with('Z'))
        || !Path::new("/proc").join(process).exists()
}

#[track_caller]
fn is_gone_within(process: &str, patience: Duration) {
    let started = Instant::now();
    while !is_gone(process) {
        assert!(started.elapsed() < patience, "process {process} is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_program_says_what_it_says_and_how_it_ended() {
    let ended = heard(shell("echo to whoever listens; echo and to whoever worries >&2; exit 3"));
    assert_eq!(ended, ("to whoever listens\n".into(), "and to whoever worries\n".into(), Exit::Status(3)));
    assert_eq!(heard(shell("kill -9 $$")).2, Exit::Signal(9));
}

#[test]
fn a_program_has_the_environment_the_folder_and_the_input_it_was_given_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = program(&["env"]);
    program.environment.push(("WHOM".to_owned(), "Rosa".to_owned()));
    assert_eq!(heard(program).0, "PATH=/usr/bin:/bin\nWHOM=Rosa\n");
    let program = Program { folder: folder.path().to_owned(), ..shell("pwd; cat") };
    assert_eq!(heard(program).0, format!("{}\n", folder.path().canonicalize().unwrap().display()));
    let input = "a long letter\n".repeat(100_000);
    assert_eq!(heard(Program { input: input.clone().into(), ..shell("cat") }).0, input);
}

#[test]
fn a_program_need_not_read_its_input() {
    let input = "a long letter\n".repeat(100_000);
    assert_eq!(heard(Program { input: input.into(), ..shell("exit 0") }).2, Exit::Status(0));
}

#[test]
fn a_program_that_nobody_listens_to_any_more_ends_with_all_that_it_started() {
    let processes = runtime().block_on(async {
        let mut saying = LocalPrograms.start(shell("sleep 1000 & echo $$ $!; wait")).await.unwrap();
        first_words(&mut saying, 2).await
    });
    for process in &processes {
        is_gone_within(process, Duration::from_secs(20));
    }
}

#[test]
fn a_program_that_will_not_end_is_ended() {
    let processes = runtime().block_on(async {
        let stubborn = "trap '' TERM; sh -c \"trap '' TERM; echo \\$\\$; sleep 1000\" & echo $$; wait";
        let mut saying = LocalPrograms.start(shell(stubborn)).await.unwrap();
        first_words(&mut saying, 2).await
    });
    assert!(!processes.iter().any(|process| is_gone(process)), "they were told to end, and pay no heed");
    for process in &processes {
        is_gone_within(process, Duration::from_secs(20));
    }
}

#[test]
fn a_program_with_its_runtime_gone_is_not_left_behind() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (process, saying) = runtime.block_on(async {
        let mut saying = LocalPrograms.start(shell("trap '' TERM; echo $$; while :; do sleep 1; done")).await.unwrap();
        (first_words(&mut saying, 1).await.remove(0), saying)
    });
    runtime.shutdown_background();
    is_gone_within(&process, Duration::from_secs(20));
    drop(saying);
}

#[test]
fn what_a_program_leaves_running_is_not_waited_for() {
    let started = Instant::now();
    let (output, _, exit) = heard(shell("sleep 5 & echo done"));
    assert_eq!((output.as_str(), exit), ("done\n", Exit::Status(0)));
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_program_that_says_more_than_is_taken_waits() {
    runtime().block_on(async {
        let mut saying = LocalPrograms.start(shell("yes")).await.unwrap();
        for _ in 0..100 {
            assert!(matches!(saying.next().await, Some(Ok(Said::Output(chunk))) if !chunk.is_empty()));
        }
    });
}

#[test]
fn a_program_that_is_not_there_or_may_not_be_run_does_not_start() {
    let kind = |program: Program| runtime().block_on(LocalPrograms.start(program)).err().unwrap().kind();
    assert_eq!(kind(program(&["no-such-program"])), io::ErrorKind::NotFound);
    assert_eq!(kind(program(&["/etc/passwd"])), io::ErrorKind::PermissionDenied);
}
