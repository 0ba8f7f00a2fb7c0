//! The narrated speed run, row by row: each sentence of the narration has its step, and has left something in the world.

use crate::support::rehearsal::Play;

const RUNBOOK: &str = "runbooks/speedrun.rhai";

/// What is said, the step that does it, and what is so afterwards.
const ROWS: &[(&str, &str, &str)] = &[
    ("destroy your production cluster", "nuke", r#"is_refused(|| talos::connect().version(FIRST))"#),
    (
        "if you haven't got one, skip this",
        "nuke",
        r#"cozy.get("namespace", "kube-system").metadata.creationTimestamp > "2025-12-06T19:10""#,
    ),
    (
        "machines netboot into maintenance",
        "netboot",
        r#"lab.disks(FIRST).map(|disk| disk.path) == ["/dev/nvme0n1", "/dev/sda"]"#,
    ),
    ("make mrproper if necessary", "mrproper", r#"talos::contexts("lab/talosconfig").contexts.len() == 1"#),
    (
        "make init, make template",
        "configurations",
        r#"talm::node("lab/nodes/hpworker02.yaml").nodes == ["10.17.13.132"]"#,
    ),
    ("make apply", "apply", r#"NODES.all(|node| lab.status(node).stage == "running")"#),
    ("monitor nodes reboot", "reboot", r#"lab.hostname("10.17.13.132") == "hpworker02""#),
    ("make bootstrap", "bootstrap", r#"lab.etcd_members(FIRST).len() == 3"#),
    (
        "make kubeconfig",
        "kubeconfig",
        r#"kubeconfig::read().current == "admin@cozystack" && cozy.list("nodes").len() == 4"#,
    ),
    (
        "a configmap applied by make install",
        "install",
        r#"settings.data["root-host"] == "moomboo.space" && holds(cozy.get("deployment", "cozystack", #{ namespace: "cozy-system" }), "Available")"#,
    ),
    (
        "wait a while",
        "platform",
        r#"flux::list(cozy, "helmrelease", #{ all_namespaces: true }).all(|release| release.ready)"#,
    ),
    ("LINSTOR and DRBD storage", "storage", r#"linstor::pools(cozy, #{})[0].node == "hpworker03""#),
    (
        "replicated with just 1 replica",
        "storage",
        r#"cozy.get("storageclass", "replicated").parameters["linstor.csi.linbit.com/autoPlace"] == "1""#,
    ),
    (
        "MetalLB in ARP mode",
        "addresses",
        r#"metallb::pools(cozy).len() == 2 && cozy.list("l2advertisements", #{ all_namespaces: true }).len() == 1"#,
    ),
    ("optionally OIDC", "install", r#"settings.data["oidc-enabled"] == ()"#),
    (
        "ingress, and etcd with one replica",
        "root tenant",
        r#"cozy.get("statefulset", "etcd", #{ namespace: "tenant-root" }).status.readyReplicas == 1"#,
    ),
    (
        "no isolated network in either tenant",
        "second tenant",
        r#"cozy.list("tenants.apps.cozystack.io", #{ namespace: "tenant-root" }).all(|tenant| tenant.spec.isolated == false)"#,
    ),
    (
        "two Redis instances",
        "redis live",
        r#"["test", "live"].all(|name| cozy.get("statefulset", `rfr-redis-${name}`, #{ namespace: "tenant-root" }).status.readyReplicas == 2)"#,
    ),
    (
        "open for unauthenticated clients",
        "redis test",
        r#"["test", "live"].all(|name| redis::connect(`redis-${name}-lb.turkey.local:6379`).get("speedrun") == "open to anybody")"#,
    ),
    (
        "the order of 4 load balancers",
        "compare with the plan",
        r#"ADDRESSES.all(|address| metallb::holder(cozy, address) != ())"#,
    ),
    (
        "a second tenant",
        "second tenant",
        r#"cozy.get("namespace", "tenant-test").status.phase == "Active" && metallb::holder(cozy, "10.17.13.244") == "tenant-test/test-ingress-controller""#,
    ),
    (
        "two Cluster-API clusters",
        "clusters",
        r#"cozy.list("clusters.cluster.x-k8s.io", #{ namespace: "tenant-test" }).map(|it| it.status.phase) == ["Provisioned", "Provisioned"]"#,
    ),
    (
        "they share a single ingress address",
        "compare with the plan",
        r#"dns::resolve("podinfo.local") == ["10.17.13.244"] && dns::resolve("moo-cluster.turkey.local") == ["10.17.13.244"]"#,
    ),
    (
        "on cluster is our first workload",
        "water",
        r#"cluster.get("gitrepository", "cozy-fluxcd", #{ namespace: "cozy-fluxcd" }).spec.url.ends_with("water-monitor.git")"#,
    ),
    ("the water monitor service", "all alive", r#"http::get("https://water.teamhephy.info/data").status == 200"#),
    ("monitored by Uptime Kuma", "all alive", r#"beats[beats.len() - 1].state == "up""#),
    (
        "a second Cluster-API provider",
        "vcluster provider",
        r#"flux::get(harvey, "kustomization", "capi-vcluster", FLUX).ready"#,
    ),
    (
        "the water namespace, manually",
        "water",
        r#"[cluster, harvey].all(|it| it.get("secret", "water-secret", #{ namespace: "water" }).data.len() == 1) && flux::get(cluster, "kustomization", "cozy-fluxcd", FLUX).ready"#,
    ),
    ("a moo cluster, via GitOps", "moo", r#"vcluster::all(harvey)[0].ready && moo.list("nodes").len() == 1"#),
    ("Crossplane installs WordPress", "race", r#"crossplane::releases(harvey)[0].state == "deployed""#),
    (
        "deploy this service by hand",
        "race",
        r#"holds(moo.get("deployment", "ob-mirror", #{ namespace: "ob-mirror" }), "Available")"#,
    ),
    (
        "Warnings only",
        "moo",
        r#"warnings::recent(#{ harvey: harvey }, #{}).some(|it| it.reason == "ReconciliationFailed")"#,
    ),
    (
        "ringing the bell stops the timer",
        "ring the bell",
        r#"SAID.contains("bell ring the bell: ") && SAID.contains("timer ring the bell: speed run stopped")"#,
    ),
    (
        "when all three are alive",
        "all alive",
        r#"crossplane::releases(harvey)[0].ready && moo.list("pods", #{ namespace: "ob-mirror" }).len() == 1 && http::get("https://water.teamhephy.info/data").status == 200"#,
    ),
    ("check also podinfo", "all alive", r#"http::get("https://podinfo.local/", #{ insecure: true }).status == 200"#),
    (
        "force retry podinfo",
        "podinfo",
        r#"flux::get(harvey, "helmrelease", "podinfo", #{ namespace: "podinfo" }).ready"#,
    ),
    ("verify the downtime", "verify the downtime", r#"kuma::downtime(beats) > 30.minutes"#),
];

/// The connections by which the rows look, each after what `SAID` has.
const LOOK: &str = r#"
    import "capi" as capi;
    import "crossplane" as crossplane;
    import "kuma" as kuma;
    import "linstor" as linstor;
    import "metallb" as metallb;
    import "talm" as talm;
    import "vcluster" as vcluster;
    import "warnings" as warnings;

    const FIRST = "10.17.13.86";
    const NODES = ["10.17.13.86", "10.17.13.101", "10.17.13.139", "10.17.13.132"];
    const ADDRESSES = ["10.17.13.241", "10.17.13.242", "10.17.13.243", "10.17.13.244"];
    const FLUX = #{ namespace: "cozy-fluxcd" };
    let lab = talos::connect("lab/talosconfig");
    let cozy = k8s::connect("admin@cozystack");
    let cluster = capi::connect(cozy, "kubernetes-cluster", #{ namespace: "tenant-test" });
    let harvey = capi::connect(cozy, "kubernetes-harvey", #{ namespace: "tenant-test" });
    let moo = vcluster::connect(harvey, "moo", #{ namespace: "vcluster-moo-cluster" });
    let settings = cozy.get("configmap", "cozystack", #{ namespace: "cozy-system" });
    let beats = kuma::heartbeats("https://status.nerdland.info", "public", 29);

    fn is_refused(asked) {
        try { asked.call(); false } catch (fault) { fault.kind in ["tls", "denied", "unreachable"] }
    }

    fn holds(object, wanted) {
        (object.status.conditions ?? []).some(|it| it.type == wanted && it.status == "True")
    }
"#;

#[test]
fn every_row_of_the_narration_has_its_step_and_left_its_mark_in_the_world() {
    let play = Play::of(RUNBOOK, 1);
    let told = play.run();
    assert_eq!(told.status, 0, "{}", told.said);
    let steps = told.steps();
    let mut script = format!("{LOOK}\nconst SAID = {:?};\nstep \"look\" {{\n", told.said);
    for (sentence, step, is_so) in ROWS {
        assert!(steps.iter().any(|known| known == step), "`{sentence}` has no step `{step}` among {steps:?}");
        script += &format!("    if !({is_so}) {{ print(\"not so: {sentence}\"); }}\n");
    }
    script += "    print(\"looked\");\n}\n";
    let seen = play.look(&script);
    let wrong: Vec<&str> = seen.lines().filter(|line| line.starts_with("not so: ")).collect();
    assert!(seen.contains("looked") && wrong.is_empty(), "{wrong:?}\n{seen}");
    let without: Vec<&String> = steps.iter().filter(|step| ROWS.iter().all(|(_, known, _)| known != step)).collect();
    assert_eq!(without, [""; 0], "each step is of a row");
}
