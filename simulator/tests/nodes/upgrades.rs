//! Nodes of 1.13: images are pulled, the installer runs and says how it goes, and whoever asked for it restarts the node.

use simulator::world::World;
use talos::api::{
    common::{ContainerDriver, ContainerdInstance, ContainerdNamespace},
    machine::{
        ImageServiceListRequest, ImageServiceListResponse, ImageServicePullRequest, ImageServicePullResponse,
        InstallArtifactsSource, InstallDestination, LifecycleServiceInstallRequest, LifecycleServiceUpgradeRequest,
        LifecycleServiceUpgradeResponse, VersionResponse, apply_configuration_request::Mode,
        image_service_pull_response, lifecycle_service_install_progress::Response,
    },
};

use super::{Client, Refused, apply, configuration, method, reboot, seconds, stage, told};
use crate::lived::within;

const WORLD: &str = "
clusters:
  lab: {server: 'lab.example.test:6443'}
machines:
  first: {cluster: lab, address: 10.0.0.2, version: v1.13.0}
  second: {cluster: lab, role: worker, address: 10.0.0.3, version: v1.13.0}
  blank: {address: 10.0.0.4, version: v1.13.0}
";

const SYSTEM: ContainerdInstance =
    ContainerdInstance { driver: ContainerDriver::Cri as i32, namespace: ContainerdNamespace::NsSystem as i32 };

fn upgrade(image: &str) -> LifecycleServiceUpgradeRequest {
    LifecycleServiceUpgradeRequest {
        containerd: Some(SYSTEM),
        source: Some(InstallArtifactsSource { image_name: image.to_owned() }),
    }
}

async fn pull(world: &World, client: &Client, image: &str) -> Result<Option<String>, Refused> {
    let request = ImageServicePullRequest { containerd: Some(SYSTEM), image_ref: image.to_owned() };
    let pulled: Vec<ImageServicePullResponse> =
        client.all(world, "second", "machine.ImageService/Pull", &[], &request).await?;
    Ok(pulled.into_iter().find_map(|piece| match piece.response? {
        image_service_pull_response::Response::Name(name) => Some(name),
        image_service_pull_response::Response::PullProgress(_) => None,
    }))
}

/// Lines of the installer, and how it ended.
async fn run(world: &World, client: &Client, image: &str) -> Result<(Vec<String>, Option<i32>), Refused> {
    let told: Vec<LifecycleServiceUpgradeResponse> =
        client.all(world, "second", "machine.LifecycleService/Upgrade", &[], &upgrade(image)).await?;
    let (mut lines, mut code) = (Vec::new(), None);
    for response in told.into_iter().filter_map(|piece| piece.progress?.response) {
        match response {
            Response::Message(line) => lines.push(line),
            Response::ExitCode(last) => code = Some(last),
        }
    }
    Ok((lines, code))
}

async fn version(world: &World, client: &Client) -> String {
    let version: VersionResponse = client.ask(world, "second", &method("Version"), &()).await.unwrap();
    version.messages[0].version.clone().unwrap().tag
}

#[test]
fn a_node_is_upgraded_by_an_image_that_was_pulled_and_by_a_restart() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let image = "ghcr.io/siderolabs/installer:v1.13.2";
        let refused = run(&world, &admin, image).await.unwrap_err();
        assert_eq!(refused, (13, format!("upgrade failed: image {image:?}: not found")));
        assert_eq!(pull(&world, &admin, image).await.unwrap().as_deref(), Some(image));
        let list = ImageServiceListRequest { containerd: Some(SYSTEM) };
        let images: Vec<ImageServiceListResponse> =
            admin.all(&world, "second", "machine.ImageService/List", &[], &list).await.unwrap();
        assert_eq!(images.iter().map(|image| image.name.as_str()).collect::<Vec<_>>(), [image]);
        let began = tokio::time::Instant::now();
        let (lines, code) = run(&world, &admin, image).await.unwrap();
        assert_eq!((lines.last().unwrap().as_str(), code), ("installation of Talos is complete", Some(0)));
        assert_eq!(began.elapsed().as_secs(), 50);
        assert_eq!(version(&world, &admin).await, "v1.13.0");
        reboot(&world, &admin, "second").await;
        seconds(60).await;
        assert_eq!(version(&world, &admin).await, "v1.13.2");
    });
}

#[test]
fn an_image_that_is_no_installer_ends_with_a_code_and_the_call_ends_well() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        pull(&world, &admin, "nginx:1").await.unwrap();
        assert_eq!(run(&world, &admin, "nginx:1").await.unwrap().1, Some(1));
    });
}

#[test]
fn one_installer_runs_at_a_time_and_ends_when_nobody_listens() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let image = "ghcr.io/siderolabs/installer:v1.13.2";
        pull(&world, &admin, image).await.unwrap();
        let begun =
            admin.begin(&world, "second", "machine.LifecycleService/Upgrade", &[], &upgrade(image)).await.unwrap();
        seconds(5).await;
        let busy = (9, "another installation/upgrade is already in progress".to_owned());
        assert_eq!(run(&world, &admin, image).await.unwrap_err(), busy);
        drop(begun);
        seconds(1).await;
        assert_eq!(run(&world, &admin, image).await.unwrap().1, Some(0));
    });
}

#[test]
fn what_an_installer_needs_is_asked_for() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let refused = run(&world, &admin, "").await.unwrap_err();
        assert_eq!(refused, (3, "installer image name is required".to_owned()));
        let install = |image: &str, disk: &str| LifecycleServiceInstallRequest {
            containerd: Some(SYSTEM),
            source: Some(InstallArtifactsSource { image_name: image.to_owned() }),
            destination: Some(InstallDestination { disk: disk.to_owned() }),
        };
        for (image, disk, code, why) in [
            ("", "/dev/sda", 3, "installer image name is required"),
            ("image:v1", "", 3, "destination disk is required"),
            ("image:v1", "/dev/sda", 6, "machine is already installed"),
        ] {
            let answer: Result<(), Refused> =
                admin.ask(&world, "second", "machine.LifecycleService/Install", &install(image, disk)).await;
            assert_eq!(answer, Err((code, why.to_owned())));
        }
    });
}

#[test]
fn a_node_in_maintenance_answers_readers_and_a_configured_one_answers_while_it_installs() {
    within(WORLD, async |world| {
        let (admin, stranger) = (Client::administrator(&world), Client::stranger(&world));
        let version: VersionResponse = stranger.ask(&world, "blank", &method("Version"), &()).await.unwrap();
        assert_eq!(version.messages[0].version.as_ref().unwrap().tag, "v1.13.0");
        for denied in ["Reset", "Upgrade", "MetaWrite", "GenerateClientConfiguration"] {
            let answer: Result<(), Refused> = stranger.ask(&world, "blank", &method(denied), &()).await;
            assert_eq!(answer, Err((7, "not authorized".to_owned())), "{denied}");
        }
        let config = configuration(&world, &admin, "second").await;
        let config = String::from_utf8(config).unwrap();
        let text = config.lines().find_map(|line| line.trim().strip_prefix("|").map(str::to_owned));
        assert_eq!(text.as_deref().unwrap_or(""), "", "{config}");
        let details = apply(&world, &stranger, "blank", unquoted(&config), Mode::Auto).await.unwrap();
        assert_eq!(details, "Applied configuration without a reboot");
        assert_eq!(
            told(&world, &admin, "blank", 80).await,
            ["0s installing", "50s host unreachable", "62s connection refused", "68s booting", "78s running"]
        );
        assert_eq!(stage(&world, &admin, "blank").await.unwrap(), "running");
    });
}

/// The configuration in a YAML text that is one text itself.
fn unquoted(yaml: &str) -> Vec<u8> {
    let whole: String = serde_saphyr::from_str(yaml).unwrap();
    whole.into_bytes()
}
