//! The examples, the runbooks and the standard library: all are checked, and those that need no cluster are run.

use crate::support::{
    daemon::redis,
    nameserver::NameServer,
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
