//! What a node does when it is told to do something while it does something else.

use talos::{
    api::machine::{
        self, EventsRequest, RebootRequest, ResetRequest, ResetResponse, SequenceEvent, ShutdownRequest,
        apply_configuration_request::Mode,
    },
    prost::Message as _,
};

use super::{Client, WORLD, apply, configuration, method, reboot, seconds, stage, told};
use crate::lived::within;

/// What events say of sequences until the stream breaks off: `reboot Start`, or with the code and the message of an error.
async fn sequences(mut events: super::client::Answers) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(Some(event)) = events.next::<machine::Event>().await {
        let data = event.data.unwrap();
        if data.type_url != "talos/runtime/machine.SequenceEvent" {
            continue;
        }
        let event = SequenceEvent::decode(&data.value[..]).unwrap();
        told.push(match &event.error {
            Some(error) => format!("{} {:?}: {}", event.sequence, error.code(), error.message),
            None => format!("{} {:?}", event.sequence, event.action()),
        });
    }
    told
}

#[test]
fn a_reboot_takes_over_from_a_reset_that_has_not_wiped_yet() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let events = admin.begin(&world, "second", &method("Events"), &[], &EventsRequest::default()).await.unwrap();
        let reset = ResetRequest { reboot: true, ..ResetRequest::default() };
        let _: ResetResponse = admin.ask(&world, "second", &method("Reset"), &reset).await.unwrap();
        seconds(2).await;
        reboot(&world, &admin, "second").await;
        assert_eq!(
            sequences(events).await,
            ["reset Start", "reset Canceled: sequence failed: context canceled", "reboot Start"]
        );
        seconds(60).await;
        assert_eq!(stage(&world, &admin, "second").await.unwrap(), "running");
    });
}

#[test]
fn a_reset_does_not_begin_during_a_reboot_and_only_the_events_say_so() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let events = admin.begin(&world, "second", &method("Events"), &[], &EventsRequest::default()).await.unwrap();
        reboot(&world, &admin, "second").await;
        seconds(2).await;
        let reset = ResetRequest { reboot: true, ..ResetRequest::default() };
        let answer: ResetResponse = admin.ask(&world, "second", &method("Reset"), &reset).await.unwrap();
        assert_eq!(answer.messages[0].actor_id.len(), 36);
        assert_eq!(sequences(events).await, ["reboot Start", "reset Locked: sequence not started: locked"]);
        seconds(60).await;
        assert_eq!(stage(&world, &admin, "second").await.unwrap(), "running");
    });
}

#[test]
fn what_is_told_twice_is_done_once() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let reset = ResetRequest { reboot: true, ..ResetRequest::default() };
        for _ in 0..2 {
            let _: ResetResponse = admin.ask(&world, "second", &method("Reset"), &reset).await.unwrap();
        }
        seconds(61).await;
        assert_eq!(stage(&world, &Client::stranger(&world), "second").await.unwrap(), "maintenance");
        let told = told(&world, &Client::stranger(&world), "second", 20).await;
        assert_eq!(told, ["0s maintenance"]);
    });
}

#[test]
fn a_shutdown_ends_whatever_goes_on() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        reboot(&world, &admin, "second").await;
        seconds(1).await;
        let request = ShutdownRequest::default();
        let _: machine::ShutdownResponse = admin.ask(&world, "second", &method("Shutdown"), &request).await.unwrap();
        seconds(600).await;
        assert_eq!(stage(&world, &admin, "second").await, Err((14, "host unreachable".to_owned())));
    });
}

#[test]
fn a_node_may_be_told_to_restart_while_it_waits_to_be_bootstrapped() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let text = String::from_utf8(configuration(&world, &admin, "first").await).unwrap();
        // Of a cluster of its own.
        let other = text.replacen("    id: ", "    id: another", 1);
        assert_ne!(text, other);
        apply(&world, &Client::stranger(&world), "blank", other.into_bytes(), Mode::Auto).await.unwrap();
        seconds(100).await;
        assert_eq!(stage(&world, &admin, "blank").await.unwrap(), "booting");
        let request = RebootRequest::default();
        let _: machine::RebootResponse = admin.ask(&world, "blank", &method("Reboot"), &request).await.unwrap();
        assert_eq!(
            told(&world, &admin, "blank", 40).await,
            ["0s rebooting", "8s host unreachable", "20s connection refused", "26s booting"]
        );
    });
}
