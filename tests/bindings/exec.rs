use cozyscript::{
    event::{EffectEnd, What},
    host::ask::Answer,
    script::fault::Kind,
};
use rhai::Map;

use super::{run, script};
use crate::support::{Planned, Script, program::Runbook};

fn said(script: &Script) -> Vec<String> {
    let said = |what| match what {
        What::ProgramSaid { program, text } => Some(format!("{program}: {text}")),
        _ => None,
    };
    script.events().into_iter().filter_map(said).collect()
}

#[test]
fn a_program_is_given_its_arguments_as_they_are_and_no_shell_sees_them() {
    let (script, _folder) = script(&[]);
    let answer: Map = script.value(r#"exec::run(["printf", "%s|", "a b", "$HOME", "*", "it's", 3, true])"#);
    assert_eq!(answer["stdout"].to_string(), "a b|$HOME|*|it's|3|true|");
    assert_eq!((answer["status"].as_int().unwrap(), answer["stderr"].to_string().as_str()), (0, ""));
    let effects = script.recorded.effects.lock().unwrap();
    let (effect, closed) = &effects[0];
    assert_eq!(effect.object, r"printf '%s|' 'a b' '$HOME' '*' 'it'\''s' 3 true");
    assert!(!effect.repeatable && effect.verb == "run");
    assert_eq!(closed.as_ref().unwrap().2.as_deref(), Some("status 0"));
}

#[test]
fn a_line_for_a_shell_is_refused_with_the_list_to_write() {
    let (script, _folder) = script(&[]);
    let fault = script.fault(r#"exec::run("helm list -A")"#);
    assert_eq!(fault.kind, Kind::Usage);
    assert!(fault.hint.unwrap().contains(r#"exec::run(["helm", "list", "-A"])"#));
    assert_eq!(script.fault("exec::run([])").kind, Kind::Usage);
    assert_eq!(script.fault(r#"exec::run(["echo", #{}])"#).kind, Kind::Usage);
}

#[test]
fn what_a_program_says_is_told_line_by_line() {
    let (script, _folder) = script(&[]);
    run(&script, r#"exec::run(["sh", "-c", "echo one; echo two >&2; printf 'three\\rfour'"])"#);
    let mut lines = said(&script);
    lines.sort();
    assert_eq!(lines, ["sh: four", "sh: one", "sh: three", "sh: two"]);
    run(&script, r#"exec::run(["echo", "nothing"], #{ quiet: true })"#);
    assert_eq!(said(&script).len(), 4);
    let long = r#"exec::run(["sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x; echo; echo end"]).stdout.len()"#;
    assert_eq!(script.value::<i64>(long), 200_005);
    let lines = said(&script);
    assert_eq!((lines.len(), lines[4].chars().count(), lines[5].as_str()), (6, 4 + 4097, "sh: end"));
}

#[test]
fn a_program_sees_of_the_environment_what_it_was_given() {
    let (script, _folder) = script(&[("deep/a.txt", "")]);
    let given = [("PATH", "/usr/bin:/bin"), ("HOME", "/h"), ("KUBECONFIG", "/k"), ("TOKEN", "t")];
    script.recorded.variables.lock().unwrap().extend(given.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let env =
        |options: &str| script.value::<Map>(&format!("exec::run([\"env\"], #{{ {options} }})"))["stdout"].to_string();
    assert_eq!(env(""), "HOME=/h\nPATH=/usr/bin:/bin\n");
    assert_eq!(env(r#"env: ["KUBECONFIG", "NO_SUCH", "HOME"]"#), "HOME=/h\nKUBECONFIG=/k\nPATH=/usr/bin:/bin\n");
    assert_eq!(env(r#"env: #{ HOME: "/elsewhere", A: 1 }"#), "A=1\nHOME=/elsewhere\nPATH=/usr/bin:/bin\n");
    let listed: Map = script.value(r#"exec::run(["ls"], #{ dir: "deep" })"#);
    assert_eq!(listed["stdout"].to_string(), "a.txt\n");
    assert_eq!(script.fault(r#"exec::run(["ls"], #{ dir: ".." })"#).kind, Kind::File);
    assert_eq!(script.fault(r#"exec::run(["ls"], #{ dir: "deep/a.txt" })"#).kind, Kind::File);
}

#[test]
fn a_status_that_was_not_expected_is_a_fault_with_the_last_lines() {
    let (script, _folder) = script(&[]);
    let fault = script.fault(r#"exec::run(["sh", "-c", "for n in $(seq 20); do echo line $n >&2; done; exit 3"])"#);
    assert_eq!((fault.kind, fault.notes.len(), fault.notes[9].as_str()), (Kind::Failed, 10, "line 20"));
    assert!(fault.message.ends_with("ended with status 3, not 0"), "{fault}");
    assert_eq!(script.recorded.effects.lock().unwrap()[0].1.as_ref().unwrap().0, EffectEnd::Failed);
    let grep =
        |expect: &str| format!(r#"exec::run(["grep", "x", "/dev/null"], #{{ expect: {expect}, reads: true }}).status"#);
    assert_eq!(script.value::<i64>(&grep("[0, 1]")), 1);
    assert_eq!(script.value::<i64>(&grep("\"any\"")), 1);
    assert_eq!(script.fault(&grep("\"some\"")).kind, Kind::Usage);
    let killed = r#"exec::run(["sh", "-c", "kill -9 $$"], #{ expect: 137 }).status"#;
    assert_eq!(script.value::<i64>(killed), 137);
}

#[test]
fn a_program_that_is_not_there_says_where_it_was_looked_for() {
    let (script, _folder) = script(&[]);
    script.recorded.variables.lock().unwrap().insert("PATH".into(), "/nowhere".into());
    let fault = script.fault(r#"exec::run(["helm", "list"])"#);
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::NotFound, "there is no program `helm`"));
    assert_eq!(fault.notes, ["looked in `/nowhere`"]);
}

#[test]
fn a_program_that_only_reads_is_no_effect_and_one_that_takes_too_long_is_ended() {
    let (script, _folder) = script(&[]);
    run(&script, r#"exec::run(["true"], #{ reads: true })"#);
    assert!(script.recorded.effects.lock().unwrap().is_empty());
    let fault = script.fault(r#"exec::run(["sleep", "1000"], #{ timeout: "100ms" })"#);
    assert_eq!(fault.kind, Kind::Timeout);
    assert_eq!(script.recorded.effects.lock().unwrap()[0].1.as_ref().unwrap().0, EffectEnd::InDoubt);
}

#[test]
fn a_secret_is_given_by_value_and_shown_by_reference() {
    let (script, _folder) = script(&[]);
    let text = r#"
        let token = secret::of("8d7f-11c2", "token");
        exec::run(["sh", "-c", "echo $0 $TOKEN; cat", token], #{ env: #{ TOKEN: token }, stdin: token }).stdout
    "#;
    assert_eq!(script.value::<String>(text), "8d7f-11c2 8d7f-11c2\n8d7f-11c2");
    let effects = script.recorded.effects.lock().unwrap();
    let (effect, closed) = &effects[0];
    assert_eq!(effect.object, "sh -c 'echo $0 $TOKEN; cat' '[secret token]'");
    assert_eq!(closed.as_ref().unwrap().1["withheld"], "it holds a secret");
    let events = format!("{:?}", script.events());
    assert!(!events.contains("8d7f") && events.contains("[secret token]"), "{events}");
}

#[test]
fn a_resumed_run_has_the_answer_from_the_journal_and_asks_when_in_doubt() {
    let (script, _folder) = script(&[]);
    let kept = serde_json::json!({ "status": 0, "stdout": "then\n", "stderr": "" });
    script.recorded.decisions.lock().unwrap().push(Planned::Done(kept));
    assert_eq!(script.value::<String>(r#"exec::run(["echo", "now"]).stdout"#), "then\n");

    let kept = serde_json::json!({ "status": 0, "withheld": "it holds a secret" });
    script.recorded.decisions.lock().unwrap().push(Planned::Done(kept));
    assert_eq!(script.fault(r#"exec::run(["echo", "now"])"#).kind, Kind::InDoubt);

    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    script.recorded.answers.lock().unwrap().push(Answer::Text("happened".into()));
    run(&script, r#"if exec::run(["echo", "now"]).status != () { throw "nobody saw it end" }"#);
    assert_eq!(said(&script), Vec::<String>::new(), "none of them was run");
}

#[test]
fn programs_are_run_only_if_a_person_allowed_them() {
    let book = Runbook::new(r#"step "greet" { exec::run(["echo", "hello"]); }"#);
    let refused = book.run().fails(4);
    refused.stderr_has("running programs was not allowed").stderr_has("--allow-exec=echo");
    let refused = book.run().args(["--allow-exec=helm,kubectl", "--journal", "other"]).fails(4);
    refused.stderr_has("--allow-exec=echo");
    book.resume().args(["--allow-exec=echo"]).done().stderr_has("program greet: echo: hello");
    let sessions: Vec<_> = book.records().into_iter().filter(|record| record["record"] == "session").collect();
    assert_eq!(sessions[0]["allowed"], serde_json::Value::Null);
    assert_eq!(sessions[1]["allowed"]["programs"]["only"][0], "echo");
    book.run().args(["--allow-exec", "--journal", "any"]).done().stderr_has("run echo hello (status 0)");
}

#[test]
fn ctrl_c_waits_for_a_program_that_changes_something_and_a_second_one_does_not() {
    let text =
        r#"step "work" { exec::run(["sh", "-c", "echo busy; while [ ! -e go ]; do sleep 0.05; done; touch done"]); }"#;
    let book = Runbook::new(text);
    let run = book.run().args(["--allow-exec"]).start().until("busy").signal("INT").until("has come back");
    book.write("go", "");
    run.ends(3).stderr_has("status 0");
    assert!(book.folder().join("done").exists());

    std::fs::remove_file(book.folder().join("go")).unwrap();
    let run = book.run().args(["--allow-exec", "--journal", "other"]).start().until("busy").signal("INT");
    run.until("has come back").signal("INT").ends(3).stderr_has("in doubt");
}

#[test]
fn as_much_of_the_output_is_given_back_as_is_asked_for() {
    let (script, _folder) = script(&[]);
    let head = |limit: &str| {
        format!(
            r#"exec::run(["head", "-c", "40000000", "/dev/zero"], #{{ limit: {limit}, quiet: true, reads: true }}).stdout.len()"#
        )
    };
    assert_eq!(script.value::<i64>(&head("40000000")), 40_000_000);
    assert_eq!(script.value::<i64>(&head("1000")), 1000);
    let warned = |what: &What| matches!(what, What::Warned { text } if text.starts_with("the first 39999000 bytes of the output"));
    assert!(script.events().iter().any(warned), "{:?}", script.events());
    assert_eq!(script.fault(&head("-1")).kind, Kind::Usage);
}

#[test]
fn output_of_any_length_goes_to_a_file_once_the_program_has_ended_as_expected() {
    let (script, folder) = script(&[]);
    let answer: Map = script
        .value(r#"exec::run(["sh", "-c", "head -c 100000000 /dev/zero; echo done >&2"], #{ output: "made/zeros" })"#);
    assert_eq!((answer["stdout"].to_string(), answer["stderr"].to_string()), (String::new(), "done\n".to_owned()));
    assert_eq!(std::fs::metadata(folder.path().join("made/zeros")).unwrap().len(), 100_000_000);
    assert_eq!(said(&script), ["sh: done"]);
    let fault = script.fault(r#"exec::run(["sh", "-c", "echo half; exit 3"], #{ output: "made/half" })"#);
    assert_eq!(fault.kind, Kind::Failed);
    assert!(!folder.path().join("made/half").exists());
    for (options, kind) in [
        (r#"output: "../outside""#, Kind::File),
        (r#"output: "made/x", reads: true"#, Kind::Usage),
        ("limit: 100000000", Kind::Usage),
    ] {
        assert_eq!(script.fault(&format!("exec::run([\"true\"], #{{ {options} }})")).kind, kind, "{options}");
    }
}
