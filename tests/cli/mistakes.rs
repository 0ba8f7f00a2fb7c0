use std::{panic, sync::Arc, thread};

use cozyscript::{
    cli::report,
    host::secrets::{Secret, Vault},
};

use crate::ui::screen::screen;

#[test]
fn a_mistake_of_the_program_is_told_as_one_and_without_secrets() {
    let (screen, _, said) = screen(true);
    let secrets = Arc::new(Vault::default());
    secrets.remember(&Secret::new("param password", "hunter2-hunter2".to_owned()));

    let before = panic::take_hook();
    report::mistakes(&screen, secrets);
    thread::spawn(|| panic!("nobody expects hunter2-hunter2")).join().unwrap_err();
    panic::set_hook(before);

    let said = said.take().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("this is a mistake in cozyscript: nobody expects [secret param password]"), "{said}");
    assert!(said.contains("tests/cli/mistakes.rs"), "{said}");
    assert!(said.contains("`cozyscript resume` goes on from the journal"), "{said}");
}
