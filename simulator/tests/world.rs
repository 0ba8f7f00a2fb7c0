//! Worlds as files: read, refused with reasons, and furnished.

use std::{collections::BTreeSet, path::Path, time::Duration};

use serde_json::{Map, Value, json};
use simulator::{
    kubernetes::{
        charts::{Failed, install},
        client::Client,
        manifests::Unfit,
        user::User,
    },
    time::pass,
    world::{Description, EXAMPLE, Files, Problem, check::schema, read, reference, sets},
};

use crate::lived::{ask, described, fetch, no_files, status, within};

/// Everything that is said of a world, a line each.
fn problems(text: &str) -> Vec<String> {
    problems_with(text, &no_files)
}

fn problems_with(text: &str, files: Files<'_>) -> Vec<String> {
    let told = |Problem { message, hint, place }: Problem| {
        let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}:{}+{}: {message}{hint}", place.line, place.column, place.length)
    };
    read(text, files).expect_err("something is wrong with it").into_iter().map(told).collect()
}

/// A value that a schema lets pass, with everything in it that it knows.
fn whole(at: &Value) -> Value {
    let at = match at["$ref"].as_str() {
        Some(reference) => schema().pointer(reference.trim_start_matches('#')).unwrap(),
        None => at,
    };
    if let Some(forms) = at["oneOf"].as_array() {
        return whole(forms.last().unwrap());
    }
    let kind = at["type"].as_str().or_else(|| at["type"][0].as_str());
    let example = |format: &str| match format {
        "duration" => "90s",
        "date-time" => "2026-01-01T09:00:00Z",
        "host-port" => "a.example.test:1",
        "origin" => "https://www.example.test",
        "ip" => "10.0.0.1",
        "skew" => "-5m",
        "network" => "10.0.0.0/8",
        "range" => "10.0.0.1-10.0.0.9",
        "port" => "80",
        "repository" => "https://git.example.test/fleet.git",
        "webhook" => "a.b.c",
        "taint" => "a=b:NoSchedule",
        "size" => "240G",
        "kubernetes" => "v1.36.3",
        "talos" => "v1.11.5",
        "path" => "/path",
        "file" => "file.yaml",
        other => panic!("the format {other} has no example"),
    };
    match kind {
        Some("object") => {
            let known = at["properties"].as_object().cloned().unwrap_or_default().into_iter();
            let known = known.take(at["maxProperties"].as_u64().map_or(usize::MAX, |most| most as usize));
            let mut fields: Map<String, Value> = known.map(|(name, at)| (name, whole(&at))).collect();
            if at["additionalProperties"].is_object() {
                let name = at.pointer("/propertyNames/format").and_then(Value::as_str).map_or("name", example);
                fields.insert(name.to_owned(), whole(&at["additionalProperties"]));
            }
            Value::Object(fields)
        }
        Some("array") => json!([whole(&at["items"])]),
        Some("string") => match (&at["enum"][0], at["format"].as_str()) {
            (Value::String(first), _) => json!(first),
            (_, Some(format)) => json!(example(format)),
            _ => json!("text"),
        },
        Some("integer" | "number") => json!(at["minimum"].as_u64().unwrap_or(1).max(1)),
        Some("boolean") => json!(true),
        None => json!("anything"),
        Some(other) => panic!("the type {other} has no example"),
    }
}

#[test]
fn what_the_schema_lets_pass_is_read() {
    let mut world = whole(schema());
    world["current"] = json!("name");
    world["networks"] = json!({"text": "10.0.0.0/8"});
    world["machines"]["name"]["cluster"] = json!("name");
    world["clusters"]["name"]["operators"][0]["phases"][0]["clusters"] = json!([]);
    for (key, value) in [("gives", "off"), ("node", "name"), ("of", "name")] {
        world["faults"][0][key] = json!(value);
    }
    world["charts"] = json!({"text": whole(&schema()["properties"]["charts"])["name"]});
    let text = serde_saphyr::to_string(&world).unwrap();
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}".to_owned();
    let manifest = |_: &Path| Ok(vec![("a.yaml".to_owned(), manifest.clone())]);
    let description = read(&text, &manifest).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    assert_eq!(description.clusters.0.len(), 1);
}

#[test]
fn what_is_read_is_in_the_schema() {
    // Every field is refused under another name, so a field that only one of them knows would be found here.
    let keys = |at: &Value| at["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let refused = |text: &str| serde_json::from_str::<Description>(text).unwrap_err().to_string();
    let told = refused(r#"{"unheard": 1}"#);
    let known: BTreeSet<String> = told.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert_eq!(known, keys(schema()));
}

#[test]
fn everything_has_a_word_of_explanation() {
    fn look(at: &Value, path: &str, silent: &mut Vec<String>) {
        for (name, inner) in at["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}/{name}");
            if inner["description"].as_str().is_none_or(str::is_empty) && !path.starts_with("/object") {
                silent.push(path.clone());
            }
            look(inner, &path, silent);
        }
        for form in at["oneOf"].as_array().into_iter().flatten() {
            look(form, path, silent);
        }
    }
    let mut silent = Vec::new();
    look(schema(), "", &mut silent);
    for (name, definition) in schema()["$defs"].as_object().unwrap() {
        look(definition, &format!("/{name}"), &mut silent);
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn the_reference_names_every_key_and_its_example_is_a_world() {
    fn keys(at: &Value, all: &mut BTreeSet<String>) {
        for (name, inner) in at["properties"].as_object().into_iter().flatten() {
            all.insert(name.clone());
            keys(inner, all);
        }
        for inner in at["oneOf"].as_array().into_iter().flatten().chain([&at["items"], &at["additionalProperties"]]) {
            if inner.is_object() {
                keys(inner, all);
            }
        }
    }
    let mut all = BTreeSet::new();
    keys(schema(), &mut all);
    // An object of Kubernetes is none of a world's business.
    let definitions = schema()["$defs"].as_object().unwrap().iter().filter(|(name, _)| *name != "object");
    definitions.for_each(|(_, definition)| keys(definition, &mut all));
    let reference = reference();
    let missing: Vec<&String> = all.iter().filter(|key| !reference.contains(&format!("| `{key}`"))).collect();
    assert_eq!(missing, Vec::<&String>::new(), "{reference}");
    for section in ["## clusters.NAME", "## sites.ORIGIN.answers[]", "## faults[]", "## charts.NAME[].parts[]"] {
        assert!(reference.contains(section), "{section} is not in\n{reference}");
    }
    within(EXAMPLE, async |world| assert_eq!(world.current, "lab"));
}

#[test]
fn nothing_is_a_world_too() {
    assert_eq!(described("").clusters.0.len(), 0);
    assert_eq!(described("# only a word\n").start().to_string(), "2026-01-01T09:00:00Z");
    within("", async |world| assert_eq!(world.current, "rehearsal"));
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_where() {
    let text = "clutsers: {}\nseed: many\nclusters:\n  lab: {nodes: -1, serve: x}\nsites:\n  www.example.test: {}\n";
    assert_eq!(
        problems(text),
        [
            "1:1+8: there is no key `clutsers` in a world (did you mean `clusters`?)",
            "2:7+4: `seed` is a whole number, and this is a text",
            "4:16+2: `nodes` is -1, and can't be less than 0",
            "4:20+5: there is no key `serve` in `lab` (did you mean `server`?)",
            "6:3+16: `www.example.test` can't be one of `sites` (write it like `https://www.example.test` or \
             `http://127.0.0.1:8080`)",
        ]
    );
}

#[test]
fn a_file_that_is_not_there_is_missed_where_it_is_named() {
    let text = "clusters:\n  lab:\n    objects:\n      - absent.yaml\n";
    assert_eq!(problems(text), ["4:9+11: can't read `absent.yaml`: there is no absent.yaml"]);
}

#[test]
fn a_cluster_has_its_nodes_and_objects() {
    let text = "
clusters:
  lab:
    nodes: {worker-1: {labels: {disk: fast}, taints: [only=db:NoSchedule]}}
    objects:
      - {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {x: y}}
      - {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
";
    within(text, async |world| {
        let kubeconfig = world.kubeconfig(|host, port| format!("{host}:{port}"));
        assert!(kubeconfig.contains("https://lab.example.test:6443"), "{kubeconfig}");
        let store = &world.clusters[0].cluster.store;
        let (_, maps) = store.list(&"configmaps".into(), Some("shop"));
        assert!(maps.iter().any(|(key, map)| key.name == "a" && map["data"]["x"] == "y"), "{maps:?}");
        let (_, nodes) = store.list(&"nodes".into(), None);
        assert_eq!(nodes.len(), 1);
        assert_eq!(nodes[0].1["metadata"]["labels"]["disk"], "fast");
        assert_eq!(nodes[0].1["spec"]["taints"][0]["effect"], "NoSchedule");
        assert_eq!(nodes[0].1["status"]["capacity"]["pods"], "110");
    });
}

#[test]
fn a_cluster_and_its_nodes_say_the_version_that_the_file_gives_them() {
    for (world, version, minor) in [("{version: v1.34.2}", "v1.34.2", "34"), ("{}", "v1.36.3", "36")] {
        within(&format!("clusters: {{lab: {world}}}"), async |world| {
            let told = ask(&world, "GET", "/version", Value::Null).await.unwrap().json();
            assert_eq!((&told["gitVersion"], &told["minor"]), (&json!(version), &json!(minor)));
            let node = ask(&world, "GET", "/api/v1/nodes/node-1", Value::Null).await.unwrap().json();
            assert_eq!(node["status"]["nodeInfo"]["kubeletVersion"], version);
        });
    }
}

#[test]
fn keys_and_certificates_follow_from_the_seed() {
    let vouched = |seed: u64| {
        within(&format!("seed: {seed}\nclusters: {{lab: {{}}, shop: {{}}}}"), async |world| {
            (world.authority.pem(), world.kubeconfig(|host, port| format!("{host}:{port}")))
        })
    };
    assert_eq!(vouched(1), vouched(1));
    assert_ne!(vouched(1).0, vouched(2).0);
    assert_ne!(vouched(1).1, vouched(2).1);
}

#[test]
fn every_set_of_definitions_is_served() {
    for set in sets::names() {
        within(&format!("clusters: {{lab: {{crds: [{set}]}}}}"), async |world| {
            let store = &world.clusters[0].cluster.store;
            let (_, definitions) = store.list(&"customresourcedefinitions.apiextensions.k8s.io".into(), None);
            assert_eq!(definitions.len(), sets::of(set).unwrap().len());
            for (key, definition) in definitions {
                let conditions = definition["status"]["conditions"].as_array().unwrap();
                let established = conditions.iter().find(|condition| condition["type"] == "Established").unwrap();
                assert_eq!(established["status"], "True", "{}", key.name);
            }
        });
    }
}

#[test]
fn every_set_of_definitions_is_whole() {
    for set in sets::names() {
        let definitions = sets::of(set).unwrap();
        assert!(!definitions.is_empty());
        for definition in definitions {
            assert_eq!(definition["kind"], "CustomResourceDefinition");
            let (plural, group) = (&definition["spec"]["names"]["plural"], &definition["spec"]["group"]);
            let name = format!("{}.{}", plural.as_str().unwrap(), group.as_str().unwrap());
            assert_eq!(definition["metadata"]["name"], name);
        }
    }
}

#[test]
fn nodes_and_load_balancers_have_addresses_of_their_network() {
    let text = "
networks: {rack: 10.17.13.0/24}
clusters:
  lab:
    network: rack
    nodes: {worker-1: {}, worker-2: {address: 10.17.13.99}, worker-3: {}}
    pools:
      public: {addresses: [10.17.13.242-10.17.13.243], auto_assign: false, namespaces: [default]}
      inner: [10.17.13.128/28]
    objects:
      - apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {type: LoadBalancer, ports: [{port: 80}]}
      - apiVersion: v1
        kind: Service
        metadata: {name: chosen, annotations: {metallb.io/address-pool: public}}
        spec: {type: LoadBalancer, ports: [{port: 80}]}
";
    within(text, async |world| {
        let store = &world.clusters[0].cluster.store;
        let (_, nodes) = store.list(&"nodes".into(), None);
        let addresses: Vec<&Value> = nodes.iter().map(|(_, node)| &node["status"]["addresses"][0]["address"]).collect();
        assert_eq!(addresses, ["10.17.13.11", "10.17.13.99", "10.17.13.12"]);
        let (_, services) = store.list(&"services".into(), Some("default"));
        let address = |name: &str| {
            let service = services.iter().find(|(key, _)| key.name == name).unwrap();
            service.1.pointer("/status/loadBalancer/ingress/0/ip").cloned().unwrap_or_default()
        };
        assert_eq!((address("web"), address("chosen")), (json!("10.17.13.128"), json!("10.17.13.242")));
    });
}

#[test]
fn containers_behave_and_volumes_are_made_as_the_file_says() {
    let text = "
clusters:
  lab:
    provisioners: {example.test/disk: 20s}
    pods:
      - {image: 'broken:*', pull_fails: not found}
      - {image: 'web:*', readiness: {after: 2m}, log: [{says: up}], ports: {80: echoes}}
    objects:
      - {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: disk}, provisioner: example.test/disk}
";
    within(text, async |world| {
        let create = async |kind: &str, object: Value| {
            let came = ask(&world, "POST", &format!("/api/v1/namespaces/default/{kind}"), object).await.unwrap();
            assert_eq!(came.code, 201, "{}", came.json());
        };
        let get = async |path: &str| {
            ask(&world, "GET", &format!("/api/v1/namespaces/default/{path}"), Value::Null).await.unwrap().json()
        };
        for name in ["broken", "web"] {
            let containers = json!([{"name": "main", "image": format!("{name}:1")}]);
            create("pods", json!({"metadata": {"name": name}, "spec": {"containers": containers}})).await;
        }
        let spec = json!({
            "storageClassName": "disk", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        });
        create("persistentvolumeclaims", json!({"metadata": {"name": "data"}, "spec": spec})).await;
        let ready = |pod: &Value| pod.pointer("/status/containerStatuses/0/ready").cloned();
        pass(Duration::from_secs(60)).await;
        assert_eq!(ready(&get("pods/web").await), Some(json!(false)));
        assert_eq!(get("persistentvolumeclaims/data").await["status"]["phase"], "Bound");
        let waits = get("pods/broken").await.pointer("/status/containerStatuses/0/state/waiting/reason").cloned();
        assert!(waits == Some(json!("ImagePullBackOff")) || waits == Some(json!("ErrImagePull")), "{waits:?}");
        pass(Duration::from_secs(90)).await;
        assert_eq!(ready(&get("pods/web").await), Some(json!(true)));
        assert_eq!(get("pods/web/log").await, "up\n");
    });
}

#[test]
fn webhooks_refuse_change_and_warn_as_the_file_says() {
    let text = "
clusters:
  lab:
    webhooks:
      owners.policy.test:
        resources: [configmaps]
        answers:
          - {namespace: kube-*}
          - {lacks: /metadata/labels/owner, refuse: who owns it?, until: 1h}
          - {has: {/data/*: '*secret*'}, refuse: that is no place for secrets, code: 422}
          - {name: old-*, warn: [that name is old]}
      marks.policy.test:
        resources: [pods]
        operations: [CREATE]
        answers:
          - {patch: [{op: add, path: /metadata/annotations, value: {seen: 'yes'}}]}
faults:
  - {of: webhooks.lab.example.test, path: /marks.policy.test, nth: 2, gives: 500, message: out of order}
";
    within(text, async |world| {
        let create = async |kind: &str, object: Value| {
            ask(&world, "POST", &format!("/api/v1/namespaces/default/{kind}"), object).await.unwrap()
        };
        let map = |name: &str, labels: Value, data: &str| json!({"metadata": {"name": name, "labels": labels}, "data": {"key": data}});
        let refused = create("configmaps", map("a", json!({}), "")).await;
        let message = "admission webhook \"owners.policy.test\" denied the request: who owns it?";
        assert_eq!((refused.code, refused.json()["message"].clone()), (403, json!(message)));
        let owned = || json!({"owner": "ops"});
        let refused = create("configmaps", map("a", owned(), "my secret")).await;
        assert_eq!(refused.code, 422, "{}", refused.json());
        let made = create("configmaps", map("old-one", owned(), "fine")).await;
        assert_eq!(made.code, 201);
        assert!(made.header(http::header::WARNING).contains("that name is old"), "{:?}", made.headers);
        let pod = |name: &str| json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}});
        let made = create("pods", pod("a")).await.json();
        assert_eq!(made["metadata"]["annotations"]["seen"], "yes", "{made}");
        let failed = create("pods", pod("b")).await;
        assert!(failed.code == 500 && failed.json().to_string().contains("out of order"), "{}", failed.json());
        pass(Duration::from_secs(3600)).await;
        assert_eq!(create("configmaps", map("a", json!({}), "")).await.code, 201);
    });
}

#[test]
fn charts_are_installed_over_time_and_after_what_they_need() {
    let text = "
charts:
  base:
    - {version: 1.0.0, parts: [{objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: base}}]}]}
  shop:
    - version: 1.0.0
    - version: 2.0.0
      needs: [base]
      parts:
        - {takes: 30s, objects: [{apiVersion: v1, kind: Namespace, metadata: {name: shop}}]}
        - {takes: 1m, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: shop}}]}
  strange:
    - {version: 0.1.0, parts: [{objects: [{apiVersion: a.test/v1, kind: Thing, metadata: {name: one}}]}]}
clusters: {lab: {charts: [base]}, bare: {}}
";
    within(text, async |world| {
        let client = |index: usize| Client::new(&world.clusters[index].cluster, User::administrator(), "helm");
        let (lab, bare) = (client(0), client(1));
        let charts = &lab.cluster().charts;
        let there = |namespace: &str, name: &str| {
            let (_, maps) = lab.cluster().store.list(&"configmaps".into(), Some(namespace));
            maps.iter().any(|(key, _)| key.name == name)
        };
        assert!(there("default", "base") && charts.is_installed("base"));
        let newest = charts.find("shop", None).unwrap();
        assert_eq!(newest.version, "2.0.0");
        assert_eq!(
            charts.find("shop", Some("3.0.0")),
            Err(Failed::NoSuchVersion(vec!["1.0.0".into(), "2.0.0".into()]))
        );
        assert_eq!(charts.find("shops", None), Err(Failed::NoSuchChart));
        assert_eq!(install(&bare, &newest, "shop").await, Err(Failed::Needs(vec!["base".into()])));
        let began = tokio::time::Instant::now();
        install(&lab, &newest, "shop").await.unwrap();
        assert_eq!(began.elapsed(), Duration::from_secs(90));
        assert!(there("shop", "shop") && charts.is_installed("shop"));
        let strange = charts.find("strange", None).unwrap();
        let unfit = Unfit::NoSuchKind("a.test/v1".into(), "Thing".into());
        assert_eq!(install(&lab, &strange, "shop").await, Err(Failed::Object("Thing `one`".into(), unfit)));
        charts.forget("shop");
        assert!(!charts.is_installed("shop"));
    });
}

#[test]
fn a_site_answers_by_path_method_and_time() {
    let text = "
sites:
  http://www.example.test:
    answers:
      - {path: /job, until: 3m, status: 202, body: wait}
      - {path: /job, json: {done: true}, headers: {x-seen: yes-indeed}}
      - {path: /form, method: POST, status: 204}
      - {path: /api/*, body: any}
      - {path: /slow, body: '0123456789', slowly: 10s}
      - {path: /late, after: 5s}
      - {path: /broken, body: '0123456789', breaks: true}
";
    within(text, async |world| {
        let began = tokio::time::Instant::now();
        assert_eq!(status(&fetch(&world, "/job").await), "202");
        pass(Duration::from_secs(180)).await;
        let done = fetch(&world, "/job").await;
        assert!(done.contains("200 OK") && done.contains("x-seen: yes-indeed") && done.ends_with(r#"{"done":true}"#));
        assert_eq!(status(&fetch(&world, "/form").await), "404");
        assert_eq!(status(&fetch(&world, "/api/x/y").await), "200");
        assert_eq!(began.elapsed(), Duration::from_secs(180));
        assert!(fetch(&world, "/slow").await.contains("0123456789"));
        assert_eq!(began.elapsed(), Duration::from_secs(190));
        assert_eq!(status(&fetch(&world, "/late").await), "200");
        assert_eq!(began.elapsed(), Duration::from_secs(195));
        let broken = fetch(&world, "/broken").await;
        assert!(broken.contains("content-length: 10") && broken.ends_with("01234"), "{broken}");
    });
}

#[test]
fn servers_and_names_come_and_go() {
    let text = "
names:
  early.example.test: {address: 10.0.0.1, until: 1m}
  late.example.test: {address: [10.0.0.1, 10.0.0.2], from: 1m}
ports:
  early.example.test:25: {says: '220 hello', until: 1m}
  10.0.0.2:7: {from: 1m}
";
    within(text, async |world| {
        let network = &world.network;
        let kind = |result: Result<_, std::io::Error>| {
            result.map(|_: Box<dyn simulator::stream::Stream>| ()).map_err(|error| error.kind())
        };
        assert_eq!(network.look_up("EARLY.example.test.").unwrap().len(), 1);
        assert!(network.look_up("late.example.test").is_err());
        assert_eq!(kind(network.dial("early.example.test", 25).await), Ok(()));
        assert_eq!(kind(network.dial("10.0.0.1", 26).await), Err(std::io::ErrorKind::ConnectionRefused));
        assert_eq!(kind(network.dial("10.0.0.9", 26).await), Err(std::io::ErrorKind::HostUnreachable));
        assert_eq!(kind(network.dial("10.0.0.2", 7).await), Err(std::io::ErrorKind::ConnectionRefused));
        pass(Duration::from_secs(60)).await;
        assert!(network.look_up("early.example.test").is_err());
        assert_eq!(network.look_up("late.example.test").unwrap().len(), 2);
        assert_eq!(kind(network.dial("10.0.0.2", 7).await), Ok(()));
        assert_eq!(kind(network.dial("10.0.0.1", 25).await), Err(std::io::ErrorKind::ConnectionRefused));
        assert_eq!(kind(network.dial("nobody.example.test", 25).await), Err(std::io::ErrorKind::NotFound));
    });
}

#[test]
fn every_wrong_world_gets_its_report() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let beside = |path: &Path| match std::fs::read_to_string(folder.join(path)) {
        Ok(text) => Ok(vec![(path.to_string_lossy().into_owned(), text)]),
        Err(_) => Err("it is not there".to_owned()),
    };
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    assert!(files.len() >= 25, "there are only {}", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let report = problems_with(&std::fs::read_to_string(&file).unwrap(), &beside).join("\n") + "\n";
        let kept = file.with_extension("report");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&kept, &report).unwrap();
        }
        let known = std::fs::read_to_string(&kept).unwrap_or_default();
        if known != report {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            wrong.push(format!("{name}:\n{}", similar::TextDiff::from_lines(&known, &report).unified_diff()));
        }
    }
    assert!(wrong.is_empty(), "{}\n`UPDATE=1` takes these over", wrong.join("\n"));
}
