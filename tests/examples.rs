//! The examples, the runbooks and the standard library: all are checked, and those that need no cluster are run.

use crate::support::{
    daemon::redis,
    nameserver::NameServer,
    program::Runbook,
    server::{Reply, Server},
    transcript::{compare, program, said},
};

fn scripts(folder: &str) -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let names = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut scripts: Vec<String> =
        names.filter(|name| name.ends_with(".rhai")).map(|name| format!("{folder}/{name}")).collect();
    scripts.sort();
    scripts
}

#[test]
fn nothing_is_wrong_with_what_comes_with_the_program() {
    let journal = tempfile::tempdir().unwrap();
    let scripts: Vec<String> = ["examples", "runbooks", "stdlib"].into_iter().flat_map(scripts).collect();
    let (status, told) = said(program(journal.path()).arg("check").args(&scripts));
    let fine: Vec<String> = scripts.iter().map(|script| format!("{script}: nothing wrong")).collect();
    assert_eq!((told.lines().collect::<Vec<_>>(), status), (fine.iter().map(String::as_str).collect(), 0));
}

#[test]
fn hello_greets_whom_it_is_told_to() {
    let journal = tempfile::tempdir().unwrap();
    let (status, told) = said(program(journal.path()).args(["examples/hello.rhai", "--set", "name=Rosa"]));
    assert_eq!(status, 0, "{told}");
    compare("hello.txt", &told);
}

#[test]
fn a_kubeconfig_is_laid_into_ones_own_and_nothing_changes_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.kubeconfig");
    let run = || {
        let mut command = program(folder.path());
        let (status, told) = said(command.arg("examples/kubeconfig.rhai").env("KUBECONFIG", &mine));
        assert_eq!(status, 0, "{told}");
        for part in ["known as admin@lab", "1 contexts, and admin@lab is the current one"] {
            assert!(told.contains(part), "`{part}` is not in {told}");
        }
        assert!(!told.contains("an-example-and-no-secret"), "{told}");
        std::fs::read_to_string(&mine).unwrap()
    };
    let first = run();
    assert!(first.contains("an-example-and-no-secret"), "{first}");
    assert_eq!(run(), first);
}

#[test]
fn the_website_is_asked_until_it_is_up_and_its_pages_are_told() {
    let journal = tempfile::tempdir().unwrap();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/" if asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 => Reply::new(503, "still starting"),
        "/" => Reply::new(200, "welcome"),
        _ => Reply::new(404, "nothing here"),
    });
    let site = format!("site={}", server.url(""));
    let (status, told) = said(program(journal.path()).args(["examples/website.rhai", "--set", &site]));
    assert_eq!(status, 0, "{told}");
    for part in ["as it should be 2 of 3 times in a row", "the quickest page is /", "1 of 2 pages don't answer"] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
    let health = told.lines().find(|line| line.starts_with("/health")).unwrap();
    assert_eq!(health.split_whitespace().nth(1), Some("404"), "{told}");
}

/// Runs a runbook of `examples/` in a folder of its own.
fn example(name: &str) -> Runbook {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    Runbook::new(&std::fs::read_to_string(path).unwrap())
}

#[test]
fn a_backup_is_made_proven_and_tidied_up() {
    let told = example("files.rhai").run().done();
    let told = told.stdout(
        "/config/shop.yaml: 29 bytes, mode 0644\n/config/token: 9 bytes, mode 0600\n/diary.txt: 36 bytes, mode 0644\n",
    );
    told.stderr_has("destroys: remove").stderr_has("/shop/diary.txt").stderr_lacks("8d7f");
}

#[test]
fn a_kustomization_is_built_before_anything_is_applied() {
    let journal = tempfile::tempdir().unwrap();
    let (status, told) = said(program(journal.path()).arg("examples/kustomize.rhai"));
    assert_eq!(status, 0, "{told}");
    for part in ["Deployment production-web", "web:1.4, 3 times, with production-settings-"] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
}

#[test]
fn a_values_file_keeps_its_comments() {
    let told = example("values.rhai").run().done();
    told.stdout(
        r#"# The corner shop. Ask Rosa before you change the hosts.
replicas: 3          # three in December
image:
  repository: corner/shop
  tag: "1.5.0"       # renovated by hand
hosts:
- shop.example.org   # the one on the sign

- december.example.org
limits: {cpu: 250m, memory: 256Mi}
resources:
  requests:
    cpu: 100m

3 replicas of corner/shop:1.5.0 for ["shop.example.org", "december.example.org"]
"#,
    );
}

#[test]
fn a_template_is_filled_and_what_is_missing_is_told() {
    let told = example("template.rhai").run().args(["--set", "name=stall"]).done();
    told.stdout(
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: stall
  labels: {tier: front}
data:
  start.sh: exec serve --port $PORT --name $NAME

absent: text needs a value for `HOST`, `PORT`
",
    );
}

#[test]
fn programs_are_run_as_far_as_they_were_allowed() {
    example("programs.rhai").run().fails(4).stderr_has("--allow-exec=sort");
    let told =
        example("programs.rhai").run().args(["--allow-exec=sort,sh,grep"]).variable("PATH", "/usr/bin:/bin").done();
    told.stdout("Rosa\nLinus\nAda\n\nGrace could not make it\n")
        .stderr_has("program greet: sh: Good evening, operator");
}

#[test]
fn a_deploy_key_is_made_and_not_shown() {
    let told = example("keys.rhai").run().done();
    let told = told.stdout(
        "mode 0600, private [secret ssh key flux@lab]\nSecret deploy-key holds [\"identity\", \"identity.pub\"]\n[git.example.org]:2222\n",
    );
    told.stderr_lacks("PRIVATE KEY");
}

#[test]
fn a_backup_is_named_by_chance_and_dated() {
    let told = example("chance.rhai").run().args(["--set", "keep_days=1"]).done();
    told.stdout(
        "sha256 of nothing: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
base64 of a line: dG8gd2hvbSBpdCBtYXkgY29uY2Vybgo=
its key is [secret random:key of the backup]
made on 31.01.2026, kept until 01.02.2026
",
    );
}

#[test]
fn redis_is_waited_for_counted_in_and_told_of() {
    let Some(server) = redis(&["--requirepass", "open-sesame"]) else { return };
    let journal = tempfile::tempdir().unwrap();
    let address = format!("address={}", server.address());
    for visit in ["visit number 1", "visit number 2"] {
        let mut command = program(journal.path());
        command.env("REDIS_PASSWORD", "open-sesame");
        let (status, told) = said(command.args(["examples/redis.rhai", "--set", &address, "--set", "locked=true"]));
        assert_eq!(status, 0, "{told}");
        for part in ["all is well, for", visit, "master"] {
            assert!(told.contains(part), "`{part}` is not in {told}");
        }
        assert!(!told.contains("open-sesame"), "{told}");
    }
}

#[test]
fn a_name_is_waited_for_and_what_is_gone_is_told() {
    let server = NameServer::of_examples();
    let journal = tempfile::tempdir().unwrap();
    let address = format!("server={}", server.address);
    let (status, told) = said(program(journal.path()).args(["examples/dns.rhai", "--set", &address]));
    assert_eq!(status, 0, "{told}");
    for part in ["www.example.test is 10.17.13.242", "mail for example.test goes to mail.example.test", "it is gone"] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
}

#[test]
fn a_release_is_downloaded_published_once_and_seen() {
    const RELEASE: &str = "a release";
    const SUM: &str = "e9edfb8e46f891370bda2772760ae14bc1572a2ce9263368cd5282dac3241eb8";
    let published = std::sync::atomic::AtomicBool::new(false);
    let server = Server::start(move |seen| match (seen.path.as_str(), seen.before) {
        ("/release.json", 0) => Reply::new(503, "restarting").header("retry-after", "0"),
        ("/release.json", _) => {
            let is = published.load(std::sync::atomic::Ordering::Relaxed);
            let told = format!(r#"{{"version": "v2", "path": "/v2.bin", "sha256": "{SUM}", "published": {is}}}"#);
            Reply::new(200, told)
        }
        ("/v2.bin", _) => Reply::new(200, RELEASE),
        ("/publish", _) => {
            published.store(true, std::sync::atomic::Ordering::Relaxed);
            Reply::new(201, "")
        }
        _ => Reply::new(404, "nothing here"),
    });
    // What it downloads must not lie among the sources.
    let folder = tempfile::tempdir().unwrap();
    let runbook = folder.path().join("http.rhai");
    std::fs::copy(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/http.rhai"), &runbook).unwrap();
    let site = format!("site={}", server.url(""));
    let (status, told) =
        said(program(&folder.path().join("journal")).arg(&runbook).args(["--set", &site, "--set", "token=geheim-7"]));
    assert_eq!(status, 0, "{told}");
    for part in ["downloads/release.bin: 9 bytes", "published: 201"] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
    assert!(!told.contains("geheim-7"), "{told}");
    assert_eq!(std::fs::read_to_string(folder.path().join("downloads/release.bin")).unwrap(), RELEASE);
    let posts: Vec<_> = server.seen().into_iter().filter(|seen| seen.method == "POST").collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].headers["authorization"], "Bearer geheim-7");
}

#[test]
fn the_network_is_looked_at() {
    let journal = tempfile::tempdir().unwrap();
    let (server, authority) = Server::start_with_tls(|_| Reply::new(200, ""));
    let address = format!("server=localhost:{}", server.address.port());
    let (status, told) = said(
        program(journal.path())
            .args(["examples/net.rhai", "--set", &address])
            .args(["--set", &format!("ca={authority}")]),
    );
    assert_eq!(status, 0, "{told}");
    for part in [
        "65536 addresses for pods, 4 zones from 10.244.0.0/18 on",
        "DNS is at 10.96.0.10",
        "3 of 3 connections",
        "localhost: ECDSA P-256, trusted: true",
    ] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
}

#[test]
fn a_small_authority_vouches_for_a_site() {
    let journal = tempfile::tempdir().unwrap();
    let (status, told) = said(program(journal.path()).args(["examples/tls.rhai", "--set", "site=a.lab"]));
    assert_eq!(status, 0, "{told}");
    for part in [
        "the key of the server is [secret tls:a.lab]",
        "CN=a.lab, for 2 names, is good for",
        "CN=the lab's authority vouches for it, and for CN=rosa",
    ] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
}
