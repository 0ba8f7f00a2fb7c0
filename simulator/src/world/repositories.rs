//! Repositories, as the world's file has them, and the charts that are in them.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{
    charts,
    description::{self, Description},
};
use crate::{
    duration::Length,
    kubernetes::{
        cluster::Cluster,
        repositories::{Holds, Repository, Revision, plain},
    },
    time::During,
};

/// Lets a cluster have the charts of its world and fetch from its repositories, whose times count from the world's beginning.
pub fn supply(whole: &Description, cluster: &Cluster, begins: Instant) {
    charts::publish(whole, cluster);
    cluster.repositories.publish(whole.repositories.0.iter().map(|(url, described)| of(url, described, begins)));
}

fn of(url: &str, described: &description::Repository, begins: Instant) -> Repository {
    let at = |Length(length): Length| begins + length;
    let during = |period: &description::Period| During { from: period.from.map(at), until: period.until.map(at) };
    let revision = |revision: &description::Revision| Revision {
        // What has no time was there before anybody looked.
        from: revision.from.map_or_else(Instant::now, at),
        names: revision.names.clone(),
        message: revision.message.clone().unwrap_or_else(|| "a change".to_owned()),
        files: files(revision),
    };
    Repository {
        url: url.to_owned(),
        login: described.login,
        down: described.down.iter().map(during).collect(),
        holds: match described.charts.as_slice() {
            [] => Holds::Manifests(described.revisions.iter().map(revision).collect()),
            charts => Holds::Charts(charts.to_vec()),
        },
    }
}

/// Its files, of which each object is one.
fn files(revision: &description::Revision) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> =
        revision.files.iter().map(|(path, text)| (plain(path), text.clone())).collect();
    for (folder, objects) in &revision.folders.0 {
        for (index, object) in objects.iter().filter_map(charts::inline).enumerate() {
            files.insert(plain(&format!("{folder}/{index:03}.yaml")), object.to_string());
        }
    }
    files
}
