use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use cozyscript::{event::What, host::ask::Answer, script::fault::Kind};

use super::{run, script};
use crate::support::{Planned, Script, program::Runbook};

#[test]
fn a_text_file_below_the_runbook_is_read() {
    let (script, _folder) = script(&[("deep/motd.txt", "hello\n")]);
    assert_eq!(script.value::<String>(r#"fs::read("deep/motd.txt")"#), "hello\n");
}

#[test]
fn nothing_outside_of_the_runbooks_folder_is_reached() {
    let (script, _folder) = script(&[]);
    for call in [
        r#"fs::read("../passwd")"#,
        r#"fs::read("/etc/passwd")"#,
        r#"fs::exists("a/../../b")"#,
        r#"fs::list("..")"#,
        r#"fs::read_bytes("/etc/passwd")"#,
        r#"fs::stat("..")"#,
        r#"fs::glob("../*")"#,
        r#"fs::write("../x", "")"#,
        r#"fs::append("/tmp/../x", "")"#,
        r#"fs::copy("/etc/passwd", "x")"#,
        r#"fs::make_folder("../x")"#,
        r#"fs::remove("../x")"#,
        r#"yaml("../values.yaml")"#,
        r#"json("/values.json")"#,
        r#"secret::file("../token")"#,
    ] {
        let fault = script.fault(call);
        assert_eq!(fault.kind, Kind::File, "{call}");
        assert!(fault.message.contains("outside of the runbook's folder"), "{call}: {fault}");
        assert!(fault.hint.is_some(), "{call}");
    }
}

#[test]
fn a_missing_file_says_where_it_was_looked_for() {
    let (script, folder) = script(&[]);
    let fault = script.fault("\nfs::read(\"motd.txt\")");
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::File, "file `motd.txt` is not there"));
    assert_eq!(fault.notes, [format!("looked in `{}`", folder.path().display())]);
    assert_eq!(fault.place.unwrap().line, 2);
}

#[test]
fn a_folder_is_listed_in_order_with_slashes_after_folders() {
    let (script, _folder) = script(&[("b.yaml", ""), ("a.yaml", ""), ("charts/x.yaml", "")]);
    let names: rhai::Array = script.value(r#"fs::list(".")"#);
    let names: Vec<String> = names.into_iter().map(|name| name.cast()).collect();
    assert_eq!(names, ["a.yaml", "b.yaml", "charts/"]);
    assert!(script.value::<bool>(r#"fs::exists("charts")"#));
    assert!(!script.value::<bool>(r#"fs::exists("templates")"#));
}

#[test]
fn a_pattern_in_place_of_a_folder_is_a_mistake_with_a_way_out() {
    let (script, _folder) = script(&[]);
    let fault = script.fault(r#"fs::list("*.yaml")"#);
    assert_eq!(fault.kind, Kind::Usage);
    assert_eq!(fault.hint.as_deref(), Some("patterns are for `fs::glob(\"*.yaml\")`"));
}

#[test]
fn one_yaml_document_is_an_object_and_several_are_a_list() {
    let (script, _folder) = script(&[
        ("one.yaml", "metadata: {name: web}"),
        ("two.yaml", "kind: A\n---\nkind: B\n"),
        ("none.yaml", "# nothing\n"),
    ]);
    assert_eq!(script.value::<String>(r#"yaml("one.yaml").metadata.name"#), "web");
    assert_eq!(script.value::<String>(r#"yaml("two.yaml")[1].kind"#), "B");
    assert_eq!(script.value::<i64>(r#"yaml::all("one.yaml").len()"#), 1);
    assert_eq!(script.value::<i64>(r#"yaml::all("none.yaml").len()"#), 0);
    script.value::<()>(r#"yaml("none.yaml")"#);
    assert_eq!(script.value::<i64>(r#"yaml::parse("a: 0644").a"#), 0o644);
}

#[test]
fn broken_yaml_and_json_name_file_line_and_column() {
    let (script, _folder) = script(&[("app.yaml", "a: 1\nb: [1, 2\n"), ("app.json", "{\n  \"a\": nope\n}")]);
    let fault = script.fault(r#"yaml("app.yaml")"#);
    assert_eq!(fault.kind, Kind::Parse);
    assert!(fault.message.starts_with("app.yaml:"), "{fault}");
    let fault = script.fault(r#"json("app.json")"#);
    assert_eq!(fault.kind, Kind::Parse);
    assert!(fault.message.starts_with("app.json:2:"), "{fault}");
    assert_eq!(fault.notes, ["line 2: `\"a\": nope`"]);
}

#[test]
fn yaml_that_kubectl_reads_otherwise_is_warned_of() {
    let (script, _folder) = script(&[("app.yaml", "enabled: yes\n")]);
    assert_eq!(script.value::<String>(r#"yaml("app.yaml").enabled"#), "yes");
    let warned = script.events().into_iter().find_map(|what| match what {
        What::Warned { text } => Some(text),
        _ => None,
    });
    assert!(warned.expect("it is warned of").starts_with("app.yaml:1:10: "));
}

#[test]
fn values_are_written_and_read_again() {
    let (script, _folder) = script(&[]);
    assert_eq!(script.value::<String>(r#"json::write(#{ b: [1, 2.5, ()], a: "x" })"#), r#"{"a":"x","b":[1,2.5,null]}"#);
    assert_eq!(script.value::<String>(r#"json::pretty(#{ a: 1 })"#), "{\n  \"a\": 1\n}");
    assert_eq!(script.value::<String>(r#"yaml::write(#{ on: "yes" })"#), "\"on\": \"yes\"\n");
    assert!(script.value::<bool>(r#"json::parse(json::write(#{ a: 1 })) == yaml::parse(yaml::write(#{ a: 1 }))"#));
}

#[test]
fn what_is_no_data_is_not_written() {
    let (script, _folder) = script(&[]);
    let fault = script.fault(r#"json::write(#{ spec: #{ when: || 1 } })"#);
    assert_eq!(fault.kind, Kind::Usage);
    assert!(fault.message.contains("`spec.when`"), "{fault}");
}

fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap()
}

fn mode(folder: &Path, path: &str) -> u32 {
    fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o7777
}

/// What was announced, as `write a.txt`, and whether it may be repeated.
fn announced(script: &Script) -> Vec<(String, bool)> {
    let effects = script.recorded.effects.lock().unwrap();
    effects.iter().map(|(effect, _)| (format!("{} {}", effect.verb, effect.object), effect.repeatable)).collect()
}

#[test]
fn a_link_to_elsewhere_is_refused_whatever_is_done_with_it() {
    let (script, folder) = script(&[]);
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("secret.txt"), "keep out").unwrap();
    symlink(elsewhere.path(), folder.path().join("out")).unwrap();
    symlink(elsewhere.path().join("secret.txt"), folder.path().join("file")).unwrap();
    symlink(elsewhere.path().join("nothing"), folder.path().join("dangling")).unwrap();
    for call in [
        r#"fs::read("out/secret.txt")"#,
        r#"fs::read("file")"#,
        r#"fs::write("out/x", "")"#,
        r#"fs::write("file", "")"#,
        r#"fs::write("dangling", "")"#,
        r#"fs::append("dangling", "")"#,
        r#"fs::write("dangling/x", "")"#,
        r#"fs::make_folder("out/deep/er")"#,
        r#"fs::copy("out", "copy")"#,
        r#"fs::copy("app.yaml", "out/app.yaml")"#,
        r#"fs::remove("out/secret.txt")"#,
        r#"fs::list("out")"#,
    ] {
        assert_eq!(script.fault(call).kind, Kind::File, "{call}");
    }
    assert_eq!(script.value::<rhai::Array>(r#"fs::glob("**/*.txt")"#).len(), 0);
    run(&script, r#"fs::remove("out")"#);
    assert_eq!(read(elsewhere.path(), "secret.txt"), "keep out");
    assert!(!elsewhere.path().join("nothing").exists() && !folder.path().join("out").exists());
}

#[test]
fn a_file_is_written_whole_with_the_folders_on_the_way() {
    let (script, folder) = script(&[("a.txt", "old")]);
    run(&script, r#"fs::write("a.txt", "new"); fs::write("deep/er/b.txt", "b"); fs::write("./deep/c", blob(3, 65))"#);
    assert_eq!(
        ["a.txt", "deep/er/b.txt", "deep/c"].map(|path| read(folder.path(), path)),
        ["new", "b", "AAA"].map(str::to_owned)
    );
    let expected = ["write a.txt", "write deep/er/b.txt", "write deep/c"];
    assert_eq!(announced(&script), expected.map(|what| (what.to_owned(), true)));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing is left beside them: {left:?}");
    assert!(script.fault(r#"fs::write("deep", "x")"#).message.starts_with("can't write `deep`"));
    assert_eq!(script.fault(r#"fs::write("a.txt", #{ a: 1 })"#).kind, Kind::Usage);
}

#[test]
fn a_file_keeps_its_mode_and_a_secret_is_its_owners_alone() {
    let (script, folder) = script(&[("run.sh", "old"), ("token", "old")]);
    fs::set_permissions(folder.path().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    run(&script, r#"fs::write("run.sh", "new"); fs::copy("run.sh", "copy.sh"); fs::append("run.sh", "er")"#);
    run(&script, r#"fs::write("token", secret::of("8d7f-11c2", "t")); fs::write("open", "", #{ mode: "0666" })"#);
    let modes = ["run.sh", "copy.sh", "token", "open"].map(|path| mode(folder.path(), path));
    assert_eq!(modes, [0o755, 0o755, 0o600, 0o666]);
    assert_eq!((read(folder.path(), "run.sh"), read(folder.path(), "token")), ("newer".into(), "8d7f-11c2".into()));
    assert_eq!(script.fault(r#"fs::write("a", "", #{ mode: "u+x" })"#).kind, Kind::Usage);
}

#[test]
fn what_is_appended_comes_last_and_is_looked_for_if_nobody_knows() {
    let (script, folder) = script(&[("diary.txt", "one\n")]);
    run(&script, r#"fs::append("diary.txt", "two\n"); fs::append("new.txt", "first\n")"#);
    assert_eq!(read(folder.path(), "diary.txt"), "one\ntwo\n");
    assert_eq!(announced(&script), [("append to diary.txt".into(), false), ("append to new.txt".into(), false)]);

    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    run(&script, r#"fs::append("diary.txt", "three\n")"#);
    assert_eq!(read(folder.path(), "diary.txt"), "one\ntwo\nthree\n", "it was not there, so it did not happen");

    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    script.recorded.answers.lock().unwrap().push(Answer::Text("happened".into()));
    run(&script, r#"fs::append("diary.txt", "three\n")"#);
    assert_eq!(read(folder.path(), "diary.txt"), "one\ntwo\nthree\n", "a person knew");
}

#[test]
fn a_folder_is_copied_with_all_that_is_in_it() {
    let (script, folder) = script(&[("from/a", "a"), ("from/deep/b", "b"), ("to/deep/b", "old"), ("to/c", "c")]);
    symlink("a", folder.path().join("from/link")).unwrap();
    run(&script, r#"fs::copy("from", "to"); fs::copy("from/a", "x/y")"#);
    assert_eq!(
        ["to/a", "to/deep/b", "to/c", "x/y"].map(|path| read(folder.path(), path)),
        ["a", "b", "c", "a"].map(str::to_owned)
    );
    assert_eq!(fs::read_link(folder.path().join("to/link")).unwrap(), Path::new("a"));
    assert!(script.fault(r#"fs::copy("from", "from/deep/er")"#).message.contains("of which it is to be a copy"));
    assert_eq!(script.fault(r#"fs::copy("nowhere", "x")"#).kind, Kind::File);
}

#[test]
fn what_dies_with_a_folder_is_shown_before_it_is_removed() {
    let many: Vec<(String, String)> = (0..30).map(|n| (format!("old/{n:02}"), String::new())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let (script, folder) = script(&many);
    run(&script, r#"fs::remove("old"); fs::remove("old")"#);
    assert!(!folder.path().join("old").exists());
    let effects = script.recorded.effects.lock().unwrap();
    let dies = effects[0].0.destroys.as_ref().unwrap();
    assert_eq!((dies[0].as_str(), dies.len(), dies.last().unwrap().as_str()), ("old/00", 21, "and 10 more"));
    assert_eq!(effects[1].1.as_ref().unwrap().2.as_deref(), Some("unchanged"));
    drop(effects);
    for itself in [".", "./", "deep/..", ""] {
        assert_eq!(script.fault(&format!("fs::remove({itself:?})")).kind, Kind::File, "{itself}");
    }
    assert!(folder.path().is_dir());
}

#[test]
fn files_are_found_by_a_pattern() {
    let (script, folder) = script(&[
        ("a.yaml", ""),
        ("b.yml", ""),
        ("charts/x/values.yaml", ""),
        ("charts/x/deep/values.yaml", ""),
        ("charts/y/values.yaml", ""),
        (".git/config.yaml", ""),
    ]);
    symlink(folder.path().join("charts"), folder.path().join("again")).unwrap();
    let glob = |pattern: &str| {
        let found: rhai::Array = script.value(&format!("fs::glob({pattern:?})"));
        found.into_iter().map(|path| path.cast::<String>()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(glob("*.y*ml"), "a.yaml b.yml");
    assert_eq!(glob("charts/?/values.yaml"), "charts/x/values.yaml charts/y/values.yaml");
    assert_eq!(
        glob("**/*.yaml"),
        "a.yaml charts/x/deep/values.yaml charts/x/values.yaml charts/y/values.yaml",
        "neither hidden folders nor links are gone into"
    );
    assert_eq!(glob("charts/**"), "charts/x/deep/values.yaml charts/x/values.yaml charts/y/values.yaml");
    assert_eq!(glob(".git/*"), ".git/config.yaml");
    assert_eq!(glob("again/x/*.yaml"), "again/x/values.yaml", "who names a link means it");
    assert_eq!((glob("charts/*"), glob("no/*"), glob("a.yaml")), (String::new(), String::new(), "a.yaml".into()));
}

#[test]
fn a_temporary_folder_is_there_as_long_as_the_script_has_it() {
    let (script, _folder) = script(&[]);
    let text = r#"
        let scratch = fs::temp();
        fs::write(scratch + "/deep/a.txt", "a");
        [scratch.path, fs::read(scratch + "/deep/a.txt"), fs::glob(scratch + "/**/*.txt").len()]
    "#;
    let made: rhai::Array = script.value(text);
    assert_eq!((made[1].to_string(), made[2].as_int().unwrap()), ("a".to_owned(), 1));
    assert!(made[0].to_string().contains("cozyscript-") && !Path::new(&made[0].to_string()).exists());
}

#[test]
fn what_is_known_of_a_file_is_told() {
    let (script, folder) = script(&[("a.txt", "four")]);
    fs::set_permissions(folder.path().join("a.txt"), fs::Permissions::from_mode(0o640)).unwrap();
    let told = r#"let a = fs::stat("a.txt"); `${a.kind} ${a.size} ${a.mode} ${now() - a.modified < 1.hours}`"#;
    assert_eq!(script.value::<String>(told), "file 4 0640 true");
    assert_eq!(script.value::<String>(r#"fs::stat(".").kind"#), "folder");
}

#[test]
fn a_folder_elsewhere_is_reached_if_a_person_allowed_it() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("values.yaml"), "replicas: 3\n").unwrap();
    let path = elsewhere.path().display();
    let book = Runbook::new(&format!(
        r#"step "read" {{ print(yaml("{path}/values.yaml").replicas); fs::write("{path}/seen", "yes"); }}"#
    ));
    book.run().fails(1).stderr_has("lies outside of the runbook's folder").stderr_has("--allow-path DIR");
    let run = book.run().args(["--allow-path", &path.to_string(), "--journal", "allowed"]).done();
    run.stdout("3\n").stderr_has(&format!("write {path}/seen"));
    assert_eq!(read(elsewhere.path(), "seen"), "yes");
}

#[test]
fn a_file_that_the_run_itself_has_changed_was_not_edited() {
    let text = r#"
        step "read" { print(`found ${fs::read("values.yaml")}`); }
        step "change" { fs::write("values.yaml", "new"); }
        step "note" { fs::append("diary.txt", fs::read("diary.txt")); }
        step "remove" { fs::remove("old"); }
        step "break" { if !fs::exists("mended") { fail("broken") } }
    "#;
    let book = Runbook::new(text).file("values.yaml", "old").file("diary.txt", "la").file("old/a", "");
    book.edit(r#"print(`"#, r#"fs::read("old/a"); print(`"#);
    book.run().fails(1).stdout("found old\n").stderr_has("broken");
    book.write("mended", "");
    book.resume().done().stderr_has("on from here");

    book.edit("mended", "mended again");
    book.resume().fails(2).stderr_has("no unfinished run");
}

#[test]
fn a_file_that_somebody_edited_makes_the_step_that_read_it_run_again() {
    let text = r#"
        step "read" { print(`found ${fs::read("values.yaml")}`); }
        step "change" { fs::write("values.yaml", "new"); }
        step "break" { if !fs::exists("mended") { fail("broken") } }
    "#;
    let book = Runbook::new(text).file("values.yaml", "old");
    book.run().fails(1).stdout("found old\n").stderr_has("broken");
    book.write("mended", "");
    book.write("values.yaml", "edited");
    book.resume().done().stdout("found edited\n").stderr_has("the file `values.yaml`, which it reads, changed");
}
