//! What goes wrong with machines: what whoever asks them sees of it, and for how long.

use simulator::world::World;
use talos::api::{
    machine::{EventsRequest, RebootRequest, RebootResponse, apply_configuration_request::Mode, machine_status_event},
    storage::DisksResponse,
};

use super::{Client, WORLD, apply, configuration, method, reboot, seconds, stage, told};
use crate::lived::within;

fn with(faults: &str) -> String {
    format!("{WORLD}faults:\n{faults}")
}

/// Gives the blank machine the worker's configuration.
async fn configure(world: &World, change: impl FnOnce(String) -> String) {
    let admin = Client::administrator(world);
    let text = String::from_utf8(configuration(world, &admin, "second").await).unwrap();
    let text = change(text.replace("hostname: second", "hostname: blank"));
    apply(world, &Client::stranger(world), "blank", text.into_bytes(), Mode::Auto).await.unwrap();
}

#[test]
fn a_machine_without_faults_becomes_a_node() {
    within(WORLD, async |world| {
        configure(&world, |text| text).await;
        assert_eq!(
            told(&world, &Client::administrator(&world), "blank", 80).await,
            ["0s connection refused", "50s host unreachable", "62s connection refused", "68s booting", "78s running"]
        );
    });
}

#[test]
fn a_machine_that_is_off_is_nowhere_until_it_is_on_again() {
    within(&with("- {node: second, gives: off, from: 10s, until: 2m}\n"), async |world| {
        let admin = Client::administrator(&world);
        assert_eq!(
            told(&world, &admin, "second", 180).await,
            ["0s running", "10s host unreachable", "160s connection refused", "166s booting", "176s running"]
        );
    });
}

#[test]
fn a_machine_that_is_away_does_not_come_back_from_its_restart_before_that_is_over() {
    within(&with("- {node: second, gives: away, until: 3m}\n"), async |world| {
        let admin = Client::administrator(&world);
        seconds(60).await;
        reboot(&world, &admin, "second").await;
        assert_eq!(
            told(&world, &admin, "second", 150).await,
            ["0s rebooting", "8s host unreachable", "132s connection refused", "138s booting", "148s running"]
        );
    });
}

#[test]
fn a_machine_that_moves_is_found_at_its_new_address_only() {
    within(&with("- {node: second, gives: moves, to: 10.0.0.77}\n"), async |world| {
        let admin = Client::administrator(&world);
        reboot(&world, &admin, "second").await;
        seconds(60).await;
        assert_eq!(stage(&world, &admin, "10.0.0.3").await, Err((14, "host unreachable".to_owned())));
        assert_eq!(stage(&world, &admin, "10.0.0.77").await.unwrap(), "running");
    });
}

#[test]
fn a_machine_that_installs_for_ever_refuses_connections_until_that_is_over() {
    within(&with("- {node: blank, gives: installs_forever, until: 5m}\n"), async |world| {
        configure(&world, |text| text).await;
        assert_eq!(
            told(&world, &Client::administrator(&world), "blank", 380).await,
            [
                "0s connection refused",
                "350s host unreachable",
                "362s connection refused",
                "368s booting",
                "378s running"
            ]
        );
    });
}

#[test]
fn a_machine_without_an_image_starts_anew_and_is_in_maintenance_again() {
    within(&with("- {node: blank, gives: wrong_image}\n"), async |world| {
        configure(&world, |text| text).await;
        assert_eq!(
            told(&world, &Client::stranger(&world), "blank", 60).await,
            ["0s connection refused", "10s host unreachable", "50s connection refused", "56s maintenance"]
        );
    });
}

#[test]
fn a_disk_that_is_missing_is_neither_shown_nor_installed_to() {
    within(&with("- {node: blank, gives: no_disk, disk: sdb}\n"), async |world| {
        let stranger = Client::stranger(&world);
        let disks: DisksResponse = stranger.ask(&world, "blank", "storage.StorageService/Disks", &()).await.unwrap();
        let names: Vec<&str> = disks.messages[0].disks.iter().map(|disk| disk.device_name.as_str()).collect();
        assert_eq!(names, ["/dev/sda"]);
        configure(&world, |text| text.replace("disk: /dev/sda", "disk: /dev/sdb")).await;
        seconds(70).await;
        assert_eq!(stage(&world, &stranger, "blank").await.unwrap(), "maintenance");
    });
}

#[test]
fn a_machine_whose_system_disk_is_missing_starts_from_the_network_until_it_is_there_again() {
    within(&with("- {node: second, gives: no_disk, disk: sda, from: 1s, until: 10m}\n"), async |world| {
        let admin = Client::administrator(&world);
        seconds(2).await;
        reboot(&world, &admin, "second").await;
        seconds(60).await;
        assert_eq!(stage(&world, &Client::stranger(&world), "second").await.unwrap(), "maintenance");
    });
}

#[test]
fn a_mute_machine_says_nothing_of_what_happens_and_does_it() {
    within(&with("- {node: second, gives: mute}\n"), async |world| {
        let admin = Client::administrator(&world);
        let all = EventsRequest { tail_events: -1, ..EventsRequest::default() };
        let mut events = admin.begin(&world, "second", &method("Events"), &[], &all).await.unwrap();
        let hello: talos::api::machine::Event = events.next().await.unwrap().unwrap();
        assert_eq!(hello.data.unwrap().type_url, "");
        let _: RebootResponse =
            admin.ask(&world, "second", &method("Reboot"), &RebootRequest::default()).await.unwrap();
        // Not even that it ends is heard before it ends.
        let (code, _) = events.next::<talos::api::machine::Event>().await.unwrap_err();
        assert_eq!(code, 14);
        seconds(60).await;
        assert_eq!(stage(&world, &admin, "second").await.unwrap(), "running");
    });
}

#[test]
fn a_machine_that_is_not_mute_tells_its_stages_until_its_connections_break() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let none = EventsRequest::default();
        let mut events = admin.begin(&world, "second", &method("Events"), &[], &none).await.unwrap();
        reboot(&world, &admin, "second").await;
        let mut stages = Vec::new();
        let code = loop {
            match events.next::<talos::api::machine::Event>().await {
                Ok(Some(event)) => {
                    let data = event.data.unwrap();
                    if data.type_url == "talos/runtime/machine.MachineStatusEvent" {
                        use talos::prost::Message as _;
                        let status = talos::api::machine::MachineStatusEvent::decode(&data.value[..]).unwrap();
                        stages.push(status.stage());
                    }
                }
                Ok(None) => break 0,
                Err((code, _)) => break code,
            }
        };
        assert_eq!((stages, code), (vec![machine_status_event::MachineStage::Rebooting], 14));
    });
}

#[test]
fn a_clock_that_is_wrong_makes_certificates_invalid_on_either_side() {
    let world = |clock: &str| WORLD.replace("role: worker,", &format!("role: worker, clock: '{clock}',"));
    // A node that doesn't take a client's certificate hangs up.
    for (clock, why) in
        [("2h", "invalid peer certificate: certificate not valid yet"), ("-2h", "operation was canceled")]
    {
        within(&world(clock), async |world| {
            let (_, said) = stage(&world, &Client::administrator(&world), "second").await.unwrap_err();
            assert!(said.contains(why), "{clock}: {said}");
        });
    }
}

#[test]
fn a_node_has_a_certificate_that_is_good_after_days() {
    let (config, papers) = within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        (configuration(&world, &admin, "first").await, world.talosconfig().unwrap())
    });
    within("machines: {first: {address: 10.0.0.2}}", async |world| {
        apply(&world, &Client::stranger(&world), "first", config, Mode::Auto).await.unwrap();
        let admin = Client::of(&world, &papers);
        for _ in 0..5 {
            seconds(11 * 3600).await;
            assert_eq!(stage(&world, &admin, "first").await.unwrap(), "booting");
        }
    });
}
