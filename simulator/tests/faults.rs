//! Faults: a client sees exactly what the world's file says goes wrong.

use std::{collections::BTreeSet, io::ErrorKind, time::Duration};

use http::header;
use serde_json::{Value, json};
use simulator::{
    faults::{bad_day, stroke},
    time::pass,
    world::{Description, World},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

use crate::lived::{Came, ask, described, fetch, secure, status, within, within_described};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn get(world: &World, path: &str) -> Came {
    ask(world, "GET", path, Value::Null).await.unwrap()
}

/// Creates the ConfigMap `a`.
async fn create(world: &World) {
    let created = ask(world, "POST", MAPS, json!({"metadata": {"name": "a"}})).await.unwrap();
    assert_eq!(created.code, 201);
}

async fn patch(world: &World, value: &str) -> std::io::Result<Came> {
    ask(world, "PATCH", &format!("{MAPS}/a"), json!({"data": {"key": value}})).await
}

/// What the ConfigMap `a` says.
async fn value(world: &World) -> Value {
    get(world, &format!("{MAPS}/a")).await.json()["data"]["key"].clone()
}

/// A world with these faults, and life in it.
fn faulty<T>(faults: &str, life: impl AsyncFnOnce(World) -> T) -> T {
    within(&format!("clusters: {{lab: {{}}}}\nfaults:\n{faults}"), life)
}

#[test]
fn the_third_patch_of_something_fails_and_changes_nothing() {
    faulty("  - {of: lab, verb: patch, resource: configmaps, nth: 3, gives: 500}", async |world| {
        create(&world).await;
        let mut codes = Vec::new();
        for number in 1..=4 {
            codes.push(patch(&world, &number.to_string()).await.unwrap());
            if number == 3 {
                assert_eq!(value(&world).await, "2");
            }
        }
        assert_eq!(codes.iter().map(|came| came.code).collect::<Vec<_>>(), [200, 200, 500, 200]);
        let told = codes[2].json();
        let real = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "etcdserver: request timed out", "code": 500,
        });
        assert_eq!(told, real);
        assert_eq!(value(&world).await, "4");
    });
}

#[test]
fn a_conflict_is_about_the_object_in_the_real_words() {
    faulty("  - {verb: patch, name: a, times: 1, gives: 409}", async |world| {
        create(&world).await;
        let told = patch(&world, "1").await.unwrap().json();
        let message = "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your \
                       changes to the latest version and try again";
        assert_eq!((&told["reason"], &told["message"]), (&json!("Conflict"), &json!(message)));
        assert_eq!(told["details"], json!({"name": "a", "kind": "configmaps"}));
        assert_eq!(patch(&world, "1").await.unwrap().code, 200);
    });
}

#[test]
fn a_busy_server_says_when_to_come_again() {
    let faults = "
  - {resource: configmaps, times: 1, gives: 429}
  - {resource: configmaps, times: 1, gives: 429, retry_after: 7s, message: not now}
  - {resource: configmaps, times: 1, gives: 503}
  - {resource: configmaps, times: 1, gives: 401}";
    faulty(faults, async |world| {
        let busy = get(&world, MAPS).await;
        assert_eq!((busy.code, busy.header(header::RETRY_AFTER)), (429, "1"));
        assert_eq!(busy.json(), "Too many requests, please try again later.\n");
        let busy = get(&world, MAPS).await;
        assert_eq!((busy.header(header::RETRY_AFTER), busy.json()), ("7", json!("not now")));
        let away = get(&world, MAPS).await;
        assert_eq!((away.code, away.header(header::RETRY_AFTER)), (503, "1"));
        assert_eq!(away.json()["message"], "apiserver is shutting down");
        let expired = get(&world, MAPS).await;
        assert_eq!((expired.code, expired.json()["reason"].clone()), (401, json!("Unauthorized")));
        assert_eq!(get(&world, MAPS).await.code, 200);
    });
}

#[test]
fn every_watch_dies_after_a_while() {
    faulty("  - {verb: watch, gives: ends, lasts: 30s, with: 410}", async |world| {
        for _ in 0..3 {
            let began = Instant::now();
            let watched = get(&world, &format!("{MAPS}?watch=1&resourceVersion=1")).await;
            assert_eq!(began.elapsed(), Duration::from_secs(30));
            let text = String::from_utf8_lossy(&watched.body).into_owned();
            let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!((&last["type"], &last["object"]["code"]), (&json!("ERROR"), &json!(410)));
            assert_eq!(last["object"]["reason"], "Expired");
            assert!(!watched.broke);
        }
    });
    faulty("  - {verb: watch, gives: ends, lasts: 5s}", async |world| {
        let began = Instant::now();
        let watched = get(&world, &format!("{MAPS}?watch=1")).await;
        assert_eq!(began.elapsed(), Duration::from_secs(5));
        assert!(!String::from_utf8_lossy(&watched.body).contains("ERROR"));
    });
}

#[test]
fn a_change_whose_answer_is_lost_is_made_and_one_whose_connection_is_reset_is_not() {
    let faults = "
  - {verb: patch, nth: 1, gives: reset}
  - {verb: patch, nth: 2, gives: lost}";
    faulty(faults, async |world| {
        create(&world).await;
        assert!(patch(&world, "reset").await.is_err());
        assert_eq!(value(&world).await, Value::Null);
        assert!(patch(&world, "lost").await.is_err());
        assert_eq!(value(&world).await, "lost");
    });
}

#[test]
fn bodies_come_late_or_in_part() {
    let faults = "
  - {resource: configmaps, nth: 1, gives: slow, lasts: 20s}
  - {resource: configmaps, nth: 2, gives: truncated}";
    faulty(faults, async |world| {
        let began = Instant::now();
        let slow = get(&world, MAPS).await;
        assert_eq!((began.elapsed(), slow.broke), (Duration::from_secs(20), false));
        let whole = slow.body.len();
        let cut = get(&world, MAPS).await;
        assert_eq!((cut.body.len(), cut.broke), (whole / 2, true));
        assert_eq!(cut.header(header::CONTENT_LENGTH), whole.to_string());
    });
}

#[test]
fn connections_are_refused_reset_or_half_open() {
    let faults = "
  - {of: lab, nth: 1, gives: refused}
  - {of: 'lab.example.test:6443', nth: 2, gives: reset}
  - {of: lab, nth: 3, gives: silent}
  - {of: lab, verb: get, gives: silent}";
    faulty(faults, async |world| {
        let ask = || ask(&world, "GET", MAPS, Value::Null);
        assert_eq!(ask().await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(ask().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert!(timeout(Duration::from_secs(600), ask()).await.is_err(), "nothing ever comes");
        assert_eq!(ask().await.unwrap().code, 200);
        let path = format!("{MAPS}/a");
        let one = crate::lived::ask(&world, "GET", &path, Value::Null);
        assert!(timeout(Duration::from_secs(600), one).await.is_err(), "nothing ever comes");
    });
}

#[test]
fn a_connection_that_breaks_takes_everything_on_it_along() {
    let site = "
sites: {'http://www.example.test': {answers: [{path: /late, after: 1h}, {path: /*}]}}
faults: [{path: /breaks, gives: reset}]";
    within(site, async |world| {
        let mut stream = world.network.dial("www.example.test", 80).await.unwrap();
        let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(ask("/whole").as_bytes()).await.unwrap();
        assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
        stream.write_all(ask("/breaks").as_bytes()).await.unwrap();
        assert_eq!(stream.read(&mut [0; 1024]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(stream.write(b"more").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_site_goes_wrong_by_rule() {
    let text = "
names: {gone.example.test: 10.0.0.7}
sites:
  http://www.example.test: {answers: [{body: '0123456789'}]}
faults:
  - {of: 'http://www.example.test', path: /third, nth: 3, gives: 503, retry_after: 7s, message: 'not now'}
  - {of: 'http://www.example.test', path: /first, times: 1, gives: 500}
  - {of: 'http://www.example.test', path: /even, every: 2, gives: 429}
  - {of: 'http://www.example.test', path: /cut, gives: truncated}
  - {of: 'http://www.example.test', path: /slow, gives: slow, lasts: 20s}
  - {of: 'http://www.example.test', path: /reset, gives: reset}
  - {of: 'www.example.test:80', from: 1h, until: 2h, gives: refused}
  - {of: gone.example.test, gives: missing, times: 1}
";
    within(text, async |world| {
        let mut codes = Vec::new();
        for _ in 0..4 {
            codes.push(status(&fetch(&world, "/third").await).to_owned());
        }
        assert_eq!(codes, ["200", "200", "503", "200"]);
        let codes = [fetch(&world, "/first").await, fetch(&world, "/first").await];
        assert_eq!(codes.each_ref().map(|said| status(said)), ["500", "200"]);
        let codes = [fetch(&world, "/even").await, fetch(&world, "/even").await, fetch(&world, "/even").await];
        assert_eq!(codes.each_ref().map(|said| status(said)), ["200", "429", "200"]);
        let cut = fetch(&world, "/cut").await;
        assert!(cut.contains("01234") && !cut.contains("012345"), "{cut}");
        assert_eq!(fetch(&world, "/reset").await, "");
        let began = Instant::now();
        assert!(fetch(&world, "/slow").await.contains("0123456789"));
        assert_eq!(began.elapsed(), Duration::from_secs(20));
        assert!(world.network.look_up("gone.example.test").is_err());
        assert!(world.network.look_up("gone.example.test").is_ok());
        pass(Duration::from_secs(3600)).await;
        let refused = world.network.dial("www.example.test", 80).await.map(drop).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        pass(Duration::from_secs(3600)).await;
        assert_eq!(status(&fetch(&world, "/third").await), "200");
    });
}

#[test]
fn a_node_never_returns_or_returns() {
    async fn ready(world: &World, node: &str) -> Value {
        let node = get(world, &format!("/api/v1/nodes/{node}")).await.json();
        let conditions = node["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions
            .into_iter()
            .find(|condition| condition["type"] == "Ready")
            .map_or(Value::Null, |ready| ready["status"].clone())
    }
    let text = "
clusters: {lab: {nodes: {worker-1: {}, worker-2: {}, worker-3: {}}}}
faults:
  - {of: lab, node: worker-2, gives: off, from: 1m}
  - {node: worker-3, gives: off, until: 10m}
";
    within(text, async |world| {
        assert_eq!(ready(&world, "worker-2").await, "True");
        pass(Duration::from_secs(5 * 60)).await;
        assert_eq!(ready(&world, "worker-1").await, "True");
        assert_eq!(ready(&world, "worker-2").await, "Unknown");
        assert_eq!(ready(&world, "worker-3").await, "Unknown");
        pass(Duration::from_secs(20 * 60)).await;
        assert_eq!(ready(&world, "worker-2").await, "Unknown");
        assert_eq!(ready(&world, "worker-3").await, "True");
    });
}

#[test]
fn a_clock_goes_wrong() {
    let text = "start: 2026-03-01T12:00:00Z\nclusters: {lab: {clock: -5m}}";
    within(text, async |world| {
        create(&world).await;
        let made = get(&world, &format!("{MAPS}/a")).await.json()["metadata"]["creationTimestamp"].clone();
        // The minute that the world had to come to rest is over, too.
        assert_eq!(made, "2026-03-01T11:56:00Z");
    });
}

#[test]
fn certificates_are_expired_for_others_or_of_strangers() {
    let clusters = [
        ("{}", ""),
        ("{certificate: {expires: '2020-01-01T00:00:00Z'}}", "certificate expired"),
        ("{certificate: {names: [other.example.test]}}", "not valid for name"),
        ("{certificate: {trusted: false}}", "UnknownIssuer"),
    ];
    for (described, why) in clusters {
        within(&format!("clusters: {{lab: {described}}}"), async |world| {
            let placed = &world.clusters[0];
            let met = secure(&world, &placed.authority, &placed.host, placed.port).await;
            let said = met.map(drop).map_or_else(|error| error.to_string(), |()| String::new());
            assert!(said.contains(why) && said.is_empty() == why.is_empty(), "{described}: {said}");
        });
    }
}

#[test]
fn a_certificate_expires_for_a_while() {
    let faults = "[{of: 'https://www.example.test', from: 1m, until: 2m, gives: expired}]";
    within(&format!("sites: {{'https://www.example.test': {{}}}}\nfaults: {faults}"), async |world| {
        let mut met = Vec::new();
        for _ in 0..3 {
            let greeted = secure(&world, &world.authority.pem(), "www.example.test", 443).await;
            met.push(greeted.map_or_else(|error| error.to_string(), |_| "fine".to_owned()));
            pass(Duration::from_secs(60)).await;
        }
        assert!(met[0] == "fine" && met[1].contains("certificate expired") && met[2] == "fine", "{met:?}");
    });
}

#[test]
fn chance_follows_from_the_seed() {
    let day = |seed: u64| {
        let text = format!("seed: {seed}\nfaults: [{{resource: configmaps, chance: 0.5, gives: 500}}]");
        within(&text, async |world| {
            let mut codes = Vec::new();
            for _ in 0..20 {
                codes.push(get(&world, MAPS).await.code);
            }
            codes
        })
    };
    assert_eq!(day(1), day(1));
    assert_ne!(day(1), day(2));
    assert!(day(1).contains(&200) && day(1).contains(&500));
}

#[test]
fn a_bad_day_is_the_same_bad_day_for_the_same_seed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let begins = Instant::now();
        let day = |seed| format!("{:?} {:?}", bad_day(seed, begins), stroke(seed, 3, begins));
        assert!((0..50).all(|seed| day(seed) == day(seed)));
        assert!((0..50).map(day).collect::<BTreeSet<_>>().len() > 45);
    });
}

#[test]
fn on_some_bad_days_one_of_the_machines_is_off_for_a_while() {
    let off = |seed| {
        let day =
            Description { seed: Some(seed), bad_day: true, ..described("clusters: {a: {nodes: 2}, b: {nodes: 1}}") };
        within_described(&day, async |world| {
            let mut seen = BTreeSet::new();
            for _ in 0..14 * 60 {
                for (placed, node) in [(0, "node-1"), (0, "node-2"), (1, "node-1")] {
                    if world.clusters[placed].cluster.machines.is_off(node) {
                        seen.insert((placed, node));
                    }
                }
                pass(Duration::from_secs(1)).await;
            }
            let still = |placed: usize, node| world.clusters[placed].cluster.machines.is_off(node);
            assert!(!still(0, "node-1") && !still(0, "node-2") && !still(1, "node-1"));
            seen
        })
    };
    let days: Vec<_> = (0..8).map(off).collect();
    assert!(days.iter().all(|seen| seen.len() <= 1), "{days:?}");
    assert!(
        days.iter().any(BTreeSet::is_empty) && days.iter().flatten().collect::<BTreeSet<_>>().len() > 1,
        "{days:?}"
    );
}

#[test]
fn a_bad_day_is_over_at_some_time() {
    for seed in 0..8 {
        let day = Description { seed: Some(seed), bad_day: true, ..described("") };
        within_described(&day, async |world| {
            pass(Duration::from_secs(11 * 60)).await;
            let mut fine = 0;
            for _ in 0..100 {
                let asked = timeout(Duration::from_secs(60), ask(&world, "GET", MAPS, Value::Null)).await;
                let whole = asked.is_ok_and(|came| came.is_ok_and(|came| came.code == 200 && !came.broke));
                fine = if whole { fine + 1 } else { 0 };
            }
            assert!(fine > 20, "seed {seed}: {fine}");
        });
    }
}
