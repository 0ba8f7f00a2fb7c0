//! Secrets: passed on, never shown, never stored.

use std::fs;

use crate::support::program::Runbook;

const VALUE: &str = "hunter2/with+signs==";

/// Everything that the run left behind.
fn left_behind(book: &Runbook) -> String {
    fs::read_to_string(book.journal()).unwrap()
}

#[test]
fn a_secret_comes_from_the_environment_or_a_file() {
    let book = Runbook::new("let t = param(\"t\", #{ secret: true, from: \"env:TOKEN\" }); print(t.expose().len());");
    book.run().variable("TOKEN", VALUE).done().stdout("20\n");
    let book = Runbook::new("let t = param(\"t\", #{ secret: true, from: \"file:token\" }); print(t.expose().len());");
    let book = book.file("token", &format!("{VALUE}\n"));
    book.run().done().stdout("20\n");
}

#[test]
fn a_secret_is_redacted_by_value_in_every_form() {
    let book = Runbook::new(
        r#"
        let token = param("token", #{ secret: true, from: "env:TOKEN" });
        let plain = token.expose();
        print(plain);
        print(`the ${token} and ${plain}`);
        print(token.base64().expose());
        step "a" { show::warn(plain); plain }
        step "b" { throw `failed with ${plain}`; }
        "#,
    );
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, VALUE);
    let url = percent_encoding::utf8_percent_encode(VALUE, percent_encoding::NON_ALPHANUMERIC).to_string();
    for arguments in [["--color", "never"], ["--color", "always"], ["--json", "-q"]] {
        let book = Runbook::new(&fs::read_to_string(book.folder().join("book.rhai")).unwrap());
        let ended = book.run().args(arguments).variable("TOKEN", VALUE).fails(1);
        let ended = ended.stdout_has("[secret env:TOKEN]").stderr_has("failed with [secret env:TOKEN]");
        for text in [&ended.stdout, &ended.stderr, &left_behind(&book)] {
            for form in [VALUE, &encoded, &url] {
                assert!(!text.contains(form), "`{form}` is in:\n{text}");
            }
        }
    }
}

#[test]
fn a_secret_is_not_stored_and_read_again_on_resume() {
    let book = Runbook::new(
        "let t = param(\"t\", #{ secret: true, from: \"env:TOKEN\" }); let kept = step \"a\" { print(\"a\"); t }; step \"b\" { print(kept.expose().len()); throw t.expose(); }",
    );
    book.run().variable("TOKEN", VALUE).fails(1).stdout("a\n20\n").stderr_has("[secret env:TOKEN]");
    book.resume().fails(2).stderr_has("`t` has no value").stderr_has("env:TOKEN");
    book.edit("throw t", "print(t");
    book.edit("expose(); }", "expose()); }");
    book.resume().variable("TOKEN", VALUE).done().stdout("20\n[secret env:TOKEN]\n");
    assert!(!left_behind(&book).contains(VALUE));
}

#[test]
fn a_resumed_run_keeps_the_secret_out_of_its_journal_too() {
    let book = Runbook::new(
        "let t = param(\"t\", #{ secret: true, from: \"env:TOKEN\" }); step \"a\" { throw `with ${t.expose()}`; }",
    );
    book.run().variable("TOKEN", VALUE).fails(1).stderr_has("with [secret env:TOKEN]");
    book.resume().variable("TOKEN", VALUE).fails(1).stderr_has("with [secret env:TOKEN]");
    assert!(!left_behind(&book).contains(VALUE), "{}", left_behind(&book));
}

#[test]
fn another_token_is_no_reason_to_run_finished_steps_again() {
    let book = Runbook::new(
        "let t = param(\"t\", #{ secret: true }); step \"a\" { print(t.expose().len()); } step \"b\" { throw \"no\"; }",
    );
    book.run().variable("COZYSCRIPT_T", "expired").fails(1).stdout("7\n").stderr_has("no");
    book.edit("throw \"no\";", "");
    book.resume().variable("COZYSCRIPT_T", "renewed-token").done();
}

#[test]
fn a_value_with_a_secret_in_it_is_made_again_and_not_taken_from_the_journal() {
    let book = Runbook::new(
        "let t = param(\"t\", #{ secret: true }); let header = step \"a\" { print(\"a\"); `Bearer ${t.expose()}` }; step \"b\" { print(header.len()); throw \"no\"; }",
    );
    book.run().variable("COZYSCRIPT_T", VALUE).fails(1).stdout("a\n27\n").stderr_has("no");
    book.edit("throw \"no\";", "");
    book.resume().variable("COZYSCRIPT_T", VALUE).done().stdout("a\n27\n");
}

#[test]
fn a_secret_in_the_name_of_a_round_does_not_hide_what_it_did() {
    let book = Runbook::new(
        "let t = param(\"t\", #{ secret: true }); for item in [t.expose()] { step \"a\" key item { print(\"a\"); } } step \"b\" { throw \"no\"; }",
    );
    book.run().variable("COZYSCRIPT_T", VALUE).fails(1).stdout("a\n").stderr_has("no");
    book.edit("throw \"no\";", "");
    book.resume().variable("COZYSCRIPT_T", VALUE).done();
    assert!(!left_behind(&book).contains(VALUE));
}
