//! `cozyscript check FILE…`: finds what is wrong without running anything.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    program::{self, Program},
    report,
    run::Look,
    status::Status,
};
use crate::{
    diagnostic::{Diagnostic, Severity},
    script::sources::Sources,
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The runbooks
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Also look for imported files here, those of the standard library included
    #[arg(long, value_name = "DIR")]
    library: Vec<PathBuf>,
    #[command(flatten)]
    look: Look,
}

pub fn main(arguments: &Arguments) -> Status {
    let (screen, _) = arguments.look.open();
    let mut failed = false;
    for file in &arguments.files {
        let (findings, sources) = match Program::read(file, &arguments.library) {
            Ok(program) => (program.check(), program.sources),
            Err(diagnostic) => (vec![diagnostic], Sources::default()),
        };
        failed |= program::has_errors(&findings);
        if arguments.look.json {
            findings.iter().for_each(|finding| super::report::data(&as_json(finding).to_string()));
        } else if findings.is_empty() {
            screen.say(&format!("{}: nothing wrong", file.display()));
        } else {
            report::show(&screen, &findings, &sources);
        }
    }
    let written = screen.close();
    if failed || written.is_err() { Status::Usage } else { Status::Done }
}

fn as_json(finding: &Diagnostic) -> serde_json::Value {
    let place = finding.place.as_ref();
    json!({
        "severity": match finding.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "code": finding.code,
        "message": finding.message,
        "hint": finding.hint,
        "file": place.map(|place| &place.source),
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "length": place.map(|place| place.length),
    })
}
