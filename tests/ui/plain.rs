use cozyscript::{
    event::What,
    ui::{Shown, Verbosity, View, plain::Plain},
};

use super::{columns, event, run, seconds, text, uncoloured};

fn plain(verbosity: Verbosity) -> Plain {
    Plain::new(verbosity, uncoloured(), uncoloured())
}

fn log(verbosity: Verbosity) -> String {
    let mut view = plain(verbosity);
    let shown: Vec<Shown> = run().iter().flat_map(|event| view.told(event, columns(80))).collect();
    text(&shown)
}

#[test]
fn a_log_has_a_line_an_event() {
    insta::assert_snapshot!(log(Verbosity::Normal), @r#"
    [00:00.0] run speedrun.rhai: started as speedrun-7, 5 steps
    [00:00.0] note: The run
    [00:00.0] note: We destroy production and bring it back.
    [00:00.0] step prepare: replayed: unchanged
    [00:00.0] step images: replayed: unchanged
    [00:00.0] step nuke: started
    [00:00.0] note nuke: Workers go first.
    [00:00.0] question nuke: Destroy `lab`?
    [00:00.0] answer nuke: Destroy `lab`? lab
    [00:00.0] step nuke/reset[srv2]: started
    [00:00.0] effect nuke/reset[srv2]: destroys: reset node 10.0.0.2
    [00:00.0] effect nuke/reset[srv2]: destroys: its disk sda
    [00:00.9] effect nuke/reset[srv2]: reset node 10.0.0.2
    [00:01.0] wait nuke/reset[srv2]: node 10.0.0.2 in maintenance mode, up to 15m
    [00:02.0] wait nuke/reset[srv2]: node 10.0.0.2 in maintenance mode: connection refused
    [01:02.0] wait nuke/reset[srv2]: node 10.0.0.2 in maintenance mode: met after 1m01s
    [01:01.9] resume install: on from here, because its text changed
    [01:01.9] diff install: -    apply(1);
    [01:01.9] diff install: +    apply(2);
    [01:02.0] step nuke/reset[srv2]: done in 1m01s
    [01:02.1] step nuke: done in 1m02s
    [01:02.2] timer: bootstrap started
    [01:02.3] step install: started
    [01:02.5] effect install: apply deployment/web (configured)
    [01:02.7] effect install: apply service/web (unchanged)
    [01:02.8] noted install: warning about pod web-0: BackOff: it crashed
    [01:03.0] step install: attempt 1 of 2 failed, next in 10s: conflict with `kubectl`
    [01:13.0] step install: started, attempt 2 of 2
    data: 3 nodes
    data: NODE  PODS
    data: ────  ────
    data: srv1    12
    [01:13.2] program install: helm: Release "cozystack" does not exist
    [01:13.3] warning install: version 1.31 is deprecated
    [01:13.4] stop install: as soon as what is under way has come back, by SIGINT
    [01:20.0] step install: failed after 17.7s: helmrelease `cozy-fluxcd/flux` was not ready within 15m: the hook job `flux-migrate` failed at speedrun.rhai:42:9
    [01:20.1] timer: bootstrap stopped after 17.9s
    [01:20.2] bell: come and look
    [01:20.3] step redis: skipped: --until install
    [01:20.4] run speedrun.rhai: failed after 1m20s (2 done, 1 failed, 2 replayed, 1 skipped, 2 changes); go on with: cozyscript resume speedrun-7
    "#);
}

#[test]
fn a_quiet_log_has_data_warnings_failures_and_the_end() {
    insta::assert_snapshot!(log(Verbosity::Quiet), @r#"
    data: 3 nodes
    data: NODE  PODS
    data: ────  ────
    data: srv1    12
    [01:13.3] warning install: version 1.31 is deprecated
    [01:13.4] stop install: as soon as what is under way has come back, by SIGINT
    [01:20.0] step install: failed after 17.7s: helmrelease `cozy-fluxcd/flux` was not ready within 15m: the hook job `flux-migrate` failed at speedrun.rhai:42:9
    [01:20.4] run speedrun.rhai: failed after 1m20s (2 done, 1 failed, 2 replayed, 1 skipped, 2 changes); go on with: cozyscript resume speedrun-7
    "#);
}

#[test]
fn a_wait_that_goes_on_says_so_every_thirty_seconds() {
    let mut view = plain(Verbosity::Normal);
    let started =
        What::WaitStarted { wait: 7, what: "etcd healthy".to_owned(), deadline: seconds(600), elapsed: seconds(0) };
    view.told(&event(seconds(5), "boot", started), columns(80));
    let changed = What::WaitChanged { wait: 7, because: "2 of 3 members".to_owned() };
    view.told(&event(seconds(20), "boot", changed), columns(80));
    let spoken: Vec<Shown> = (21..=111).flat_map(|now| view.tick(seconds(now))).collect();
    insta::assert_snapshot!(text(&spoken), @r#"
    [00:50.0] wait boot: etcd healthy: 2 of 3 members (45s of 10m)
    [01:20.0] wait boot: etcd healthy: 2 of 3 members (1m15s of 10m)
    [01:50.0] wait boot: etcd healthy: 2 of 3 members (1m45s of 10m)
    "#);
}

#[test]
fn hours_are_shown_once_there_are_any() {
    let mut view = plain(Verbosity::Normal);
    let told = view.told(&event(seconds(3723), "", What::Warned { text: "one\n\ntwo".to_owned() }), columns(80));
    assert_eq!(text(&told), "[1:02:03.0] warning: one / two");
}
