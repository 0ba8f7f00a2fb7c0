use std::time::Duration;

use cozyscript::{
    event::{FaultShown, Outcome, RunEnd, WaitEnd, What},
    ui::{
        Shown, Size, Verbosity, View,
        live::Live,
        style::Terminal,
        style::{Color, Style},
    },
};

use super::{columns, event, run, seconds, text, uncoloured};

fn live(verbosity: Verbosity) -> Live {
    Live::new(verbosity, uncoloured(), uncoloured())
}

fn scrolled(verbosity: Verbosity, size: Size) -> String {
    let mut view = live(verbosity);
    let shown: Vec<Shown> = run().iter().flat_map(|event| view.told(event, size)).collect();
    text(&shown)
}

fn region(view: &Live, now: Duration, size: Size) -> String {
    view.region(now, size).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// `count` branches that wait, each in a step of its own.
fn waiting(count: u64, size: Size) -> Live {
    let mut view = live(Verbosity::Normal);
    let begun = What::RunStarted {
        run: "r".to_owned(),
        runbook: "drain.rhai".to_owned(),
        resumed: false,
        narration: String::new(),
        steps: 3,
        rehearsed_on: None,
    };
    view.told(&event(seconds(0), "", begun), size);
    view.told(&event(seconds(0), "drain", What::StepStarted { narration: String::new(), attempt: 1, of: 1 }), size);
    for wait in 0..count {
        let step = format!("drain/evict[worker-{wait}]");
        view.told(
            &event(seconds(wait), &step, What::StepStarted { narration: String::new(), attempt: 1, of: 1 }),
            size,
        );
        let started = What::WaitStarted {
            wait,
            what: format!("node worker-{wait} empty"),
            deadline: seconds(300),
            elapsed: seconds(0),
        };
        view.told(&event(seconds(wait), &step, started), size);
        let changed = What::WaitChanged { wait, because: "3 pods left: web-0, web-1, web-2".to_owned() };
        view.told(&event(seconds(wait), &step, changed), size);
    }
    view
}

#[test]
fn what_has_happened_scrolls_by() {
    insta::assert_snapshot!(scrolled(Verbosity::Normal, columns(80)), @r#"
    ━━ speedrun.rhai ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

    The run

    We destroy production and bring it back.

    ↺ prepare · images replayed

    ▸ nuke
      Workers go first.
        ! reset node 10.0.0.2 · srv2
          its disk sda · srv2
        ~ reset node 10.0.0.2 · srv2
        · node 10.0.0.2 in maintenance mode · srv2                            1m01s
    ↻ on from install, because its text changed
        -    apply(1);
        +    apply(2);
      ✓ nuke/reset[srv2]                                                      1m01s
    ✓ nuke                                                                    1m02s

    ▸ install
      ~ apply deployment/web (configured)
      ~ apply service/web (unchanged)
      │ warning about pod web-0: BackOff: it crashed
    ↻ install  attempt 1 of 2 failed, next in 10s
        conflict with `kubectl`
    data: 3 nodes
    data: NODE  PODS
    data: ────  ────
    data: srv1    12
      │ Release "cozystack" does not exist
    ▲ version 1.31 is deprecated
    ■ SIGINT: stopping as soon as what is under way has come back; again to stop
      now
    ✗ install                                                                 17.7s
        helmrelease `cozy-fluxcd/flux` was not ready within 15m: the hook job
        `flux-migrate` failed
        at speedrun.rhai:42:9
    ◷ bootstrap                                                               17.9s
    ♪ come and look
    (bell)
    ○ redis  skipped  --until install

    ━━ speedrun.rhai ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

      ↺ prepare           replayed
      ↺ images            replayed
      ✓ nuke               1m02s  ████████████████████████████████████
      ✗ install            17.7s  ██████████▎
        helmrelease `cozy-fluxcd/flux` was not ready within 15m: the hook job `flu…
      ○ redis             skipped

      ✗ failed after 1m20s
        2 done · 1 failed · 2 replayed · 1 skipped · 2 changes
      ▸ go on with: cozyscript resume speedrun-7
    "#);
}

#[test]
fn a_wide_window_is_used_up_to_a_readable_measure() {
    let widest = scrolled(Verbosity::Normal, columns(160)).lines().map(|line| line.chars().count()).max();
    assert_eq!(widest, Some(120));
}

#[test]
fn quiet_leaves_data_warnings_failures_and_the_end() {
    insta::assert_snapshot!(scrolled(Verbosity::Quiet, columns(80)), @r#"
    data: 3 nodes
    data: NODE  PODS
    data: ────  ────
    data: srv1    12
    ▲ version 1.31 is deprecated
    ■ SIGINT: stopping as soon as what is under way has come back; again to stop
      now
    ✗ install                                                                 17.7s
        helmrelease `cozy-fluxcd/flux` was not ready within 15m: the hook job
        `flux-migrate` failed
        at speedrun.rhai:42:9
    (bell)

    ━━ speedrun.rhai ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

      ↺ prepare           replayed
      ↺ images            replayed
      ✓ nuke               1m02s  ████████████████████████████████████
      ✗ install            17.7s  ██████████▎
        helmrelease `cozy-fluxcd/flux` was not ready within 15m: the hook job `flu…
      ○ redis             skipped

      ✗ failed after 1m20s
        2 done · 1 failed · 2 replayed · 1 skipped · 2 changes
      ▸ go on with: cozyscript resume speedrun-7
    "#);
    let view = live(Verbosity::Quiet);
    assert_eq!(region(&view, seconds(1), columns(80)), "");
}

#[test]
fn verbose_also_tells_what_changed_nothing() {
    let verbose = scrolled(Verbosity::Verbose, columns(80));
    let normal = scrolled(Verbosity::Normal, columns(80));
    let more: Vec<&str> = verbose.lines().filter(|line| !normal.lines().any(|other| other == *line)).collect();
    insta::assert_snapshot!(more.join("\n"), @r#"
    ↺ prepare  replayed  unchanged
    ↺ images  replayed  unchanged
    ◷ bootstrap  started
      │ service/web: unchanged
    "#);
}

#[test]
fn what_goes_on_stands_below_with_its_reason_and_its_deadline() {
    insta::assert_snapshot!(region(&waiting(3, columns(80)), seconds(75), columns(80)), @r#"
    ⠧ drain                                                                   1m15s
      ⠧ evict[worker-0]  node worker-0 empty                            1m15s of 5m
          3 pods left: web-0, web-1, web-2
      ⠧ evict[worker-1]  node worker-1 empty                            1m14s of 5m
          3 pods left: web-0, web-1, web-2
      ⠧ evict[worker-2]  node worker-2 empty                            1m13s of 5m
          3 pods left: web-0, web-1, web-2
    ── drain.rhai · 0 of 3 steps                                              1m15s
    "#);
    insta::assert_snapshot!(region(&waiting(3, columns(160)), seconds(75), columns(160)), @r#"
    ⠧ drain                                                                                                            1m15s
      ⠧ evict[worker-0]  node worker-0 empty: 3 pods left: web-0, web-1, web-2                                   1m15s of 5m
      ⠧ evict[worker-1]  node worker-1 empty: 3 pods left: web-0, web-1, web-2                                   1m14s of 5m
      ⠧ evict[worker-2]  node worker-2 empty: 3 pods left: web-0, web-1, web-2                                   1m13s of 5m
    ── drain.rhai · 0 of 3 steps                                                                                       1m15s
    "#);
}

#[test]
fn a_hundred_waits_leave_room_for_what_has_happened() {
    let size = Size { columns: 80, rows: 20 };
    let shown = region(&waiting(100, size), seconds(130), size);
    assert_eq!(shown.lines().count(), 16);
    insta::assert_snapshot!(shown.lines().skip(11).collect::<Vec<_>>().join("\n"), @r#"
      ⠴ evict[worker-10]  node worker-10 empty: 3 pods left: web-0, web-…  2m of 5m
      ⠴ evict[worker-11]  node worker-11 empty: 3 pods left: web-0, w…  1m59s of 5m
      ⠴ evict[worker-12]  node worker-12 empty: 3 pods left: web-0, w…  1m58s of 5m
    … and 87 more waits (longest 1m57s: node worker-13 empty)
    ── drain.rhai · 0 of 3 steps                                              2m10s
    "#);
}

#[test]
fn no_window_is_too_small() {
    for rows in 1..8 {
        let size = Size { columns: 30, rows };
        let lines = waiting(10, size).region(seconds(20), size);
        assert!(lines.len() <= rows.saturating_sub(4).max(1), "{} lines in {rows} rows", lines.len());
        assert!(lines.iter().all(|line| line.width() < 30));
    }
}

#[test]
fn wide_characters_are_measured_not_counted() {
    let size = columns(60);
    let mut view = live(Verbosity::Normal);
    let started = What::WaitStarted {
        wait: 1,
        what: "配置の完了を待っています".to_owned(),
        deadline: seconds(60),
        elapsed: Duration::ZERO,
    };
    view.told(&event(seconds(0), "", started), size);
    let changed =
        What::WaitChanged { wait: 1, because: "まだ準備ができていないポッドがあります".to_owned() };
    view.told(&event(seconds(1), "", changed), size);
    assert!(view.region(seconds(2), size).iter().all(|line| line.width() <= 59));
    insta::assert_snapshot!(region(&view, seconds(2), size), @r#"
    ⠴ 配置の完了を待っています                         2s of 1m
        まだ準備ができていないポッドがあります
    ──                                                       2s
    "#);
}

#[test]
fn a_message_can_neither_move_the_cursor_nor_break_its_line() {
    let mut view = live(Verbosity::Normal);
    let started = What::WaitStarted {
        wait: 1,
        what: "log\x1b[2J of\n\tweb\x1b]0;title\x07!".to_owned(),
        deadline: seconds(60),
        elapsed: Duration::ZERO,
    };
    view.told(&event(seconds(0), "", started), columns(80));
    let lines = view.region(seconds(1), columns(80));
    assert!(lines[0].to_string().contains("log of  web!"), "{}", lines[0]);
}

#[test]
fn a_step_that_is_tried_again_counts_down() {
    let mut view = live(Verbosity::Normal);
    view.told(&event(seconds(0), "a", What::StepStarted { narration: String::new(), attempt: 1, of: 3 }), columns(80));
    let fault = FaultShown { kind: "status".to_owned(), message: "503 from `web`".to_owned(), hint: None, at: None };
    let retried = What::StepRetried { attempt: 1, of: 3, pause: seconds(10), fault };
    view.told(&event(seconds(2), "a", retried), columns(80));
    let line = region(&view, seconds(5), columns(80));
    assert!(line.contains("a  again in 7s: 503 from `web`"), "{line}");
}

#[test]
fn branches_share_one_narration() {
    let mut view = live(Verbosity::Normal);
    let mut told = Vec::new();
    for node in ["a", "b"] {
        let started = What::StepStarted { narration: "Pods move first.".to_owned(), attempt: 1, of: 1 };
        told.extend(view.told(&event(seconds(0), &format!("drain[{node}]"), started), columns(80)));
    }
    insta::assert_snapshot!(text(&told), @r#"
    ▸ drain
      Pods move first.
    "#);
}

#[test]
fn a_wait_that_was_told_late_is_a_request_and_leaves_no_line() {
    let mut view = live(Verbosity::Normal);
    let started =
        What::WaitStarted { wait: 1, what: "GET /api/v1/pods".to_owned(), deadline: seconds(30), elapsed: seconds(2) };
    view.told(&event(seconds(2), "", started), columns(80));
    let shown: String = view.region(seconds(3), columns(80)).iter().map(ToString::to_string).collect();
    assert!(shown.contains("3s of 30s"), "it was begun before it was told of: {shown}");
    let finished = What::WaitFinished { wait: 1, ended: WaitEnd::Met, elapsed: seconds(3) };
    assert_eq!(view.told(&event(seconds(3), "", finished), columns(80)), Vec::new());
}

#[test]
fn the_end_sums_branches_up_in_one_bar() {
    let mut view = waiting(0, columns(80));
    for (index, outcome) in [Outcome::Done, Outcome::Done, Outcome::Stopped].into_iter().enumerate() {
        let finished = What::StepFinished { outcome, elapsed: seconds(30), fault: None, because: None };
        view.told(&event(seconds(40), &format!("drain[w{index}]"), finished), columns(80));
    }
    let finished = What::StepFinished { outcome: Outcome::Done, elapsed: seconds(90), fault: None, because: None };
    view.told(&event(seconds(130), "check", finished), columns(80));
    let ended = What::RunFinished { outcome: RunEnd::Stopped, elapsed: seconds(130), fault: None, resume: None };
    let last = view.told(&event(seconds(130), "", ended), columns(80));
    insta::assert_snapshot!(text(&last), @r#"
    ━━ drain.rhai ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

      ■ drain ×3             30s  ████████████
      ✓ check              1m30s  ████████████████████████████████████

      ■ stopped after 2m10s
        3 done · 1 stopped
    "#);
}

#[test]
fn ascii_is_enough_where_the_locale_has_no_more() {
    let ascii = Style::new(Color::Never, &Terminal::default(), true);
    let mut view = Live::new(Verbosity::Verbose, ascii, ascii);
    let mut shown = String::new();
    for event in run() {
        shown.push_str(&text(&view.told(&event, columns(80))));
        for line in view.region(event.at + seconds(40), columns(80)) {
            shown.push_str(&line.to_string());
        }
    }
    assert!(shown.is_ascii(), "{shown}");
}
