//! Running a program to its end.

use std::{io, sync::Arc};

use futures::StreamExt;
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::{
    answer::{Answer, Heard, Show, Stream},
    command::Command,
};
use crate::{
    event::What,
    host::{
        Host,
        effect::{self, Effect},
        events::Events,
        files::{Arriving, Files},
        frame,
        programs::{Program, Programs, Said},
        secrets::Vault,
        wait::Waiting,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        options::Options,
    },
};

/// How many of its last lines are told of a program that failed.
const LAST_LINES: usize = 10;

#[export_module]
pub mod functions {
    /// Runs a program of this machine to its end.
    #[rhai_fn(return_raw)]
    pub fn run(context: NativeCallContext, argv: Dynamic) -> Outcome<Map> {
        run_program(&context, &argv, Map::new())
    }

    /// Runs a program of this machine to its end. It must be allowed on the command line, by `--allow-exec` or, for some programs
    /// only, `--allow-exec=helm,kubectl`.
    ///
    /// No shell looks at the arguments: there are no pipes, wildcards or variables in them. What the program says is shown line by
    /// line while it runs. It has `PATH` and `HOME` of the environment, and nothing else but what `env` says. If its time is
    /// up or the run is stopped, it is asked to end and, after two seconds, made to.
    ///
    /// A resumed run does not run again what has ended as expected: it has its answer from the journal. What the program says
    /// is not kept if it is longer than 64 KB or holds a secret. If the run was cut off before the program ended, a person is
    /// asked whether it did what it should.
    ///
    /// # Parameters
    /// - `argv` (list): the program and its arguments, texts, numbers or secrets; a program without a slash is looked for in
    ///   `PATH`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `env` (list or map): names of variables that it also gets, or a map of names to values, which may be secrets
    /// - `dir` (text, `.`): the folder it runs in, relative to the runbook's folder
    /// - `stdin` (text or secret): what it reads on its standard input
    /// - `timeout` (duration, `10m`): how long it may take
    /// - `expect` (integer or list or text, `0`): statuses that are not faults; `any` is all of them
    /// - `reads` (boolean, `false`): it changes nothing, so it is no effect, and may be run again at any time
    /// - `repeat_safe` (boolean, `false`): running it twice is the same as running it once, so a resumed run may
    /// - `quiet` (boolean, `false`): don't show what it says
    /// - `limit` (integer, `16777216`): how many bytes of its output, and of its errors, are given back, at most 64 MiB: those at the end
    /// - `output` (text): a file, relative to the runbook's folder, that its output is written to, however long, and not shown; it
    ///   is in its place once the program has ended as expected
    ///
    /// # Returns
    /// A map of `status`, `stdout` and `stderr`. A program that a signal ended has 128 and the signal's number as its status. Of
    /// more than `limit` bytes only the end is there, which is warned of. `stdout` is empty if it went to a file.
    ///
    /// # Effect
    /// Whatever the program does, unless it is said that it changes nothing:
    ///
    /// - `reads`: `true`
    ///
    /// # Faults
    /// - `refused`: it was not allowed
    /// - `not_found`: there is no such program
    /// - `failed`: it could not be started, or ended with a status that was not expected; the notes have its last lines
    /// - `timeout`: it took too long, and was ended
    /// - `file`: its folder is missing, or outside of the runbook's folder
    /// - `usage`: what is given is no list, or an option can't be used
    ///
    /// # Example
    /// ```rhai
    /// step "say hello" {
    ///     exec::run(["echo", "hello", "operator"]);
    ///     let answer = exec::run(["cat"], #{ stdin: "a text", reads: true, quiet: true });
    ///     print(answer.stdout);
    /// }
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub fn run_with_options(context: NativeCallContext, argv: Dynamic, options: Map) -> Outcome<Map> {
        run_program(&context, &argv, options)
    }
}

fn run_program(context: &NativeCallContext, argv: &Dynamic, options: Map) -> Outcome<Map> {
    let options = context.options("exec::run", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let host = context.host();
    let expected = Expected::read(&options).map_err(raise)?;
    let deadline = options.deadline("timeout").map_err(raise)?;
    let command = Command::read(&host, argv, &options).map_err(raise)?;
    let Command { program, name, shown, digest } = command;
    let digest = match options.text("output") {
        Some(path) => effect::digest(&[digest.as_bytes(), path.as_bytes()]),
        None => digest,
    };
    let runner = Runner {
        show: (!options.flag("quiet")).then(|| show(&host, &name)),
        programs: host.programs.clone(),
        events: host.events.clone(),
        secrets: host.secrets.clone(),
        shown: shown.clone(),
        expected,
        limit: options.bytes("limit").map_err(raise)?,
        files: host.files.clone(),
        output: options.text("output"),
    };
    if let Some(path) = &runner.output {
        host.files.locate(path).map_err(|error| raise(error.into()))?;
    }
    if options.flag("reads") && runner.output.is_some() {
        let fault = Fault::new(Kind::Usage, "`reads` says that nothing is changed, and `output` makes a file");
        return Err(raise(fault.hint("leave `reads` out, and have a step around it")));
    }
    if options.flag("reads") {
        let answer = context.wait(Waiting::request(format!("`{shown}`"), deadline), |_| runner.run(program))?;
        return Ok(answer.map());
    }
    let repeatable = options.flag("repeat_safe");
    let effect = Effect { verb: "run".to_owned(), object: shown.clone(), digest, repeatable, destroys: None };
    let secrets = host.secrets.clone();
    let perform = async move {
        let answer = runner.run(program).await?;
        let detail = answer.status.map(|status| format!("status {status}"));
        Ok(Changed { kept: answer.keep(&secrets), detail, value: answer })
    };
    let answer = if repeatable {
        context.change(Change::repeatable(effect, deadline, perform))
    } else {
        context.change(Change {
            effect,
            deadline,
            perform: Box::new(|_| Box::pin(perform)),
            recall: Box::new(move |kept| Box::pin(async move { Answer::recall(&shown, &kept) })),
            settle: Box::pin(async {
                let why = "a program can't be asked what it did before it was cut off".to_owned();
                let value = Answer::assumed();
                let kept = serde_json::json!({ "status": null, "stdout": "", "stderr": "" });
                Ok(Settled::Unknown { why, assumed: Changed { value, kept, detail: None } })
            }),
        })
    };
    answer.map(Answer::map)
}

fn show(host: &Host, program: &str) -> Show {
    Show {
        events: host.events.clone(),
        secrets: host.secrets.clone(),
        step: frame::step(),
        program: program.to_owned(),
    }
}

/// What running a program needs of the host; a future can't borrow it.
struct Runner {
    programs: Arc<dyn Programs>,
    events: Arc<Events>,
    secrets: Arc<Vault>,
    show: Option<Show>,
    shown: String,
    expected: Expected,
    limit: usize,
    files: Arc<Files>,
    output: Option<String>,
}

impl Runner {
    async fn run(self, program: Program) -> Result<Answer, Fault> {
        let not_started = |error: io::Error| self.not_started(&program, &error);
        let mut file = self.output.as_deref().map(|path| self.files.arriving(path)).transpose()?;
        let mut saying = self.programs.start(program.clone()).await.map_err(not_started)?;
        let (mut stdout, mut stderr) =
            (Heard::new(self.limit, self.show.clone()), Heard::new(self.limit, self.show.clone()));
        let exit = loop {
            match saying.next().await.expect("a program ends before its stream does") {
                Ok(Said::Output(chunk)) => match &mut file {
                    Some(file) => file.add(&chunk)?,
                    None => stdout.hear(&chunk),
                },
                Ok(Said::Error(chunk)) => stderr.hear(&chunk),
                Ok(Said::Ended(exit)) => break exit,
                Err(error) => {
                    let message = format!("`{}` can't be heard any more: {error}", self.shown);
                    return Err(Fault::new(Kind::InDoubt, message));
                }
            }
        };
        let answer = Answer::new(exit, self.whole(stdout.end(), "output"), self.whole(stderr.end(), "errors"));
        if !self.expected.holds(answer.status) {
            return Err(self.unexpected(&answer));
        }
        file.map_or(Ok(()), Arriving::arrive)?;
        Ok(answer)
    }

    fn whole(&self, stream: Stream, what: &str) -> String {
        if stream.lost > 0 {
            let text = format!("the first {} bytes of the {what} of `{}` were not kept", stream.lost, self.shown);
            self.events.emit(What::Warned { text });
        }
        stream.text
    }

    fn not_started(&self, program: &Program, error: &io::Error) -> Fault {
        if !program.folder.is_dir() {
            let folder = program.folder.display();
            return Fault::new(Kind::File, format!("`{}` can't run in `{folder}`, which is no folder", self.shown));
        }
        if error.kind() != io::ErrorKind::NotFound {
            return Fault::new(Kind::Failed, format!("`{}` can't be started: {error}", self.shown));
        }
        let path = program.environment.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_str());
        let fault = Fault::new(Kind::NotFound, format!("there is no program `{}`", program.name));
        match path.filter(|_| !program.name.contains('/')) {
            Some(path) => fault.note(format!("looked in `{path}`")),
            None => fault,
        }
    }

    fn unexpected(&self, answer: &Answer) -> Fault {
        let status = answer.status.expect("it was seen to end");
        let ended = if status > 128 {
            format!("status {status}, as after signal {}", status - 128)
        } else {
            format!("status {status}")
        };
        let said = if answer.stderr.trim().is_empty() { &answer.stdout } else { &answer.stderr };
        // Secrets are taken out of the whole: a line of one would not be recognised.
        let said = self.secrets.redact(said.trim_end()).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        Fault::new(Kind::Failed, format!("`{}` ended with {ended}, not {}", self.shown, self.expected))
            .notes(last.iter().map(|line| (*line).to_owned()))
            .hint(format!("if that is an answer, too: `expect: [0, {status}]`"))
    }
}

/// The statuses that are answers.
struct Expected(Option<Vec<i64>>);

impl Expected {
    fn read(options: &Options) -> Result<Self, Fault> {
        let wrong = |value: &Dynamic| {
            Fault::new(Kind::Usage, format!("`{value}` is not a status that a program can be expected to end with"))
                .hint("such as `expect: 0`, `expect: [0, 1]` or `expect: \"any\"`")
        };
        let Some(given) = options.value("expect") else { return Ok(Self(Some(vec![0]))) };
        if given.is_string() {
            return if given.to_string() == "any" { Ok(Self(None)) } else { Err(wrong(&given)) };
        }
        let list = given.read_lock::<Array>().map_or_else(|| vec![given.clone()], |list| list.clone());
        let statuses = list.iter().map(|status| status.as_int().map_err(|_| wrong(status)));
        Ok(Self(Some(statuses.collect::<Result<_, _>>()?)))
    }

    fn holds(&self, status: Option<i64>) -> bool {
        self.0.as_ref().is_none_or(|expected| status.is_some_and(|status| expected.contains(&status)))
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let expected = self.0.as_deref().unwrap_or_default();
        f.write_str(&expected.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))
    }
}
