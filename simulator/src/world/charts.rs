//! Charts, as the world's file has them.

use std::sync::Arc;

use super::description::{self, Cluster, Description, Object};
use crate::kubernetes::{
    charts::{Chart, Failed, Part, install as install_chart},
    client::Client,
    manifests::Unfit,
};

/// Where charts of the file's own are installed that say nothing else.
const NAMESPACE: &str = "default";

/// Installs the charts that a cluster has from the beginning.
///
/// # Errors
/// If one of them can't be installed.
pub async fn install(described: &Cluster, client: &Client) -> Result<(), String> {
    let charts = &client.cluster().charts;
    for named in &described.charts {
        let (name, version) = split(named);
        let fails = |failed: Failed| format!("the chart `{named}` can't be installed: {}", words(&failed));
        let mut chart = (*charts.find(name, version).map_err(fails)?).clone();
        // It was there before anybody looked.
        chart.parts.iter_mut().for_each(|part| part.takes = std::time::Duration::ZERO);
        install_chart(client, &chart, NAMESPACE).await.map_err(fails)?;
    }
    Ok(())
}

/// Lets a cluster have the charts of its world.
pub fn publish(whole: &Description, cluster: &crate::kubernetes::cluster::Cluster) {
    let all = whole.charts.0.iter();
    cluster.charts.publish(all.flat_map(|(name, versions)| versions.iter().map(|one| Arc::new(of(name, one)))));
}

/// `cilium@1.17.0`, or `cilium` for the newest.
pub fn split(named: &str) -> (&str, Option<&str>) {
    named.split_once('@').map_or((named, None), |(name, version)| (name, Some(version)))
}

fn of(name: &str, described: &description::Chart) -> Chart {
    let part = |part: &description::Part| Part {
        takes: part.takes.unwrap_or_default().0,
        only_if: part.only_if.clone(),
        objects: part.objects.iter().filter_map(inline).collect(),
    };
    Chart {
        name: name.to_owned(),
        version: described.version.clone(),
        app_version: described.app_version.clone(),
        values: described.values.clone().into(),
        needs: described.needs.clone(),
        parts: described.parts.iter().map(part).collect(),
    }
}

pub fn inline(object: &Object) -> Option<serde_json::Value> {
    match object {
        Object::Inline(object) => Some(object.clone()),
        // Reading has put objects in place of the files.
        Object::File(_) => None,
    }
}

fn words(failed: &Failed) -> String {
    match failed {
        Failed::NoSuchChart => "there is none".to_owned(),
        Failed::NoSuchVersion(versions) => format!("there are only {}", versions.join(", ")),
        Failed::Needs(charts) => format!("it needs {} first", charts.join(", ")),
        Failed::Object(what, Unfit::NoSuchKind(api_version, _)) => {
            format!("{what} is of a kind that the cluster does not have: `{api_version}`")
        }
        Failed::Object(what, Unfit::Refused(refusal)) => format!("{what} can't be there: {}", refusal.message),
    }
}
