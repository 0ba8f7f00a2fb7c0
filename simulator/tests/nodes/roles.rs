//! Who may call what, and what there is to be called.

use simulator::world::World;
use talos::{
    api::machine::{
        GenerateClientConfigurationRequest, GenerateClientConfigurationResponse, ResetRequest, ResetResponse,
    },
    prost_types,
};

use super::{Client, WORLD, method};
use crate::lived::within;

/// Calls, by those who may make them: readers, operators, who backs up etcd.
const CALLS: &str = "
    cluster.ClusterService/HealthCheck                          reader operator
    cosi.resource.State/Get                                     reader operator
    cosi.resource.State/List                                    reader operator
    cosi.resource.State/Watch                                   reader operator
    inspect.InspectService/ControllerRuntimeDependencies        reader operator
    machine.MachineService/ApplyConfiguration
    machine.MachineService/Bootstrap
    machine.MachineService/CPUFreqStats                         reader operator
    machine.MachineService/CPUInfo                              reader operator
    machine.MachineService/Containers                           reader operator
    machine.MachineService/Copy
    machine.MachineService/DiskStats                            reader operator
    machine.MachineService/DiskUsage                            reader operator
    machine.MachineService/Dmesg                                reader operator
    machine.MachineService/EtcdAlarmDisarm                      operator
    machine.MachineService/EtcdAlarmList                        reader operator backup
    machine.MachineService/EtcdDefragment                       operator
    machine.MachineService/EtcdDowngradeCancel
    machine.MachineService/EtcdDowngradeEnable
    machine.MachineService/EtcdDowngradeValidate
    machine.MachineService/EtcdForfeitLeadership
    machine.MachineService/EtcdLeaveCluster
    machine.MachineService/EtcdMemberList                       reader operator backup
    machine.MachineService/EtcdRecover
    machine.MachineService/EtcdRemoveMemberByID
    machine.MachineService/EtcdSnapshot                         operator backup
    machine.MachineService/EtcdStatus                           reader operator backup
    machine.MachineService/Events                               reader operator
    machine.MachineService/GenerateClientConfiguration
    machine.MachineService/Hostname                             reader operator
    machine.MachineService/ImageList                            reader operator
    machine.MachineService/ImagePull                            operator
    machine.MachineService/Kubeconfig
    machine.MachineService/List                                 reader operator
    machine.MachineService/LoadAvg                              reader operator
    machine.MachineService/Logs                                 reader operator
    machine.MachineService/LogsContainers                       reader operator
    machine.MachineService/Memory                               reader operator
    machine.MachineService/MetaDelete
    machine.MachineService/MetaWrite
    machine.MachineService/Mounts                               reader operator
    machine.MachineService/Netstat                              reader operator
    machine.MachineService/NetworkDeviceStats                   reader operator
    machine.MachineService/PacketCapture                        operator
    machine.MachineService/Processes                            reader operator
    machine.MachineService/Read
    machine.MachineService/Reboot                               operator
    machine.MachineService/Reset
    machine.MachineService/Restart                              operator
    machine.MachineService/Rollback
    machine.MachineService/ServiceList                          reader operator
    machine.MachineService/ServiceRestart                       operator
    machine.MachineService/ServiceStart                         operator
    machine.MachineService/ServiceStop                          operator
    machine.MachineService/Shutdown                             operator
    machine.MachineService/Stats                                reader operator
    machine.MachineService/SystemStat                           reader operator
    machine.MachineService/Upgrade
    machine.MachineService/Version                              reader operator
    storage.StorageService/BlockDeviceWipe
    storage.StorageService/Disks                                reader operator
    time.TimeService/Time                                       reader operator
    time.TimeService/TimeCheck                                  reader operator
";

const DENIED: i32 = 7;
const UNIMPLEMENTED: i32 = 12;

/// Somebody with these roles, by the word of an administrator.
pub async fn somebody(world: &World, roles: &[&str]) -> Client {
    let admin = Client::administrator(world);
    let request = GenerateClientConfigurationRequest {
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        crt_ttl: Some(prost_types::Duration { seconds: 3600, nanos: 0 }),
    };
    let name = method("GenerateClientConfiguration");
    let made: GenerateClientConfigurationResponse = admin.ask(world, "first", &name, &request).await.unwrap();
    Client::of(world, std::str::from_utf8(&made.messages[0].talosconfig).unwrap())
}

/// Whether this client may make a call at all. What else is wrong with it doesn't matter.
async fn may(world: &World, client: &Client, call: &str) -> bool {
    // A message that is none: whoever is let in is told so, and nothing happens.
    let torn = talos::api::common::Error { code: 1, message: String::new(), details: Vec::new() };
    let answers = client.begin(world, "second", call, &[], &torn).await;
    let first = match answers {
        Ok(mut answers) => answers.next::<()>().await.map(drop),
        Err(refused) => Err(refused),
    };
    first.err() != Some((DENIED, "not authorized".to_owned()))
}

#[test]
fn every_call_is_for_those_whose_roles_allow_it() {
    within(WORLD, async |world| {
        let clients = [
            ("reader", somebody(&world, &["os:reader"]).await),
            ("operator", somebody(&world, &["os:operator"]).await),
            ("backup", somebody(&world, &["os:etcd:backup"]).await),
        ];
        let nobody = somebody(&world, &["os:nothing"]).await;
        for line in CALLS.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = line.split_whitespace();
            let call = words.next().unwrap();
            let allowed: Vec<&str> = words.collect();
            for (role, client) in &clients {
                assert_eq!(may(&world, client, call).await, allowed.contains(role), "{role} {call}");
            }
            assert!(!may(&world, &nobody, call).await, "{call}");
        }
    });
}

#[test]
fn an_administrator_is_never_told_that_he_may_not() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        for call in ["Read", "Copy", "Kubeconfig", "ServiceList", "EtcdMemberList"] {
            assert!(may(&world, &admin, &method(call)).await, "{call}");
        }
    });
}

#[test]
fn several_roles_allow_what_any_of_them_does() {
    within(WORLD, async |world| {
        let both = somebody(&world, &["os:etcd:backup", "os:reader"]).await;
        assert!(may(&world, &both, &method("EtcdSnapshot")).await);
        assert!(may(&world, &both, &method("Version")).await);
        assert!(!may(&world, &both, &method("Reboot")).await);
    });
}

#[test]
fn a_role_is_looked_at_by_the_node_that_is_meant_and_not_by_the_one_between() {
    within(WORLD, async |world| {
        let reader = somebody(&world, &["os:reader"]).await;
        let reset = ResetRequest::default();
        let answer: Result<Vec<ResetResponse>, _> =
            reader.all(&world, "first", &method("Reset"), &[("node", "10.0.0.3")], &reset).await;
        assert_eq!(answer.unwrap_err(), (DENIED, "not authorized".to_owned()));
    });
}

#[test]
fn what_a_version_lacks_is_unimplemented_and_no_gap_of_the_world() {
    for (version, call, message) in [
        ("v1.11.5", "machine.LifecycleService/Upgrade", "unknown service machine.LifecycleService"),
        ("v1.12.3", "machine.ImageService/Pull", "unknown service machine.ImageService"),
        ("v1.13.0", "machine.StorageService/Statfs", "unknown service machine.StorageService"),
        (
            "v1.10.9",
            "machine.MachineService/EtcdDowngradeValidate",
            "unknown method EtcdDowngradeValidate for service machine.MachineService",
        ),
        (
            "v1.13.0",
            "machine.MachineService/GenerateConfiguration",
            "unknown method GenerateConfiguration for service machine.MachineService",
        ),
    ] {
        let text = WORLD.replace("first: {", &format!("first: {{version: {version}, "));
        within(&text, async |world| {
            let admin = Client::administrator(&world);
            let answer: Result<(), _> = admin.ask(&world, "first", call, &()).await;
            assert_eq!(answer, Err((UNIMPLEMENTED, message.to_owned())), "{version}");
            assert_eq!(world.unmodelled.all(), [] as [String; 0]);
        });
    }
}

#[test]
fn what_has_no_model_is_refused_by_its_name_and_the_world_says_so() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let answer: Result<(), _> = admin.ask(&world, "first", &method("PacketCapture"), &()).await;
        let message = "unknown method PacketCapture for service machine.MachineService".to_owned();
        assert_eq!(answer, Err((UNIMPLEMENTED, message)));
        assert_eq!(
            world.unmodelled.all(),
            ["first /machine.MachineService/PacketCapture: nodes have no model of this"]
        );
    });
}
