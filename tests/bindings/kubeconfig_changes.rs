//! Kubeconfigs looked at and changed: what is merged, chosen, renamed and removed, and what stays as it was.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use cozyscript::{
    event::{EffectEnd, What},
    kubeconfig::{Document, List, Source},
    script::fault::Kind,
};
use insta::assert_snapshot;
use rhai::Array;

use super::{run, script};
use crate::support::Script;

const LAB: &str = r#"# what we have
apiVersion: v1
kind: Config
current-context: lab   # the usual one
clusters:
- name: lab
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: ca.crt}
# the other one
- name: far
  cluster:
    server: https://far:6443
contexts:
- name: lab
  context: {cluster: lab, user: admin, namespace: tools}
- context:
    cluster: far
    user: admin
  name: far
preferences: {colors: true}
users:
  - name: admin   # shared
    user:
      token: s3cr3t-token
"#;

const NEW: &str = r#"
current-context: admin@new
clusters:
- {name: new, cluster: {server: "https://new:6443", certificate-authority-data: aGVsbG8=}}
contexts:
- {name: admin@new, context: {cluster: new, user: admin}}
users:
- {name: admin, user: {token: other-token}}
"#;

fn text(folder: &tempfile::TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

fn texts(script: &Script, code: &str) -> Vec<String> {
    script.value::<Array>(code).iter().map(ToString::to_string).collect()
}

fn kinds_of_effects(script: &Script) -> Vec<(String, Option<EffectEnd>, Option<String>)> {
    let effects = script.recorded.effects.lock().unwrap();
    let of = |closed: &crate::support::Closed| (closed.0, closed.2.clone());
    effects
        .iter()
        .map(|(effect, closed)| {
            let closed = closed.as_ref().map(of);
            (effect.verb.clone(), closed.as_ref().map(|closed| closed.0), closed.and_then(|closed| closed.1))
        })
        .collect()
}

#[test]
fn what_is_looked_at_has_no_secrets() {
    let (script, _folder) = script(&[("config", LAB)]);
    let shown: String = script.value(r#"`${kubeconfig::read(#{ kubeconfig: "config" })}`"#);
    assert!(!shown.contains("s3cr3t"), "{shown}");
    let read = |code: &str| -> String {
        script.value(&format!("let config = kubeconfig::read(#{{ kubeconfig: \"config\" }}); `{code}`"))
    };
    assert_eq!(read("${config.current} ${config.contexts.len()}"), "lab 2");
    assert_eq!(
        read("${config.contexts[1].name} ${config.contexts[1].namespace} ${config.contexts[1].current}"),
        "lab tools true"
    );
    assert_eq!(read("${config.clusters[0].server} ${config.clusters[0].insecure}"), "https://far:6443 false");
    assert_eq!(read("${config.users[0].name}: ${config.users[0].login}"), "admin: token");
}

#[test]
fn what_is_merged_goes_behind_what_is_there_and_the_rest_stays() {
    let (script, folder) = script(&[("config", LAB), ("new", NEW), ("ca.crt", "authority")]);
    let merged = texts(&script, r#"kubeconfig::merge("new", #{ kubeconfig: "config" }).contexts"#);
    assert_eq!(merged, ["admin@new"]);
    assert_snapshot!(text(&folder, "config"), @r#"
    # what we have
    apiVersion: v1
    kind: Config
    current-context: lab   # the usual one
    clusters:
    - name: lab
      cluster: {server: "https://10.0.0.1:6443", certificate-authority: ca.crt}
    # the other one
    - name: far
      cluster:
        server: https://far:6443
    - cluster:
        certificate-authority-data: aGVsbG8=
        server: https://new:6443
      name: new
    contexts:
    - name: lab
      context: {cluster: lab, user: admin, namespace: tools}
    - context:
        cluster: far
        user: admin
      name: far
    - context:
        cluster: new
        user: admin-1
      name: admin@new
    preferences: {colors: true}
    users:
      - name: admin   # shared
        user:
          token: s3cr3t-token
      - name: admin-1
        user:
          token: other-token
    "#);
    // Twice is once.
    let before = text(&folder, "config");
    let again = r#"kubeconfig::merge("new", #{ kubeconfig: "config" })"#;
    assert_eq!(texts(&script, &format!("{again}.contexts")), ["admin@new"]);
    assert_eq!(texts(&script, &format!("{again}.files")), Vec::<String>::new());
    assert_eq!(text(&folder, "config"), before);
    let ends: Vec<_> = kinds_of_effects(&script);
    let end = |detail: &str| ("merge".to_owned(), Some(EffectEnd::Done), Some(detail.to_owned()));
    assert_eq!(ends, [end("changed"), end("unchanged"), end("unchanged")]);
}

#[test]
fn a_clash_of_names_is_renamed_refused_or_replaced() {
    let clash =
        NEW.replace("admin@new", "lab").replace("name: new", "name: lab").replace("cluster: new", "cluster: lab");
    let (script, folder) = script(&[("config", LAB), ("new", &clash), ("ca.crt", "authority")]);
    let merge =
        |options: &str| format!("kubeconfig::merge(\"new\", #{{ kubeconfig: \"config\", {options} }}).contexts");
    let fault = script.fault(&merge("clash: \"refuse\""));
    assert_eq!(fault.kind, Kind::AlreadyExists);
    assert!(fault.message.contains("another cluster `lab`"), "{fault}");
    assert_eq!(text(&folder, "config"), LAB);
    assert_eq!(script.fault(&merge("clash: \"loudly\"")).kind, Kind::Usage);

    assert_eq!(texts(&script, &merge("name: \"mine\", current: true")), ["mine"]);
    let config: String = script.value(r#"`${kubeconfig::read(#{ kubeconfig: "config" })}`"#);
    assert!(config.contains(r#""current":"mine""#) && config.contains(r#""name":"lab-1""#), "{config}");
    assert_eq!(texts(&script, &merge("")), ["lab-1"]);
    assert_eq!(texts(&script, &merge("clash: \"replace\"")), ["lab"]);
    let clusters =
        texts(&script, r#"kubeconfig::read(#{ kubeconfig: "config" }).clusters.map(|c| `${c.name} ${c.server}`)"#);
    assert_eq!(clusters, ["far https://far:6443", "lab https://new:6443", "lab-1 https://new:6443"]);
}

#[test]
fn files_that_a_kubeconfig_names_come_along() {
    let with_files = r#"
clusters: [{name: c, cluster: {server: "https://c:1", certificate-authority: pki/ca.crt}}]
users: [{name: u, user: {client-certificate: pki/me.crt, client-key: pki/me.key}}, {name: t, user: {tokenFile: t}}]
contexts: [{name: c, context: {cluster: c, user: u}}, {name: t, context: {cluster: c, user: t}}]
"#;
    let files = [
        ("there/new", with_files),
        ("there/pki/ca.crt", "CA"),
        ("there/pki/me.crt", "CRT"),
        ("there/pki/me.key", "KEY"),
    ];
    let (script, folder) = script(&files);
    run(&script, r#"kubeconfig::merge("there/new", #{ kubeconfig: "deep/er/config" });"#);
    let token = folder.path().join("there/t");
    let written = text(&folder, "deep/er/config").replace(token.to_str().unwrap(), "TOKEN");
    assert_snapshot!(written, @r#"
    apiVersion: v1
    clusters:
    - cluster:
        certificate-authority-data: Q0E=
        server: https://c:1
      name: c
    kind: Config
    users:
    - name: u
      user:
        client-certificate-data: Q1JU
        client-key-data: S0VZ
    - name: t
      user:
        tokenFile: TOKEN
    contexts:
    - context:
        cluster: c
        user: u
      name: c
    - context:
        cluster: c
        user: t
      name: t
    "#);
    let mode = fs::metadata(folder.path().join("deep/er/config")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::remove_file(folder.path().join("there/pki/me.key")).unwrap();
    let fault = script.fault(r#"kubeconfig::merge("there/new", #{ kubeconfig: "other" })"#);
    assert_eq!(fault.kind, Kind::File);
    assert!(fault.message.contains("`client-key`") && !folder.path().join("other").exists(), "{fault}");
}

#[test]
fn what_is_merged_may_be_a_secret_a_map_or_a_text() {
    let (script, folder) = script(&[]);
    let given = |source: &str| format!("kubeconfig::merge({source}, #{{ kubeconfig: \"config\" }});");
    run(&script, &given(&format!("secret::of(`{NEW}`, \"new\")")));
    let first = text(&folder, "config");
    assert!(first.contains("current-context: admin@new"), "the first one is current: {first}");
    run(&script, &given(&format!("`{NEW}`")));
    run(&script, &given(&format!("yaml::parse(`{NEW}`)")));
    assert_eq!(text(&folder, "config"), first);
    assert_eq!(script.fault(&given("#{ kind: \"Pod\" }")).kind, Kind::Parse);
    assert_eq!(script.fault(&given("\"nowhere\"")).kind, Kind::File);
    let fault = script.fault(r#"kubeconfig::merge("config", #{ kubeconfig: "other", context: "new" })"#);
    assert_eq!(fault.kind, Kind::NotFound);
}

#[test]
fn a_context_is_chosen_and_renamed_with_comments_kept() {
    let (script, folder) = script(&[("config", LAB)]);
    run(&script, r#"kubeconfig::use("far", #{ kubeconfig: "config" });"#);
    assert_eq!(text(&folder, "config"), LAB.replace("current-context: lab   #", "current-context: far   #"));
    run(&script, r#"kubeconfig::rename("far", "a: b", #{ kubeconfig: "config" });"#);
    let renamed = LAB
        .replace("current-context: lab", "current-context: \"a: b\"")
        .replace("  name: far\npref", "  name: \"a: b\"\npref");
    assert_eq!(text(&folder, "config"), renamed);
    // Twice is once.
    run(&script, r#"kubeconfig::rename("far", "a: b", #{ kubeconfig: "config" });"#);
    assert_eq!(text(&folder, "config"), renamed);
    let fault = script.fault(r#"kubeconfig::use("lap", #{ kubeconfig: "config" })"#);
    assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::NotFound, Some("did you mean `lab`?")));
    let fault = script.fault(r#"kubeconfig::rename("lab", "a: b", #{ kubeconfig: "config" })"#);
    assert_eq!(fault.kind, Kind::AlreadyExists);
    assert_eq!(script.fault(r#"kubeconfig::rename("x", "y", #{ kubeconfig: "config" })"#).kind, Kind::NotFound);
}

#[test]
fn what_another_context_means_is_not_removed() {
    let (script, folder) = script(&[("config", LAB)]);
    let removed: bool = script.value(r#"kubeconfig::remove("lab", #{ kubeconfig: "config" })"#);
    assert!(removed);
    assert_snapshot!(text(&folder, "config"), @r#"
    # what we have
    apiVersion: v1
    kind: Config
    current-context: ""   # the usual one
    clusters:
    # the other one
    - name: far
      cluster:
        server: https://far:6443
    contexts:
    - context:
        cluster: far
        user: admin
      name: far
    preferences: {colors: true}
    users:
      - name: admin   # shared
        user:
          token: s3cr3t-token
    "#);
    let dies = |script: &Script| script.recorded.effects.lock().unwrap().last().unwrap().0.destroys.clone().unwrap();
    assert_eq!(
        dies(&script).iter().map(|line| line.split(" in ").next().unwrap()).collect::<Vec<_>>(),
        ["context `lab`", "cluster `lab`"]
    );
    run(&script, r#"kubeconfig::remove("far", #{ kubeconfig: "config" });"#);
    assert_snapshot!(text(&folder, "config"), @r#"
    # what we have
    apiVersion: v1
    kind: Config
    current-context: ""   # the usual one
    clusters: []
    # the other one
    contexts: []
    preferences: {colors: true}
    users: []
    "#);
    assert_eq!(dies(&script).len(), 3);
    let again: bool = script.value(r#"kubeconfig::remove("far", #{ kubeconfig: "config" })"#);
    assert!(!again);
    let fault = script.fault(r#"kubeconfig::remove("far", #{ kubeconfig: "config", missing_ok: false })"#);
    assert_eq!(fault.kind, Kind::NotFound);
}

#[test]
fn of_several_files_each_entry_is_changed_where_it_stands() {
    let (script, folder) = script(&[("a", "# nothing yet\n"), ("b", LAB), ("new", NEW), ("ca.crt", "authority")]);
    let place = |name: &str| folder.path().join(name).display().to_string();
    let list = format!("{}:{}:{}", place("missing"), place("a"), place("b"));
    script.recorded.variables.lock().unwrap().insert("KUBECONFIG".into(), list);
    run(&script, r#"kubeconfig::rename("lab", "home");"#);
    assert_eq!(text(&folder, "a"), "# nothing yet\n");
    assert!(text(&folder, "b").contains("current-context: home   # the usual one"), "{}", text(&folder, "b"));
    run(&script, r#"kubeconfig::use("far");"#);
    assert!(text(&folder, "a").contains("current-context: far"), "{}", text(&folder, "a"));
    assert!(text(&folder, "b").contains("current-context: home"), "the first file that says it decides");
    run(&script, r#"kubeconfig::merge("new");"#);
    assert!(text(&folder, "a").contains("https://new:6443") && !text(&folder, "b").contains("https://new:6443"));
    run(&script, r#"kubeconfig::remove("far");"#);
    assert!(!text(&folder, "b").contains("far:6443"), "{}", text(&folder, "b"));
    assert!(!Path::new(&place("missing")).exists());
}

#[test]
fn a_lock_of_our_own_that_stays_is_warned_of() {
    let (script, folder) = (Script::new(&[], std::env::temp_dir()), tempfile::tempdir().unwrap());
    let lock = script.host.lock_personal(&folder.path().join("config")).unwrap();
    // Somebody put something in its place that is not removed as a file is.
    let file = folder.path().join("config.lock");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    drop(lock);
    let told = script.events().into_iter().find_map(|what| match what {
        What::Warned { text } => Some(text),
        _ => None,
    });
    let told = told.unwrap();
    assert!(told.starts_with(&format!("the lock `{}` can't be removed: ", file.display())), "{told}");
}

#[test]
fn a_locked_file_is_waited_for_and_not_for_ever() {
    let (script, folder) = script(&[("config", LAB)]);
    let lock = folder.path().join("config.lock");
    fs::write(&lock, "").unwrap();
    let (gone, other) = (lock.clone(), folder.path().join("config"));
    let writer = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        fs::write(other, LAB.replace("https://far:6443", "https://changed:6443")).unwrap();
        fs::remove_file(gone).unwrap();
    });
    run(&script, r#"kubeconfig::use("far", #{ kubeconfig: "config" });"#);
    writer.join().unwrap();
    let written = text(&folder, "config");
    assert!(written.contains("changed:6443") && written.contains("current-context: far"), "{written}");
    assert!(!lock.exists());
    fs::write(&lock, "").unwrap();
    let fault = script.fault(r#"kubeconfig::use("lab", #{ kubeconfig: "config" })"#);
    assert_eq!(fault.kind, Kind::Conflict);
    assert!(fault.message.contains("config.lock` is there"), "{fault}");
    assert_eq!(text(&folder, "config"), written);
}

#[test]
fn a_link_stays_one_and_modes_stay_as_they_were() {
    let (script, folder) = script(&[("real/config", LAB)]);
    let (real, link) = (folder.path().join("real/config"), folder.path().join("config"));
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    run(&script, r#"kubeconfig::use("far", #{ kubeconfig: "config" });"#);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(text(&folder, "real/config").contains("current-context: far"));
}

#[test]
fn a_text_that_is_hard_to_edit_is_written_anew_and_means_the_same() {
    for text in [
        r#"{"clusters": [{"name": "a", "cluster": {"server": "https://a"}}], "users": [], "contexts": [{"name": "lab", "context": {"cluster": "a"}}]}"#,
        "clusters:\n- &a\n  name: a\n  cluster: {server: 'https://a'}\ncontexts: [{name: lab, context: {cluster: a}}]\n",
        "---\nclusters:\n  -\n    name: a\n    cluster: {server: 'https://a'}\ncontexts:\n- name: lab\n  context: {cluster: a}\n...\n",
        "clusters:\r\n- name: a\r\n  cluster: {server: 'https://a'}\r\ncontexts:\r\n- name: lab\r\n  context: {cluster: a}",
    ] {
        let source = Source::Text("text".to_owned());
        let mut document = Document::read(&source, text.to_owned()).unwrap_or_else(|fault| panic!("{fault}"));
        document.rename(List::Contexts, "lab", "home");
        document.set_current("home");
        document.add(List::Users, "me", &cozyscript::script::values::tree::Tree::default());
        document.remove(List::Clusters, "a");
        let again = Document::read(&source, document.text().to_owned()).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(again.current(), Some("home"), "{}", document.text());
        let names =
            [List::Clusters, List::Contexts, List::Users].map(|list| again.names(list).collect::<Vec<_>>().join(","));
        assert_eq!(names, ["", "home", "me"], "{}", document.text());
    }
}
