use std::{collections::BTreeMap, path::PathBuf};

use cozyscript::{
    host::environment::Environment,
    ui::style::{Color, Style, Terminal, Tone},
};

struct Variables(BTreeMap<&'static str, &'static str>);

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).map(ToString::to_string)
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn home(&self) -> Option<PathBuf> {
        None
    }
}

fn colored(color: Color, variables: &[(&'static str, &'static str)], terminal_stream: bool) -> bool {
    let terminal = Terminal::described_by(&Variables(variables.iter().copied().collect()));
    Style::new(color, &terminal, terminal_stream).colored
}

#[test]
fn a_terminal_has_colours_and_a_pipe_has_none() {
    assert!(colored(Color::Auto, &[("TERM", "xterm-256color")], true));
    assert!(!colored(Color::Auto, &[], false));
    assert!(!colored(Color::Auto, &[("TERM", "dumb")], true));
}

#[test]
fn the_environment_is_obeyed_and_the_command_line_more() {
    assert!(!colored(Color::Auto, &[("NO_COLOR", "1")], true));
    assert!(colored(Color::Auto, &[("NO_COLOR", "")], true));
    assert!(colored(Color::Auto, &[("CLICOLOR_FORCE", "1")], false));
    assert!(!colored(Color::Auto, &[("CLICOLOR_FORCE", "0")], false));
    assert!(!colored(Color::Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true));
    assert!(colored(Color::Always, &[("NO_COLOR", "1"), ("TERM", "dumb")], false));
    assert!(!colored(Color::Never, &[("CLICOLOR_FORCE", "1")], true));
}

#[test]
fn signs_follow_the_locale() {
    let utf8 = |variables: &[(&'static str, &'static str)]| {
        Terminal::described_by(&Variables(variables.iter().copied().collect())).utf8
    };
    assert!(utf8(&[("LANG", "de_DE.UTF-8")]));
    assert!(utf8(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
    assert!(!utf8(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
    assert!(!utf8(&[]));
}

#[test]
fn nothing_is_painted_without_colours() {
    let style = Style::new(Color::Never, &Terminal::default(), true);
    assert_eq!(style.paint(Tone::Failed, "no"), "no");
}

#[test]
fn a_color_is_one_of_three_words() {
    assert_eq!("always".parse(), Ok(Color::Always));
    assert_eq!("blue".parse::<Color>(), Err("`blue` is not one of auto, always, never".to_owned()));
}
