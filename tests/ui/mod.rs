//! What a person at a terminal, a log and a program see of the same run.

mod diagnostic;
pub mod json;
mod live;
mod markdown;
mod plain;
mod prompt;
mod region;
pub mod screen;
mod style;
mod table;

use std::time::Duration;

use cozyscript::{
    event::{EffectEnd, Event, FaultShown, Outcome, RunEnd, WaitEnd, What},
    ui::{
        Shown, Size,
        style::{Color, Style, Terminal},
    },
};

/// A window of some columns and 24 rows.
fn columns(columns: usize) -> Size {
    Size { columns, rows: 24 }
}

/// No colours, every sign.
fn uncoloured() -> Style {
    Style::new(Color::Never, &Terminal { utf8: true, ..Terminal::default() }, true)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn event(at: Duration, step: &str, what: What) -> Event {
    Event { at, step: step.to_owned(), what }
}

fn text(shown: &[Shown]) -> String {
    let lines = shown.iter().map(|shown| match shown {
        Shown::Data(text) => format!("data: {text}"),
        Shown::Said(line) => line.to_string(),
        Shown::Bell => "(bell)".to_owned(),
    });
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn fault() -> FaultShown {
    FaultShown {
        kind: "timeout".to_owned(),
        message: "helmrelease `cozy-fluxcd/flux` was not ready within 15m: the hook job `flux-migrate` failed"
            .to_owned(),
        hint: Some("look at `kubectl logs -n cozy-fluxcd job/flux-migrate`".to_owned()),
        at: Some("speedrun.rhai:42:9".to_owned()),
    }
}

/// A run in which everything happens once.
fn run() -> Vec<Event> {
    let at = |millis, step: &str, what| event(Duration::from_millis(millis), step, what);
    let finished = |outcome, elapsed, fault, because: Option<&str>| What::StepFinished {
        outcome,
        elapsed: Duration::from_millis(elapsed),
        fault,
        because: because.map(str::to_owned),
    };
    vec![
        at(
            0,
            "",
            What::RunStarted {
                run: "speedrun-7".to_owned(),
                runbook: "speedrun.rhai".to_owned(),
                resumed: false,
                narration: "# The run\n\nWe destroy *production* and bring it back.".to_owned(),
                steps: 5,
                rehearsed_on: None,
            },
        ),
        at(1, "prepare", finished(Outcome::Replayed, 0, None, Some("unchanged"))),
        at(2, "images", finished(Outcome::Replayed, 0, None, Some("unchanged"))),
        at(10, "nuke", What::StepStarted { narration: "Workers go first.".to_owned(), attempt: 1, of: 1 }),
        at(11, "nuke", What::Asked { question: "Destroy `lab`?".to_owned() }),
        at(12, "nuke", What::Answered { question: "Destroy `lab`?".to_owned(), answer: "lab".to_owned() }),
        at(20, "nuke/reset[srv2]", What::StepStarted { narration: String::new(), attempt: 1, of: 1 }),
        at(
            21,
            "nuke/reset[srv2]",
            What::EffectIntended {
                effect: 1,
                verb: "reset".to_owned(),
                object: "node 10.0.0.2".to_owned(),
                destroys: true,
                dies: vec!["its disk sda".to_owned()],
            },
        ),
        at(900, "nuke/reset[srv2]", What::EffectClosed { effect: 1, outcome: EffectEnd::Done, detail: None }),
        at(
            1_000,
            "nuke/reset[srv2]",
            What::WaitStarted {
                wait: 1,
                what: "node 10.0.0.2 in maintenance mode".to_owned(),
                deadline: seconds(900),
                elapsed: Duration::ZERO,
            },
        ),
        at(2_000, "nuke/reset[srv2]", What::WaitChanged { wait: 1, because: "connection refused".to_owned() }),
        at(62_000, "nuke/reset[srv2]", What::WaitFinished { wait: 1, ended: WaitEnd::Met, elapsed: seconds(61) }),
        at(
            61_990,
            "install",
            What::ResumedAt {
                replayed: vec!["prepare".to_owned()],
                because: "its text changed".to_owned(),
                diff: vec!["-    apply(1);".to_owned(), "+    apply(2);".to_owned()],
            },
        ),
        at(62_000, "nuke/reset[srv2]", finished(Outcome::Done, 61_980, None, None)),
        at(62_100, "nuke", finished(Outcome::Done, 62_090, None, None)),
        at(62_200, "", What::TimerStarted { timer: "bootstrap".to_owned() }),
        at(62_300, "install", What::StepStarted { narration: String::new(), attempt: 1, of: 2 }),
        at(
            62_400,
            "install",
            What::EffectIntended {
                effect: 2,
                verb: "apply".to_owned(),
                object: "deployment/web".to_owned(),
                destroys: false,
                dies: Vec::new(),
            },
        ),
        at(
            62_500,
            "install",
            What::EffectClosed { effect: 2, outcome: EffectEnd::Done, detail: Some("configured".to_owned()) },
        ),
        at(
            62_600,
            "install",
            What::EffectIntended {
                effect: 3,
                verb: "apply".to_owned(),
                object: "service/web".to_owned(),
                destroys: false,
                dies: Vec::new(),
            },
        ),
        at(
            62_700,
            "install",
            What::EffectClosed { effect: 3, outcome: EffectEnd::Done, detail: Some("unchanged".to_owned()) },
        ),
        at(62_700, "install", What::Noted { text: "service/web: unchanged".to_owned(), minor: true }),
        at(
            62_800,
            "install",
            What::Noted { text: "warning about pod web-0: BackOff: it crashed".to_owned(), minor: false },
        ),
        at(
            63_000,
            "install",
            What::StepRetried {
                attempt: 1,
                of: 2,
                pause: seconds(10),
                fault: FaultShown {
                    kind: "conflict".to_owned(),
                    message: "conflict with `kubectl`".to_owned(),
                    hint: None,
                    at: None,
                },
            },
        ),
        at(73_000, "install", What::StepStarted { narration: String::new(), attempt: 2, of: 2 }),
        at(73_100, "install", What::Printed { text: "3 nodes".to_owned() }),
        at(
            73_200,
            "install",
            What::Tabled {
                columns: vec!["NODE".to_owned(), "PODS".to_owned()],
                rows: vec![vec!["srv1".to_owned(), "12".to_owned()]],
            },
        ),
        at(
            73_200,
            "install",
            What::ProgramSaid { program: "helm".to_owned(), text: "Release \"cozystack\" does not exist".to_owned() },
        ),
        at(73_300, "install", What::Warned { text: "version 1.31 is deprecated".to_owned() }),
        at(73_400, "install", What::StopRequested { signal: "SIGINT".to_owned(), now: false }),
        at(80_000, "install", finished(Outcome::Failed, 17_700, Some(fault()), None)),
        at(80_100, "", What::TimerStopped { timer: "bootstrap".to_owned(), elapsed: Duration::from_millis(17_900) }),
        at(80_200, "", What::BellRang { text: "come and look".to_owned() }),
        at(80_300, "redis", finished(Outcome::Skipped, 0, None, Some("--until install"))),
        at(
            80_400,
            "",
            What::RunFinished {
                outcome: RunEnd::Failed,
                elapsed: Duration::from_millis(80_400),
                fault: Some(fault()),
                resume: Some("cozyscript resume speedrun-7".to_owned()),
            },
        ),
    ]
}
