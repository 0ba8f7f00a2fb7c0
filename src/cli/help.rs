//! `cozyscript help TOPIC`: a function, a kind of fault, or a subcommand.

use clap::Args;

use super::{docs, program::all_bindings, report, run::Look, status::Status};
use crate::{
    diagnostic::Diagnostic,
    script::{
        catalogue::{Catalogue, Function},
        engine,
        fault::Kind,
        options::nearest,
        sources::Sources,
    },
    ui::markdown,
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// `k8s::apply`, `apply`, `not_found`, `run` …; this program's own help, if left out
    topic: Option<String>,
    #[command(flatten)]
    look: Look,
}

pub fn main(arguments: &Arguments, mut command: clap::Command) -> Status {
    let topic = arguments.topic.as_deref();
    if topic.is_none_or(|topic| command.find_subcommand(topic).is_some()) {
        let asked = ["cozyscript"].into_iter().chain(topic).chain(["--help"]);
        let help = command.try_get_matches_from_mut(asked).expect_err("clap gives help as an error");
        // A reader that has seen enough, such as `head`, is no failure.
        return help.print().map_or(Status::Failed, |()| Status::Done);
    }
    let topic = topic.expect("it was looked at");
    let (screen, terminal) = arguments.look.open();
    let engine = engine::build(&all_bindings(), &Sources::default());
    let catalogue = Catalogue::default();
    let functions = catalogue.functions(&engine);
    let asked = topic.trim_end_matches("()");
    let found: Vec<&Function> = functions
        .values()
        .filter(|function| function.name == asked || function.name.ends_with(&format!("::{asked}")))
        .map(|function| &**function)
        .filter(|function| !function.doc.summary.is_empty())
        .collect();
    let mut text = String::new();
    for function in &found {
        text.push_str(&format!("# {}\n\n{}\n", function.name, docs::entry(function)));
    }
    if let Some((_, word, meaning)) = Kind::ALL.iter().find(|(_, word, _)| *word == asked) {
        text.push_str(&format!("# {word}\n\nA kind of fault: {meaning}.\n"));
    }
    if text.is_empty() {
        let names = functions.keys().map(String::as_str).chain(Kind::ALL.iter().map(|(_, word, _)| *word));
        let bare = functions.keys().filter_map(|name| name.rsplit("::").next());
        let near = nearest(asked, names.chain(bare));
        let finding = Diagnostic::error("help", format!("there is no function, fault or subcommand `{topic}`"));
        let hint = near.map_or("`cozyscript docs --functions` lists all functions".to_owned(), |near| {
            format!("did you mean `{near}`?")
        });
        report::show(&screen, &[finding.hint(hint)], &Sources::default());
        return Status::Usage;
    }
    let width = if terminal.output { screen.columns().min(100) } else { 100 };
    report::data(markdown::render(&text, width, screen.style()).trim_end());
    Status::Done
}
