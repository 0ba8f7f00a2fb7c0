use std::time::{Duration, Instant};

use cozyscript::event::What;
use cozyscript::script::fault::Kind;

use super::script;

#[test]
fn numbers_make_durations_in_the_operators_words() {
    let (script, _folder) = script(&[]);
    for (text, seconds) in [
        ("10.minutes", 600.0),
        ("1.minute", 60.0),
        ("90.s", 90.0),
        ("1.5.hours", 5400.0),
        ("250.ms", 0.25),
        ("2.days", 172_800.0),
        (r#"duration("1h30m")"#, 5400.0),
        ("duration(90)", 90.0),
    ] {
        assert_eq!(script.value::<Duration>(text), Duration::from_secs_f64(seconds), "{text}");
    }
}

#[test]
fn durations_can_be_reckoned_with_and_compared() {
    let (script, _folder) = script(&[]);
    for claim in [
        "1.hour - 45.minutes == 15.minutes",
        "0.1.s + 0.2.s == 0.3.s",
        "3 * 20.s == 1.minute",
        "1.minute / 4 == 15.s",
        "1.hour / 1.minute == 60.0",
        "1.5 * 1.minute == 90.s && 90.s * 0.5 == 45.s",
        "90.s > 1.minute && 90.s >= 90.s && 1.s < 2.s && 1.s <= 1.s",
        "90.s.minutes == 1.5",
        r#"`${90.minutes}` == "1h30m" && `${2.hours}` == "2h" && `${7.days}` == "7d" && `${30.hours}` == "1d06h""#,
    ] {
        assert!(script.value::<bool>(claim), "{claim}");
    }
}

#[test]
fn a_duration_is_never_negative_and_never_endless() {
    let (script, _folder) = script(&[]);
    assert_eq!(script.fault("1.s - 2.s").kind, Kind::Usage);
    assert_eq!(script.fault("let n = -5; n.minutes").kind, Kind::Usage);
    assert_eq!(script.fault("1.s / 0").kind, Kind::Usage);
    assert_eq!(script.fault("9000000000000000000.days").kind, Kind::Usage);
    assert_eq!(script.fault(r#"duration("soon")"#).kind, Kind::Parse);
}

#[test]
fn points_in_time_print_as_utc_and_differ_by_durations() {
    let (script, _folder) = script(&[]);
    for claim in [
        r#"`${time::parse("2026-01-31T14:00:00+02:00")}` == "2026-01-31T12:00:00Z""#,
        r#"time::parse("2026-01-31T12:00:00Z") - time::parse("2026-01-31T11:30:00Z") == 30.minutes"#,
        r#"time::parse("2026-01-31T12:00:00Z") + 1.day == time::parse("2026-02-01T12:00:00Z")"#,
        r#"time::parse("2026-01-31T12:00:00Z").format("%d.%m.%Y") == "31.01.2026""#,
        r#"time::parse("1970-01-01T00:01:00Z").unix == 60"#,
        "let begun = now(); now() - begun < 1.minute",
        "now() > time::parse(\"2020-01-01T00:00:00Z\")",
        "type_of(now()) == \"Timestamp\" && type_of(1.s) == \"Duration\"",
    ] {
        assert!(script.value::<bool>(claim), "{claim}");
    }
    assert_eq!(script.fault(r#"time::parse("yesterday")"#).kind, Kind::Parse);
    assert_eq!(script.fault(r#"now().format("%!")"#).kind, Kind::Usage);
    let fault = script.fault(r#"time::parse("2026-01-01T00:00:00Z") - time::parse("2026-01-02T00:00:00Z")"#);
    assert_eq!(fault.message, "2026-01-01T00:00:00Z is before 2026-01-02T00:00:00Z, and a duration is never negative");
}

#[test]
fn a_pause_lasts_and_a_short_one_says_nothing() {
    let (script, _folder) = script(&[]);
    let begun = Instant::now();
    script.value::<()>(r#"sleep("30ms"); sleep(20.ms)"#);
    assert!(begun.elapsed() >= Duration::from_millis(50));
    assert!(script.events().is_empty());
    assert_eq!(script.fault(r#"sleep("a while")"#).kind, Kind::Usage);
    assert_eq!(script.fault("sleep(-1)").kind, Kind::Usage);
}

#[test]
fn a_pause_ends_when_the_run_is_stopped() {
    let (script, _folder) = script(&[]);
    script.stop_after(Duration::from_millis(20));
    let begun = Instant::now();
    for pause in ["\"1h\"", "3600", "3600.0"] {
        assert!(script.run(&format!("try {{ sleep({pause}); }} catch {{ print(\"caught\"); }}")).is_err());
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(script.printed().is_empty(), "a stop can't be caught");
}

#[test]
fn a_timer_tells_its_start_and_its_stop_once() {
    let (script, _folder) = script(&[]);
    let took: Duration =
        script.value(r#"let boot = timer("boot"); sleep("5ms"); boot.stop(); sleep("5ms"); boot.stop(); boot.elapsed"#);
    assert!(took >= Duration::from_millis(5));
    let events = script.events();
    assert_eq!(events[0], What::TimerStarted { timer: "boot".into() });
    assert_eq!(events[1], What::TimerStopped { timer: "boot".into(), elapsed: took_in_event(&events[1]) });
    assert_eq!(events.len(), 2);
}

fn took_in_event(what: &What) -> Duration {
    match what {
        What::TimerStopped { elapsed, .. } => *elapsed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_bell_rings_with_and_without_words() {
    let (script, _folder) = script(&[]);
    script.value::<()>(r#"bell(); bell("over to you")"#);
    assert_eq!(
        script.events(),
        [What::BellRang { text: String::new() }, What::BellRang { text: "over to you".into() }]
    );
}
