use cozyscript::ui::table::lines;

use super::uncoloured;

fn table(rows: &[&[&str]], width: Option<usize>) -> String {
    let mut rows = rows.iter().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>());
    let columns = rows.next().unwrap();
    let lines = lines(&columns, &rows.collect::<Vec<_>>(), width, uncoloured());
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const PODS: &[&[&str]] = &[
    &["POD", "READY", "RESTARTS", "WHY"],
    &["web-0", "yes", "0", ""],
    &["日本語-1", "no", "12", "back-off 5m0s restarting failed container=web pod=web-1"],
];

#[test]
fn columns_are_aligned_and_numbers_stand_on_the_right() {
    insta::assert_snapshot!(table(PODS, None), @r#"
    POD       READY  RESTARTS  WHY
    ────────  ─────  ────────  ───────────────────────────────────────────────────────
    web-0     yes           0
    日本語-1  no           12  back-off 5m0s restarting failed container=web pod=web-1
    "#);
}

#[test]
fn the_widest_column_gives_way() {
    insta::assert_snapshot!(table(PODS, Some(48)), @r#"
    POD       READY  RESTARTS  WHY
    ────────  ─────  ────────  ─────────────────────
    web-0     yes           0
    日本語-1  no           12  back-off 5m0s restar…
    "#);
}

#[test]
fn a_table_of_nothing_says_so() {
    assert_eq!(table(&[&[]], None), "(no rows)");
}

#[test]
fn a_row_may_be_short_and_a_table_empty() {
    insta::assert_snapshot!(table(&[&["A", "B"], &["1"]], None), @r#"
    A  B
    ─  ─
    1
    "#);
    insta::assert_snapshot!(table(&[&["A", "B"]], None), @r#"
    A  B
    ─  ─
    "#);
}
