//! Reading, reconciling, suspending and waiting, on real controllers.

use std::sync::Mutex;

use cozyscript::{event::What, script::fault::Kind};

use super::lab::{Arm, Lab, in_both_arms, kustomization, release};

in_both_arms! {
    a_release_is_waited_for_read_and_reconciled_with_its_chart
    a_release_that_was_forced_is_one_revision_further
    an_attempt_that_fails_is_told_of_and_not_waited_beyond
    what_takes_no_requests_is_refused_by_name
    a_set_is_waited_for_while_it_grows_with_a_line_for_each
    // A world has only our own hand.
    ; real:
    what_somebody_else_suspended_stays_so
}

fn a_release_is_waited_for_read_and_reconciled_with_its_chart(arm: Arm) {
    let Some(lab) = Lab::new(arm, "flux-release") else { return };
    lab.apply(&release("web", ""));
    let script = r#"
        let web = flux::wait(cluster, "helmrelease", "web", #{ timeout: "2m" });
        let chart = flux::get(cluster, "helmchart", `${web.namespace}-web`);
        let again = flux::reconcile(cluster, "hr", "web", #{ source: true });
        let all = flux::list(cluster, "HelmReleases");
        `${web.state} ${web.reason} ${web.revision}, ${chart.ready}, ${again.ready}, ${all.len()} ${all[0].name}`
    "#;
    assert_eq!(lab.run(script), "ready InstallSucceeded 1.0.0, true, true, 1 web");
    let handled = lab.somebody(r#"cluster.get("hr", "web").status.lastHandledReconcileAt"#);
    let asked = r#"cluster.get("hr", "web").metadata.annotations["reconcile.fluxcd.io/requestedAt"]"#;
    assert_eq!(handled, lab.somebody(asked));
    let effects = lab.script.recorded.effects.lock().unwrap();
    let told: Vec<String> = effects.iter().map(|(effect, _)| format!("{} {}", effect.verb, effect.object)).collect();
    let chart = "reconcile testbed: helmchart/flux-release-web in flux-release";
    assert_eq!(told, [chart, "reconcile testbed: helmrelease/web in flux-release"]);
}

fn a_release_that_was_forced_is_one_revision_further(arm: Arm) {
    let Some(lab) = Lab::new(arm, "flux-force") else { return };
    lab.apply(&release("web", ""));
    let revision = |lab: &Lab| lab.somebody(r#"cluster.get("hr", "web").status.history[0].version"#);
    lab.run(r#"flux::wait(cluster, "hr", "web").state"#);
    assert_eq!(revision(&lab), "1");
    lab.run(r#"flux::reconcile(cluster, "hr", "web").state"#);
    assert_eq!(revision(&lab), "1");
    lab.run(r#"flux::reconcile(cluster, "hr", "web", #{ force: true }).state"#);
    assert_eq!(revision(&lab), "2");
}

fn an_attempt_that_fails_is_told_of_and_not_waited_beyond(arm: Arm) {
    let Some(lab) = Lab::new(arm, "flux-fails") else { return };
    lab.apply(&kustomization("shop", "shop", &lab.space, "  path: ./nowhere"));
    lab.until_said("kustomization/shop", "path not found");
    let fault = lab.script.fault(&lab.with_cluster(r#"flux::reconcile(cluster, "ks", "shop", #{ timeout: "1m" });"#));
    assert_eq!(fault.kind, Kind::Failed);
    assert!(fault.message.contains("kustomization path not found"), "{fault}");
}

fn what_takes_no_requests_is_refused_by_name(arm: Arm) {
    let Some(lab) = Lab::new(arm, "flux-refused") else { return };
    lab.apply(&release("web", "  suspend: true"));
    let fault = |script: &str| lab.script.fault(&lab.with_cluster(script));
    let suspended = fault(r#"flux::reconcile(cluster, "hr", "web");"#);
    assert_eq!(
        (suspended.kind, suspended.message.as_str()),
        (Kind::Failed, "helmrelease/web in flux-refused is suspended")
    );
    assert_eq!(fault(r#"flux::reconcile(cluster, "helmrepository", "charts");"#).kind, Kind::Unsupported);
    assert_eq!(fault(r#"flux::reconcile(cluster, "hr", "nobody");"#).kind, Kind::NotFound);
    let slip = fault(r#"flux::get(cluster, "helmreleese", "web");"#);
    assert_eq!((slip.kind, slip.hint.as_deref()), (Kind::Usage, Some("did you mean `helmrelease`?")));
    assert_eq!(fault(r#"flux::wait(cluster, "hr", "web", #{ timeout: "20s" });"#).kind, Kind::Failed);
}

fn what_somebody_else_suspended_stays_so(arm: Arm) {
    let Some(lab) = Lab::new(arm, "flux-suspend") else { return };
    let theirs = kustomization("theirs", "shop", &lab.space, "  suspend: true");
    lab.apply(&kustomization("mine", "shop", &lab.space, ""));
    lab.apply_by_kubectl(&theirs);
    let names = |script: &str| {
        lab.run(&format!("let all = {script}; let names = \"\"; for one in all {{ names += one.name + \" \"; }} names"))
    };
    assert_eq!(names(r#"flux::suspend(cluster, "ks", #{})"#), "mine ");
    assert_eq!(names(r#"flux::suspend(cluster, "ks", #{})"#), "mine ", "a second time gives the same");
    assert_eq!(names(r#"flux::resume(cluster, "ks", #{ timeout: "1m" })"#), "mine ");
    let suspended = r#"`${cluster.list("ks").filter(|one| one.spec.suspend ?? false).map(|one| one.metadata.name)}`"#;
    assert_eq!(lab.somebody(suspended), r#"["theirs"]"#);
    assert_eq!(names(r#"flux::resume(cluster, "ks", "theirs", #{ timeout: "1m" })"#), "theirs ");
    assert_eq!(lab.somebody(suspended), "[]");
}

fn a_set_is_waited_for_while_it_grows_with_a_line_for_each(arm: Arm) {
    let Some(lab) = Lab::new(arm, "flux-set") else { return };
    lab.apply(&kustomization("first", "shop", &lab.space, ""));
    let found = Mutex::new(String::new());
    let waits = || {
        let wait = r#"flux::wait(cluster, "ks", #{ at_least: 3, timeout: "2m" }).len().to_string()"#;
        *found.lock().unwrap() = lab.run(wait);
    };
    let grows = || {
        lab.until_said("kustomization/first", "Ready=True");
        lab.apply(&kustomization("second", "shop", &lab.space, "  dependsOn: [{name: third}]"));
        lab.until_said("kustomization/second", "DependencyNotReady");
        lab.apply(&kustomization("third", "shop", &lab.space, ""));
    };
    lab.script.host.threads.fork(vec![Box::new(waits), Box::new(grows)]);
    assert_eq!(found.into_inner().unwrap(), "3");
    let events = lab.script.events();
    let line = events.iter().find_map(|event| match event {
        What::WaitStarted { wait, what, .. } if what == "kustomization/second in flux-set" => Some(*wait),
        _ => None,
    });
    let line = line.expect("it has a line of its own");
    let reasons = events.iter().filter_map(|event| match event {
        What::WaitChanged { wait, because } if *wait == line => Some(because.as_str()),
        _ => None,
    });
    let reasons = reasons.collect::<Vec<_>>().join("\n");
    assert!(reasons.contains("dependency 'flux-set/third' not found"), "{reasons}");
}
