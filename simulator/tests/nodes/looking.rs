//! What is on a node: files, containers, and what they write.

use std::io::Read as _;

use talos::api::{
    common::{ContainerDriver, Data},
    machine::{
        ContainersRequest, ContainersResponse, CopyRequest, DiskUsageInfo, DiskUsageRequest, DmesgRequest, FileInfo,
        ListRequest, LogsRequest, ReadRequest, list_request::Type,
    },
};

use super::{Client, Refused, WORLD, client::Answers, method, reboot, seconds};
use crate::lived::within;

/// The same with a pod that says something every ten seconds.
const TALKING: &str = "
clusters:
  lab:
    server: 'lab.example.test:6443'
    objects:
    - {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: default}, spec: {containers: [{name: web, image: 'web:1'}]}}
    pods:
    - {image: 'web:1', log: [{says: hello, every: 10s}]}
machines:
  first: {cluster: lab, address: 10.0.0.2}
  second: {cluster: lab, role: worker, address: 10.0.0.3}
";

#[test]
fn folders_are_listed_as_deep_and_as_filtered_as_is_asked_for() {
    let list = |root: &str| ListRequest { root: root.to_owned(), ..ListRequest::default() };
    let deep = |root: &str, recursion_depth| ListRequest { recurse: true, recursion_depth, ..list(root) };
    let only = |kind: Type| ListRequest { types: vec![kind.into()], ..list("/etc") };
    for (request, expected) in [
        (list("/etc"), vec![". dir", "hostname 7", "hosts 77", "os-release 71", "resolv.conf 38"]),
        (list("/proc/sys"), vec![". dir", "kernel dir"]),
        (deep("/proc/sys", 1), vec![". dir", "kernel dir"]),
        (deep("/proc/sys", 2), vec![". dir", "kernel dir", "kernel/hostname 7", "kernel/random dir"]),
        (
            deep("/proc/sys", 0),
            vec![". dir", "kernel dir", "kernel/hostname 7", "kernel/random dir", "kernel/random/boot_id 37"],
        ),
        (list("/etc/hostname"), vec!["hostname 7"]),
        (list("bin"), vec!["bin -> usr/bin"]),
        (only(Type::Directory), vec![". dir"]),
        (only(Type::Symlink), vec![]),
    ] {
        within(WORLD, async |world| {
            let admin = Client::administrator(&world);
            let shown: Vec<FileInfo> = admin.all(&world, "second", &method("List"), &[], &request).await.unwrap();
            let shown: Vec<String> = shown
                .iter()
                .map(|file| match (file.is_dir, file.link.as_str()) {
                    (true, _) => format!("{} dir", file.relative_name),
                    (false, "") => format!("{} {}", file.relative_name, file.size),
                    (false, link) => format!("{} -> {link}", file.relative_name),
                })
                .collect();
            assert_eq!(shown, expected, "{request:?}");
        });
    }
}

#[test]
fn what_is_in_folders_is_counted_with_the_folders_last() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let request =
            DiskUsageRequest { all: true, paths: vec!["/proc/sys".to_owned()], ..DiskUsageRequest::default() };
        let counted: Vec<DiskUsageInfo> =
            admin.all(&world, "second", &method("DiskUsage"), &[], &request).await.unwrap();
        let counted: Vec<(&str, i64)> = counted.iter().map(|file| (file.relative_name.as_str(), file.size)).collect();
        assert_eq!(
            counted,
            [
                ("kernel/hostname", 7),
                ("kernel/random/boot_id", 37),
                ("kernel/random", 4133),
                ("kernel", 8236),
                (".", 12332)
            ]
        );
    });
}

#[test]
fn a_folder_is_copied_as_an_archive_that_has_an_end() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let copy = |path: &str| CopyRequest { root_path: path.to_owned() };
        let pieces: Vec<Data> = admin.all(&world, "second", &method("Copy"), &[], &copy("/proc/sys")).await.unwrap();
        let packed: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.bytes).collect();
        let mut archive = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut archive).unwrap();
        let names: Vec<&str> = (0..archive.len() / 512 - 2)
            .map(|block| &archive[block * 512..])
            .filter(|block| &block[257..262] == b"ustar")
            .map(|block| std::str::from_utf8(&block[..100]).unwrap().trim_end_matches('\0'))
            .collect();
        assert_eq!(names, ["kernel/", "kernel/hostname", "kernel/random/", "kernel/random/boot_id"]);
        assert!(archive.ends_with(&[0; 1024]));
        let absent: Vec<Data> = admin.all(&world, "second", &method("Copy"), &[], &copy("/nowhere")).await.unwrap();
        assert_eq!(absent[0].metadata.as_ref().unwrap().error, "stat /nowhere: no such file or directory");
    });
}

#[test]
fn a_file_that_the_world_knows_nothing_of_is_named() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let read = |path: &str| ReadRequest { path: path.to_owned() };
        let answer: Result<Vec<Data>, Refused> =
            admin.all(&world, "second", &method("Read"), &[], &read("/etc/cni/net.d")).await;
        assert_eq!(answer, Err((5, "stat /etc/cni/net.d: no such file or directory".to_owned())));
        assert_eq!(world.unmodelled.all(), ["second read /etc/cni/net.d: nodes have no model of this file"]);
        let folder: Result<Vec<Data>, Refused> = admin.all(&world, "second", &method("Read"), &[], &read("/etc")).await;
        assert_eq!(folder, Err((2, "path must be a regular file".to_owned())));
    });
}

/// The pieces of a stream that come in so many seconds, each with the second in which it came; and how it ended, if it did.
async fn heard(mut answers: Answers, length: u64) -> Vec<String> {
    let began = tokio::time::Instant::now();
    let mut heard = Vec::new();
    loop {
        let left = std::time::Duration::from_secs(length).saturating_sub(began.elapsed());
        let next = tokio::time::timeout(left, answers.next::<Data>()).await;
        let second = began.elapsed().as_secs();
        match next {
            Err(_) => return heard,
            Ok(Ok(Some(piece))) => {
                let text = String::from_utf8(piece.bytes).unwrap();
                heard.push(format!("{second}s {}", text.trim_end().rsplit(": ").next().unwrap_or_default()));
            }
            Ok(Ok(None)) => {
                heard.push(format!("{second}s end"));
                return heard;
            }
            Ok(Err((code, _))) => {
                heard.push(format!("{second}s broken {code}"));
                return heard;
            }
        }
    }
}

#[test]
fn the_log_of_the_kernel_is_followed_as_it_is_written_until_the_node_goes() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let new = DmesgRequest { follow: true, tail: true };
        let answers = admin.begin(&world, "second", &method("Dmesg"), &[], &new).await.unwrap();
        seconds(5).await;
        reboot(&world, &admin, "second").await;
        let heard = heard(answers, 60).await;
        assert_eq!(heard.last().unwrap(), "8s broken 14", "{heard:?}");
        let all = DmesgRequest::default();
        seconds(60).await;
        let answers = admin.begin(&world, "second", &method("Dmesg"), &[], &all).await.unwrap();
        let heard = super::looking::heard(answers, 60).await;
        assert!(heard[0].contains("Linux version") && heard.last().unwrap() == "0s end", "{heard:?}");
    });
}

#[test]
fn the_end_of_a_log_is_told_and_then_what_comes() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let logs = |follow, tail_lines| LogsRequest {
            namespace: "system".to_owned(),
            id: "machined".to_owned(),
            follow,
            tail_lines,
            ..LogsRequest::default()
        };
        let answers = admin.begin(&world, "second", &method("Logs"), &[], &logs(false, 1)).await.unwrap();
        let whole = heard(answers, 5).await;
        assert_eq!(whole, ["0s done", "0s end"]);
        let answers = admin.begin(&world, "second", &method("Logs"), &[], &logs(true, 0)).await.unwrap();
        seconds(2).await;
        let restart = talos::api::machine::ServiceRestartRequest { id: "kubelet".to_owned() };
        let _: talos::api::machine::ServiceRestartResponse =
            admin.ask(&world, "second", &method("ServiceRestart"), &restart).await.unwrap();
        let heard = heard(answers, 5).await;
        assert_eq!(heard.len(), 4, "{heard:?}");
    });
}

#[test]
fn containers_of_services_and_of_pods_are_told_apart() {
    within(TALKING, async |world| {
        let admin = Client::administrator(&world);
        seconds(30).await;
        for (node, driver, namespace, expected) in [
            ("first", ContainerDriver::Containerd, "system", vec!["apid RUNNING", "trustd RUNNING"]),
            ("second", ContainerDriver::Containerd, "system", vec!["apid RUNNING"]),
            ("second", ContainerDriver::Containerd, "elsewhere", vec![]),
        ] {
            let request = ContainersRequest { namespace: namespace.to_owned(), driver: driver.into() };
            let told: ContainersResponse = admin.ask(&world, node, &method("Containers"), &request).await.unwrap();
            let told = &told.messages[0].containers;
            let told: Vec<String> = told.iter().map(|known| format!("{} {}", known.id, known.status)).collect();
            assert_eq!(told, expected, "{node}");
        }
        let pods = ContainersRequest { namespace: "k8s.io".to_owned(), driver: ContainerDriver::Cri.into() };
        let told: ContainersResponse = admin.ask(&world, "second", &method("Containers"), &pods).await.unwrap();
        let own: Vec<_> = told.messages[0].containers.iter().filter(|known| known.pod_id == "default/web").collect();
        assert_eq!(own[0].id, "default/web");
        assert_eq!(own[1].id, format!("default/web:web:{}", &own[1].internal_id[..12]));
        assert_eq!((own[1].image.as_str(), own[1].status.as_str()), ("web:1", "CONTAINER_RUNNING"));
    });
}

#[test]
fn the_log_of_a_container_is_followed_as_its_file_has_it() {
    within(TALKING, async |world| {
        let admin = Client::administrator(&world);
        seconds(30).await;
        let logs = |id: &str, follow| LogsRequest {
            namespace: "k8s.io".to_owned(),
            id: id.to_owned(),
            driver: ContainerDriver::Cri.into(),
            follow,
            tail_lines: 1,
        };
        let follow = logs("default/web:web", true);
        let answers = admin.begin(&world, "second", &method("Logs"), &[], &follow).await.unwrap();
        let heard = heard(answers, 35).await;
        // The last one of before, and one every ten seconds.
        assert_eq!(heard.len(), 5, "{heard:?}");
        assert!(heard.iter().all(|line| line.ends_with("stdout F hello")), "{heard:?}");
        for absent in ["default/web:other", "default/nobody:web", "web"] {
            let answer: Result<Vec<Data>, Refused> =
                admin.all(&world, "second", &method("Logs"), &[], &logs(absent, false)).await;
            assert_eq!(answer, Err((2, format!("container {absent:?} not found"))));
        }
    });
}
