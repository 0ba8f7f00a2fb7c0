use std::collections::BTreeSet;

use cozyscript::{
    event::{Event, What},
    ui::{
        Shown, View,
        json::{Json, SCHEMA},
    },
};
use serde_json::Value;

use super::{columns, event, run, seconds};

fn line(event: &Event) -> String {
    match Json.told(event, columns(80)).as_slice() {
        [Shown::Data(line)] => line.clone(),
        other => panic!("not one line: {other:?}"),
    }
}

/// The variant's name in the schema. A new variant doesn't compile here until it is also in [`run`] and in the schema.
fn name(what: &What) -> &'static str {
    match what {
        What::RunStarted { .. } => "run_started",
        What::ResumedAt { .. } => "resumed_at",
        What::StepStarted { .. } => "step_started",
        What::StepRetried { .. } => "step_retried",
        What::StepFinished { .. } => "step_finished",
        What::WaitStarted { .. } => "wait_started",
        What::WaitChanged { .. } => "wait_changed",
        What::WaitFinished { .. } => "wait_finished",
        What::EffectIntended { .. } => "effect_intended",
        What::EffectClosed { .. } => "effect_closed",
        What::Printed { .. } => "printed",
        What::Tabled { .. } => "tabled",
        What::Warned { .. } => "warned",
        What::ProgramSaid { .. } => "program_said",
        What::Noted { .. } => "noted",
        What::BellRang { .. } => "bell_rang",
        What::TimerStarted { .. } => "timer_started",
        What::TimerStopped { .. } => "timer_stopped",
        What::Asked { .. } => "asked",
        What::Answered { .. } => "answered",
        What::StopRequested { .. } => "stop_requested",
        What::RunFinished { .. } => "run_finished",
    }
}

#[test]
fn an_event_is_one_line_that_begins_with_its_version() {
    let printed = event(seconds(2), "install", What::Printed { text: "two\nlines".to_owned() });
    assert_eq!(line(&printed), r#"{"v":1,"at_ms":2000.0,"step":"install","event":"printed","text":"two\nlines"}"#);
}

#[test]
fn a_line_is_read_back_as_the_same_event() {
    for event in run() {
        assert_eq!(serde_json::from_str::<Event>(&line(&event)).unwrap(), event);
    }
}

#[test]
fn the_schema_describes_every_event_and_nothing_else() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let variants = schema["oneOf"].as_array().unwrap();
    let described: BTreeSet<&str> = variants.iter().map(|variant| variant["title"].as_str().unwrap()).collect();
    let mut events = run();
    let mut rehearsed = events[0].clone();
    if let What::RunStarted { rehearsed_on, .. } = &mut rehearsed.what {
        *rehearsed_on = Some("lab.world.yaml".to_owned());
    }
    events.push(rehearsed);
    let happened: BTreeSet<&str> = events.iter().map(|event| name(&event.what)).collect();
    assert_eq!(described, happened);

    let mut seen = BTreeSet::new();
    for event in &events {
        let title = name(&event.what);
        seen.extend(fields_of(&line(event)).into_iter().map(|field| format!("{title}.{field}")));
    }
    let promised = variants.iter().flat_map(|variant| {
        let title = variant["title"].as_str().unwrap();
        variant["properties"].as_object().unwrap().keys().map(move |key| format!("{title}.{key}"))
    });
    let unseen: Vec<String> = promised.filter(|field| !seen.contains(field)).collect();
    assert_eq!(unseen, Vec::<String>::new());
}

/// The fields of a line of `--json`, all of which must be as the schema has them.
#[track_caller]
pub fn fields_of(line: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let shown: Value = serde_json::from_str(line).unwrap();
    let title = &shown["event"];
    let variant = schema["oneOf"].as_array().unwrap().iter().find(|variant| variant["title"] == *title);
    let variant = variant.unwrap_or_else(|| panic!("{title} is not in the schema"));
    for (key, value) in shown.as_object().unwrap() {
        let own = &variant["properties"][key];
        let described = if own.is_null() { &schema["properties"][key] } else { own };
        conforms(value, described, &schema, &format!("{title}.{key}"));
    }
    for required in [&schema["required"], &variant["required"]].into_iter().flat_map(|list| list.as_array().unwrap()) {
        assert!(shown.get(required.as_str().unwrap()).is_some(), "{required} is missing in {shown}");
    }
    shown.as_object().unwrap().keys().cloned().collect()
}

/// What the schema uses of JSON Schema.
fn conforms(value: &Value, described: &Value, schema: &Value, field: &str) {
    assert!(described.is_object(), "`{field}` is not in the schema");
    if let Some(reference) = described["$ref"].as_str() {
        let target = schema.pointer(reference.trim_start_matches('#')).unwrap();
        for (key, value) in value.as_object().unwrap() {
            conforms(value, &target["properties"][key], schema, &format!("{field}.{key}"));
        }
        return;
    }
    if let Some(constant) = described.get("const") {
        assert_eq!(value, constant, "{field}");
        return;
    }
    if let Some(allowed) = described["enum"].as_array() {
        assert!(allowed.contains(value), "`{field}`: {value} is none of {allowed:?}");
        return;
    }
    let fits = match described["type"].as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => {
            value.as_array().unwrap().iter().for_each(|item| conforms(item, &described["items"], schema, field));
            true
        }
        other => panic!("`{field}` is described as {other}"),
    };
    assert!(fits, "`{field}` is {value}, not {described}");
}
