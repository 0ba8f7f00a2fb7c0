//! Kubeconfigs, merged and resolved as kubectl does; and what is said of broken ones.

use std::path::Path;

use cozyscript::{
    kubeconfig::{Login, Material, Source, Target, read},
    script::fault::{Fault, Kind},
};

use super::script;

const LAB: &str = r#"
apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: certs/ca.crt}
contexts:
- name: lab
  context: {cluster: lab, user: admin, namespace: tools}
- name: anonymous
  context: {cluster: lab}
users:
- name: admin
  user: {token: s3cr3t-token}
"#;

fn target_of(files: &[(&str, &str)], context: Option<&str>) -> Result<Target, Fault> {
    read(files.iter().map(|(path, text)| (Source::File(path.into()), (*text).to_owned())).collect())?.target(context)
}

fn lab_with(from: &str, to: &str) -> String {
    assert!(LAB.contains(from), "{from}");
    LAB.replace(from, to)
}

#[track_caller]
fn refused(text: &str) -> Fault {
    target_of(&[("/srv/lab/.kube/config", text)], None).expect_err("it is broken")
}

#[test]
fn the_current_context_is_resolved_with_paths_relative_to_the_file() {
    let target = target_of(&[("/srv/lab/.kube/config", LAB)], None).unwrap();
    assert_eq!((target.context.as_str(), target.namespace.as_str()), ("lab", "tools"));
    assert_eq!(target.server.to_string(), "https://10.0.0.1:6443/");
    assert_eq!(target.authority, Some(Material::File("/srv/lab/.kube/certs/ca.crt".into())));
    let Login::Token(token) = target.login else { panic!("{:?}", target.login) };
    assert_eq!(token.expose(), "s3cr3t-token");
    let anonymous = target_of(&[("/srv/lab/.kube/config", LAB)], Some("anonymous")).unwrap();
    assert_eq!((anonymous.login, anonymous.namespace.as_str()), (Login::Anonymous, "default"));
}

#[test]
fn of_each_name_the_first_file_wins_whole() {
    let other = r#"
current-context: far
clusters:
- name: lab
  cluster: {server: "https://elsewhere:1", tls-server-name: never}
- name: far
  cluster: {server: "https://far:6443"}
contexts:
- name: far
  context: {cluster: far, user: admin}
"#;
    let files = [("/a/config", LAB), ("/b/config", other)];
    let lab = target_of(&files, None).unwrap();
    assert_eq!((lab.context.as_str(), lab.tls_server_name), ("lab", None));
    // A context of one file may name a user of another.
    let far = target_of(&files, Some("far")).unwrap();
    assert!(matches!(far.login, Login::Token(_)));
    let far_first = target_of(&[("/b/config", other), ("/a/config", LAB)], None).unwrap();
    assert_eq!(far_first.context, "far");
    let lab = target_of(&[("/b/config", other), ("/a/config", LAB)], Some("lab")).unwrap();
    assert_eq!((lab.server.host(), lab.authority), (Some("elsewhere"), None));
}

#[test]
fn an_empty_file_among_others_does_no_harm() {
    assert!(target_of(&[("/a/empty", ""), ("/a/comment", "# nothing\n"), ("/a/config", LAB)], None).is_ok());
}

#[test]
fn every_way_to_log_in_is_read() {
    let user = |user: &str| {
        target_of(&[("/a/config", &lab_with("{token: s3cr3t-token}", user))], None)
            .unwrap_or_else(|fault| panic!("{fault}"))
    };
    let file = user("{tokenFile: token, token: fallback}");
    assert!(matches!(file.login, Login::TokenFile { path, fallback: Some(_) } if path == Path::new("/a/token")));
    let password = user("{username: me, password: hunter2}");
    assert!(matches!(password.login, Login::Password { username, .. } if username == "me"));
    let certificate = user("{client-certificate: me.crt, client-key-data: aGVsbG8=}");
    let identity = certificate.identity.unwrap();
    assert_eq!(identity, (Material::File("/a/me.crt".into()), Material::Data(b"hello".to_vec())));
    let plugin = user("{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: bin/login, args: [now]}}");
    let Login::Plugin(plugin) = plugin.login else { panic!("{:?}", plugin.login) };
    assert_eq!((plugin.command.as_str(), plugin.arguments.as_slice()), ("/a/bin/login", &["now".to_owned()][..]));
    // As for kubectl, who has a token needs no plugin.
    let both = user("{token: t0ken, exec: {apiVersion: client.authentication.k8s.io/v1, command: login}}");
    assert!(matches!(both.login, Login::Token(_)));
    let other = user("{token: t0ken, as: jane, as-groups: [ops], as-user-extra: {scope: [a, b]}}");
    let headers: Vec<String> = other.impersonation.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        headers,
        ["Impersonate-User=jane", "Impersonate-Group=ops", "Impersonate-Extra-scope=a", "Impersonate-Extra-scope=b"]
    );
}

#[test]
fn what_is_shown_of_a_kubeconfig_has_no_secrets() {
    let config = read(vec![(Source::File("/a/config".into()), LAB.to_owned())]).unwrap();
    let shown = format!("{config:?} {:?}", config.target(None));
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[test]
fn broken_kubeconfigs_are_told_with_their_file_and_a_remedy() {
    let cases: Vec<(String, Kind, &str, &str)> = vec![
        ("clusters: [".into(), Kind::Parse, "line 1 column", "one YAML document"),
        (format!("{LAB}\n\tusers: x"), Kind::Parse, "line", "one YAML document"),
        (format!("{LAB}---\nkind: Config\n"), Kind::Parse, "one document is expected", "one YAML document"),
        (lab_with("{token: s3cr3t-token}", "{token: s3cr3t-token"), Kind::Parse, "line", "one YAML document"),
        ("just text".into(), Kind::Parse, "holds a text, not a kubeconfig", "a map with"),
        (
            "{kind: Deployment, apiVersion: apps/v1}".into(),
            Kind::Parse,
            "`kind` is `Deployment`",
            "another kind of file",
        ),
        ("clusters: {lab: {}}".into(), Kind::Parse, "`clusters` is an object, not a list", "- name: …"),
        ("clusters: [{cluster: {}}]".into(), Kind::Parse, "`clusters[0]` has no `name`", "give it one"),
        ("users: [{name: a, user: 3}]".into(), Kind::Parse, "`users[0].user` is an integer", ""),
        ("users: [{name: a}, {name: a}]".into(), Kind::Parse, "two entries named `a`", "rename"),
        ("{}".into(), Kind::Parse, "no context is current", "no contexts at all"),
        (lab_with("current-context: lab", ""), Kind::Parse, "no context is current", "its contexts are anonymous, lab"),
        (
            lab_with("current-context: lab", "current-context: labb"),
            Kind::NotFound,
            "`labb` is not in",
            "did you mean `lab`?",
        ),
        (
            lab_with("current-context: lab", "current-context: 7"),
            Kind::Parse,
            "`current-context` is an integer",
            "in quotes",
        ),
        (
            lab_with("cluster: lab, user: admin", "cluster: labb, user: admin"),
            Kind::Parse,
            "names the cluster `labb`",
            "did you mean `lab`?",
        ),
        (lab_with("user: admin", "user: root"), Kind::Parse, "names the user `root`", "add `root` to `users`"),
        (lab_with("cluster: lab, user", "user"), Kind::Parse, "names no cluster", "set its `cluster`"),
        (lab_with("server: \"https://10.0.0.1:6443\", ", ""), Kind::Parse, "has no `server`", "https://10.0.0.1:6443"),
        (lab_with("https://10.0.0.1:6443", "https://10.0.0.1:644333"), Kind::Parse, "is not a URL", "write it like"),
        (lab_with("https://10.0.0.1", "ftp://10.0.0.1"), Kind::Parse, "begins with `ftp`", "write it like"),
        (
            lab_with("certificate-authority: certs/ca.crt", "certificate-authority-data: \"#!\""),
            Kind::Parse,
            "is not base64",
            "copy it again",
        ),
        (lab_with("certs/ca.crt", "ca.crt, certificate-authority-data: aGVsbG8="), Kind::Parse, "has both", "keep one"),
        (
            lab_with("certs/ca.crt", "ca.crt, insecure-skip-tls-verify: true"),
            Kind::Parse,
            "and a certificate authority",
            "remove",
        ),
        (lab_with("token: s3cr3t-token", "client-certificate: a.crt"), Kind::Parse, "without its key", "client-key"),
        (
            lab_with("token: s3cr3t-token", "client-key: a.key"),
            Kind::Parse,
            "without its certificate",
            "client-certificate",
        ),
        (
            lab_with("token: s3cr3t-token", "token: a, username: b"),
            Kind::Parse,
            "both a token and a username",
            "keep one",
        ),
        (lab_with("token: s3cr3t-token", "password: b"), Kind::Parse, "a password and no `username`", "add"),
        (
            lab_with("token: s3cr3t-token", "token: 12345"),
            Kind::Parse,
            "`users[0].user.token` is an integer",
            "in quotes",
        ),
        (
            lab_with("{token: s3cr3t-token}", "{auth-provider: {name: gcp}}"),
            Kind::Unsupported,
            "`auth-provider`, `gcp`",
            "credential plugin",
        ),
        (lab_with("{token: s3cr3t-token}", "{exec: aws}"), Kind::Parse, "`users[0].user.exec` is a text", "below"),
        (lab_with("{token: s3cr3t-token}", "{exec: {args: [x]}}"), Kind::Parse, "has no `command`", "name or path"),
        (
            lab_with("{token: s3cr3t-token}", "{exec: {command: aws}}"),
            Kind::Parse,
            "`users[0].user.exec.apiVersion` is not there",
            "client.authentication.k8s.io/v1",
        ),
        (
            lab_with(
                "{token: s3cr3t-token}",
                "{exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}}",
            ),
            Kind::Parse,
            "`client.authentication.k8s.io/v1alpha1`",
            "update the plugin",
        ),
        (
            lab_with(
                "{token: s3cr3t-token}",
                "{exec: {command: login, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}}",
            ),
            Kind::Unsupported,
            "the plugin `login`",
            "once by hand",
        ),
    ];
    for (text, kind, message, hint) in cases {
        let fault = refused(&text);
        assert_eq!(fault.kind, kind, "{fault:?}");
        assert!(fault.message.contains(message), "{fault:?} does not say {message}");
        assert!(fault.message.contains("/srv/lab/.kube/config"), "{fault:?} does not name the file");
        assert!(fault.hint.as_deref().unwrap_or_default().contains(hint), "{fault:?} does not hint {hint}");
        assert!(!format!("{fault:?}").contains("s3cr3t"), "{fault:?}");
    }
}

#[test]
fn kubeconfigs_are_found_where_kubectl_finds_them() {
    let second = LAB.replace("lab", "second");
    let (script, folder) =
        script(&[("one", LAB), ("two", &second), ("home/.kube/config", &LAB.replace("lab", "home"))]);
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let set = |name: &str, value: String| script.recorded.variables.lock().unwrap().insert(name.into(), value);
    std::fs::create_dir(folder.path().join("certs")).unwrap();
    let authority = rcgen::generate_simple_self_signed(vec!["lab".to_owned()]).unwrap().cert.pem();
    std::fs::write(folder.path().join("certs/ca.crt"), &authority).unwrap();
    std::fs::create_dir(folder.path().join("home/.kube/certs")).unwrap();
    std::fs::write(folder.path().join("home/.kube/certs/ca.crt"), authority).unwrap();

    let fault = script.fault("k8s::connect()");
    assert_eq!(fault.kind, Kind::File);
    set("HOME", place("home"));
    assert_eq!(script.value::<String>("k8s::connect().context()"), "home");
    set("KUBECONFIG", format!("{}::{}:{}", place("missing"), place("two"), place("one")));
    assert_eq!(script.value::<String>("k8s::connect().context()"), "second");
    assert_eq!(script.value::<String>("k8s::connect(\"lab\").context()"), "lab");
    assert_eq!(script.value::<String>("`${k8s::connect(#{ kubeconfig: \"one\" })}`"), "lab");
    assert_eq!(script.value::<String>("k8s::connect(#{ kubeconfig: \"one\" }).server()"), "10.0.0.1:6443");
    set("KUBECONFIG", place("missing"));
    let fault = script.fault("k8s::connect()");
    assert_eq!(fault.kind, Kind::File);
    assert!(fault.message.contains("missing"), "{fault}");
    assert_eq!(script.fault("k8s::connect(#{ kubeconfig: \"missing\" })").kind, Kind::File);
    assert_eq!(script.fault("k8s::connect(\"lab\", #{ context: \"lab\", kubeconfig: \"one\" })").kind, Kind::Usage);
    assert_eq!(script.fault("k8s::connect(#{ kubeconfig: \"one\", text: \"\" })").kind, Kind::Usage);

    std::fs::remove_file(folder.path().join("certs/ca.crt")).unwrap();
    let fault = script.fault("k8s::connect(#{ kubeconfig: \"one\" })");
    assert_eq!(fault.kind, Kind::File);
    assert!(fault.message.contains("certs/ca.crt"), "{fault}");
    std::fs::write(folder.path().join("certs/ca.crt"), "not a certificate").unwrap();
    assert_eq!(script.fault("k8s::connect(#{ kubeconfig: \"one\" })").kind, Kind::Tls);
}
