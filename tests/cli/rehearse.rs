//! Rehearsals: a run on a simulated world, which can't tell, and of which a reader always can.

use std::time::Instant;

use crate::support::program::Runbook;

const MAPS: &str = r#"//! # Maps
let cluster = k8s::connect();
let count = param("count", #{ default: 3, help: "how many" });

step "make" timeout 2h {
    parallel for number in 0..count {
        cluster.apply(#{
            apiVersion: "v1", kind: "ConfigMap",
            metadata: #{ name: `map-${number}`, namespace: "default" }, data: #{ number: number.to_string() },
        });
        sleep(20.minutes);
        cluster.wait("configmap", `map-${number}`, "exists");
    }
}

step "look" {
    for map in cluster.list("configmaps") { print(`${map.metadata.name} ${map.metadata.uid}`); }
    print(time::now());
}

step "clear" {
    for number in 0..count { cluster.delete("configmap", `map-${number}`); }
}
"#;

#[test]
fn a_rehearsal_says_that_it_is_one_and_takes_no_time() {
    let begun = Instant::now();
    let ended = Runbook::new(MAPS).call(["rehearse", "book.rhai"]).done();
    let ended = ended
        .stderr_has(
            "run book.rhai: a rehearsal on a bare world, nothing real is touched: started as book-20260101-090000",
        )
        .stderr_has("effect make[2]: apply rehearsal: configmap/map-2 in default (created)")
        .stderr_has("[20:00.0] step make: done in 20m")
        .stderr_has("effect clear: delete rehearsal: configmap/map-0")
        .stderr_has("[20:00.0] run book.rhai: rehearsal done in 20m")
        .stdout_has("2026-01-01T09:20:00Z");
    assert!(ended.stdout.contains("\nmap-0 "), "{}", ended.stdout);
    assert!(begun.elapsed().as_secs() < 20, "it took {:?}", begun.elapsed());
}

#[test]
fn equal_seeds_give_equal_transcripts_and_others_give_others() {
    let book = Runbook::new(MAPS);
    let rehearse = |seed: u32| {
        let ended = book.call(["rehearse", "book.rhai", "--seed", &seed.to_string()]).done().stdout_has("map-0");
        (ended.stdout.clone(), ended.stderr.clone())
    };
    let first = rehearse(0);
    assert_ne!(first.0, rehearse(1).0, "the uids of another seed");
    for seed in 2..8 {
        assert_eq!(rehearse(seed), rehearse(seed), "of seed {seed}");
    }
    assert_eq!(first, rehearse(0));
}

#[test]
fn a_pace_changes_nothing_but_how_long_it_takes() {
    let book = Runbook::new(MAPS);
    let unbound = book.call(["rehearse", "book.rhai"]).done().stdout_has("map-0");
    let begun = Instant::now();
    let paced = book.call(["rehearse", "book.rhai", "--pace", "2400"]).done().stdout_has("map-0");
    assert!(begun.elapsed().as_millis() >= 500, "it took {:?}", begun.elapsed());
    assert_eq!((&unbound.stdout, &unbound.stderr), (&paced.stdout, &paced.stderr));
}

#[test]
fn nothing_of_it_stays() {
    let book = Runbook::new(MAPS);
    book.call(["rehearse", "book.rhai"]).done().stdout_has("map-0");
    let left: Vec<_> = std::fs::read_dir(book.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["book.rhai"]);
}

#[test]
fn the_world_beside_a_runbook_is_its_world() {
    let world = "
start: 2030-05-01T00:00:00Z
environment: {GREETING: hi}
answers:
  params: {count: 1}
clusters:
  lab:
    context: laboratory
    objects:
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: there, namespace: default}
        data: {greeting: hello}
";
    let book = Runbook::new(
        r#"
        let count = param("count", #{ type: "integer" });
        let secret = param("password", #{ secret: true });
        let cluster = k8s::connect("laboratory");
        print(`${count} ${cluster.get("configmap", "there").data.greeting} ${secret::env("GREETING")} ${secret}`);
        print(time::now());
    "#,
    );
    let book = book.file("book.world.yaml", world);
    book.call(["rehearse", "book.rhai"])
        .done()
        .stdout("1 hello [secret env:GREETING] [secret prompt:password]\n2030-05-01T00:00:00Z\n")
        .stderr_has("a rehearsal on book.world.yaml");
    let book = book.file("other.yaml", "answers: {params: {count: 2, password: x}, confirm: {}}");
    let ended = book.call(["rehearse", "book.rhai", "--world", "other.yaml"]).fails(1);
    ended.stdout("").stderr_has("laboratory");
}

#[test]
fn what_a_person_would_refuse_is_refused_and_all_else_is_agreed_to() {
    let book = Runbook::new(
        r#"
        step "sure" { print(confirm("really?")); }
        step "burn" { confirm_destroy("lab", ["all of it"]); }
    "#,
    );
    book.call(["rehearse", "book.rhai"])
        .done()
        .stdout("true\n")
        .stderr_has("This destroys `lab`, for good: - all of it");
    let book = book.file("book.world.yaml", "answers: {confirm: {sure@really?: false, burn@lab: false}}");
    book.call(["rehearse", "book.rhai"]).fails(4).stdout("false\n").stderr_has("error[refused]");
}

#[test]
fn what_the_world_has_no_model_of_fails_the_rehearsal() {
    let book = Runbook::new(
        r#"
        let server = k8s::connect().server();
        let told = http::get(`https://${server}/logs/kubelet.log`, #{
            insecure: true, bearer: "rehearsal-administrator", expect: 501,
        });
        print(told.status);
    "#,
    );
    let ended = book.call(["rehearse", "book.rhai"]).fails(1).stdout("501\n");
    ended.stderr_has("error[not_modelled]: GET /logs/kubelet.log").stderr_has("rehearsal failed after 0ms");
}

#[test]
fn a_rehearsal_runs_no_programs_of_this_machine() {
    let book = Runbook::new(r#"step "run" { exec::run(["true"]); }"#);
    book.call(["rehearse", "book.rhai"]).fails(4).stderr_has("running programs was not allowed");
}

#[test]
fn bad_days_are_survived_or_told_with_the_command_that_repeats_each() {
    let fragile = Runbook::new(
        r#"
        let cluster = k8s::connect();
        step "look" { for again in 0..40 { cluster.list("pods"); sleep(10.seconds); } }
    "#,
    );
    let world = "faults: [{resource: pods, nth: 7, gives: 403, message: enough}]";
    let fragile = fragile.file("book.world.yaml", world);
    let command = "cozyscript rehearse book.rhai --seed 5 --chaos";
    let told = fragile.call(["rehearse", "book.rhai", "--chaos", "2", "--seed", "5"]).fails(1);
    told.stdout("")
        .stderr_has("seed")
        .stderr_has(command)
        .stderr_has("does not allow to list `pods`")
        .stderr_has("0 of 2 bad days ended well");
    let told = fragile.call(["rehearse", "book.rhai", "--chaos", "2", "--seed", "5", "--json"]).fails(1);
    let first = &told.json()[0];
    assert_eq!((&first["seed"], &first["outcome"], &first["command"]), (&5.into(), &"failed".into(), &command.into()));
    let again = || {
        let told = fragile.call(["rehearse", "book.rhai", "--seed", "5", "--chaos"]).fails(1);
        told.stderr_has("error[denied]").stderr.clone()
    };
    assert_eq!(again(), again());
}

#[test]
fn a_runbook_that_waits_and_tries_again_lives_through_bad_days() {
    let book = Runbook::new(
        r#"
        let cluster = k8s::connect();
        step "write" retry 5 {
            cluster.apply(#{
                apiVersion: "apps/v1", kind: "Deployment", metadata: #{ name: "web" },
                spec: #{
                    replicas: 2, selector: #{ matchLabels: #{ app: "web" } },
                    template: #{
                        metadata: #{ labels: #{ app: "web" } },
                        spec: #{ containers: [#{ name: "web", image: "web:1" }] },
                    },
                },
            });
            cluster.wait("deployment", "web", "condition=Available");
        }
    "#,
    );
    book.call(["rehearse", "book.rhai", "--chaos", "12"]).done().stderr_has("12 of 12 bad days ended well");
}
