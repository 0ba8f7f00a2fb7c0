use std::sync::Arc;

use cozyscript::{
    diagnostic::{Diagnostic, Span},
    ui::diagnostic::{Look, render},
};
use insta::assert_snapshot;

const PLAIN: Look = Look { colour: false, unicode: true, width: 80, links: false };

fn span(line: usize, column: usize, length: usize) -> Span {
    Span { source: "deploy.rhai".to_owned(), line, column, length }
}

fn error(place: Span) -> Diagnostic {
    Diagnostic::error("script", "this is wrong").at(place)
}

fn drawn(text: &str, place: Span, look: Look) -> String {
    render(&[error(place)], &|_| Some(Arc::from(text)), look)
}

/// The source line and the line with the mark, without what stands at their left.
fn marked(text: &str, line: usize, column: usize, length: usize) -> [String; 2] {
    let report = drawn(text, span(line, column, length), PLAIN);
    let lines: Vec<&str> = report.lines().skip(2).take(2).collect();
    [lines[0].split_once(" │ ").map_or("", |(_, text)| text), lines[1].split_once(" · ").map_or("", |(_, mark)| mark)]
        .map(str::to_owned)
}

#[test]
fn a_report_has_a_headline_the_source_the_calls_notes_and_the_hint_last() {
    let mut diagnostic = error(span(2, 5, 5)).hint("spell it out");
    diagnostic.label = Some("here".to_owned());
    diagnostic.notes = vec!["seen before".to_owned()];
    let helper = Span { source: "lib.rhai".to_owned(), ..span(1, 1, 4) };
    diagnostic.related = vec![(helper, "called from here: `help`".to_owned())];
    let text_of =
        |source: &str| Some(Arc::from(if source == "lib.rhai" { "help();" } else { "let a;\nlet wrong = 1;" }));
    assert_snapshot!(render(&[diagnostic], &text_of, PLAIN), @r#"
    error[script]: this is wrong
       ╭─[deploy.rhai:2:5]
     2 │ let wrong = 1;
       ·     ──┬──
       ·       ╰── here
       ╰────
    called from here: `help`
       ╭─[lib.rhai:1:1]
     1 │ help();
       · ────
       ╰────
    note: seen before
    hint: spell it out
    "#);
}

#[test]
fn without_unicode_everything_is_ascii() {
    let mut diagnostic = error(span(1, 1, 3));
    diagnostic.label = Some("here".to_owned());
    let long = "let a = 1; ".repeat(20);
    let look = Look { unicode: false, ..PLAIN };
    let report = render(&[diagnostic], &|_| Some(Arc::from(long.as_str())), look);
    assert!(report.is_ascii(), "{report}");
    assert_snapshot!(report, @r#"
    error[script]: this is wrong
       ,-[deploy.rhai:1:1]
     1 | let a = 1; let a = 1; let a = 1; let a = 1; let a = 1; let a = 1; le...
       : ^|^
       :  `-- here
       `----
    "#);
}

#[test]
fn several_findings_end_with_their_count() {
    let warning = Diagnostic::warning("shadowed", "`a` hides another `a`").at(span(1, 5, 1));
    let all = [error(span(1, 1, 3)), error(span(1, 9, 1)), warning];
    let report = render(&all, &|_| Some(Arc::from("let a = 1;")), PLAIN);
    assert_eq!(report.lines().last(), Some("2 errors, 1 warning in deploy.rhai"));
    assert_eq!(report.matches("╭─[deploy.rhai:1:").count(), 3);

    let elsewhere = Diagnostic::error("script", "wrong").at(Span { source: "b.rhai".to_owned(), ..span(1, 1, 1) });
    let report = render(&[error(span(1, 1, 3)), elsewhere], &|_| None, PLAIN);
    assert_eq!(report.lines().last(), Some("2 errors in 2 files"));
}

#[test]
fn one_finding_is_not_counted() {
    assert!(!drawn("let a = 1;", span(1, 1, 3), PLAIN).contains("1 error"));
}

#[test]
fn a_text_that_is_not_known_leaves_the_place() {
    let report = render(&[error(span(7, 3, 1)).hint("look there")], &|_| None, PLAIN);
    assert_snapshot!(report, @r#"
    error[script]: this is wrong
      at deploy.rhai:7:3
    hint: look there
    "#);
}

#[test]
fn the_mark_stands_under_what_is_meant() {
    assert_eq!(marked("let a = wrong;", 1, 9, 5), ["let a = wrong;", "        ─────"]);
    // A tab is drawn as four columns.
    assert_eq!(marked("\t\twrong;", 1, 3, 5), ["        wrong;", "        ─────"]);
    // A wide letter takes two columns.
    assert_eq!(marked("\"名前\" + wrong", 1, 8, 5), ["\"名前\" + wrong", "         ─────"]);
    assert_eq!(marked("f(\"名前\")", 1, 3, 4), ["f(\"名前\")", "  ──────"]);
    // A mark above a letter takes none, and is never cut off from it.
    assert_eq!(marked("\"e\u{301}\" + wrong", 1, 8, 5), ["\"e\u{301}\" + wrong", "      ─────"]);
    assert_eq!(marked("e\u{301}x", 1, 1, 1), ["e\u{301}x", "─"]);
}

#[test]
fn lines_may_end_in_any_way() {
    assert_eq!(marked("let a;\r\nwrong;\r\nlet b;", 2, 1, 5), ["wrong;", "─────"]);
    assert_eq!(marked("let a;\nwrong", 2, 1, 5), ["wrong", "─────"]);
}

#[test]
fn a_place_beyond_the_text_is_drawn_at_its_end() {
    assert_eq!(marked("let a = ", 1, 9, 1)[1], "        ─");
    assert_eq!(marked("let a;\n", 2, 1, 1)[1], "─");
    assert_eq!(marked("let a;", 1, 40, 3)[1], "      ─");
    let report = drawn("let a;", span(9, 1, 1), PLAIN);
    assert!(report.contains("at deploy.rhai:9:1"), "{report}");
}

#[test]
fn a_place_of_unknown_length_is_marked_at_its_beginning() {
    assert_eq!(marked("let a = wrong;", 1, 9, 0)[1], "        ─");
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let long = format!("let nodes = [{}wrong, {}];", "\"10.17.13.86\", ".repeat(30), "\"名\", ".repeat(30));
    let column = long.chars().position(|letter| letter == 'w').unwrap() + 1;
    for (column, length) in [(1, 3), (column, 5), (long.chars().count(), 1), (14, 400)] {
        for width in [40, 80, 120] {
            let mut labelled = error(span(1, column, length));
            labelled.label = Some("not known".to_owned());
            let report = render(&[labelled], &|_| Some(Arc::from(long.as_str())), Look { width, ..PLAIN });
            for line in report.lines() {
                let columns = unicode_width::UnicodeWidthStr::width(line);
                assert!(columns <= width, "{columns} > {width}: {line}");
            }
            assert!(report.contains(&format!("deploy.rhai:1:{column}]")), "{report}");
        }
    }
    assert_snapshot!(drawn(&long, span(1, column, 5), PLAIN), @r#"
    error[script]: this is wrong
       ╭─[deploy.rhai:1:464]
     1 │ ….13.86", "10.17.13.86", wrong, "名", "名", "名", "名", "名", "名", "名",…
       ·                          ─────
       ╰────
    "#);
}

#[test]
fn long_sentences_go_on_below() {
    let message = "a sentence that is so long that no screen of eighty columns can show it without a break somewhere";
    let report = render(&[Diagnostic::error("script", message).hint(message)], &|_| None, PLAIN);
    assert_snapshot!(report, @r#"
    error[script]: a sentence that is so long that no screen of eighty columns can
          show it without a break somewhere
    hint: a sentence that is so long that no screen of eighty columns can show it
          without a break somewhere
    "#);
}

#[test]
fn colour_is_there_only_if_it_is_asked_for() {
    let plain = drawn("let a = 1;", span(1, 1, 3), PLAIN);
    let coloured = drawn("let a = 1;", span(1, 1, 3), Look { colour: true, ..PLAIN });
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(coloured.starts_with("\u{1b}[1;31merror[script]:\u{1b}[0m this is wrong\n"), "{coloured}");
}
