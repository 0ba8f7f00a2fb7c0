//! Charts that a cluster can get: what each makes, how long that takes, and what it needs first.
//!
//! Whoever installs them asks here. Nothing is run: a chart is data, and its objects are as they are written, but for what
//! releases fill in.

pub mod fill;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

use self::fill::Release;
use super::{
    client::Client,
    manifests::{self, Unfit},
};

/// One version of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    pub name: String,
    pub version: String,
    pub app_version: Option<String>,
    /// What releases fill in that say nothing else.
    pub values: Value,
    /// The charts that have to be installed before.
    pub needs: Vec<String>,
    /// One after the other.
    pub parts: Vec<Part>,
}

/// Objects that are there at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// How long it takes until they are.
    pub takes: Duration,
    /// Only if this value is true, or something else than nothing.
    pub only_if: Option<String>,
    pub objects: Vec<Value>,
}

/// Why a chart is not installed.
#[derive(Debug, Clone, PartialEq)]
pub enum Failed {
    NoSuchChart,
    /// There are only these.
    NoSuchVersion(Vec<String>),
    /// These are not installed.
    Needs(Vec<String>),
    /// One of its objects, by kind and name, can't be there.
    Object(String, Unfit),
}

/// The charts of a cluster.
#[derive(Default)]
pub struct Charts {
    known: Mutex<Vec<Arc<Chart>>>,
    installed: Mutex<BTreeSet<String>>,
}

impl Charts {
    /// From now on these can be had; the last version of a name is its newest.
    pub fn publish(&self, charts: impl IntoIterator<Item = Arc<Chart>>) {
        lock(&self.known).extend(charts);
    }

    /// The versions of a chart, the newest last.
    pub fn versions(&self, name: &str) -> Vec<Arc<Chart>> {
        lock(&self.known).iter().filter(|chart| chart.name == name).cloned().collect()
    }

    /// A chart of a version, or the newest.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(&self, name: &str, version: Option<&str>) -> Result<Arc<Chart>, Failed> {
        let versions = self.versions(name);
        if versions.is_empty() {
            return Err(Failed::NoSuchChart);
        }
        let wanted = |chart: &&Arc<Chart>| version.is_none_or(|version| chart.version == version);
        let found = versions.iter().rev().find(wanted).cloned();
        found.ok_or_else(|| Failed::NoSuchVersion(versions.iter().map(|chart| chart.version.clone()).collect()))
    }

    pub fn is_installed(&self, name: &str) -> bool {
        lock(&self.installed).contains(name)
    }

    /// What a chart needs and is not there.
    pub fn missing(&self, chart: &Chart) -> Vec<String> {
        let installed = lock(&self.installed);
        chart.needs.iter().filter(|name| !installed.contains(*name)).cloned().collect()
    }

    /// It is gone; its objects are its installer's business.
    pub fn forget(&self, name: &str) {
        lock(&self.installed).remove(name);
    }
}

/// Installs a chart into a namespace: its objects are there over time.
///
/// # Errors
/// If what it needs is not there, or one of its objects can't be; what was made before stays.
pub async fn install(client: &Client, chart: &Chart, namespace: &str) -> Result<(), Failed> {
    let charts = &client.cluster().charts;
    let missing = charts.missing(chart);
    if !missing.is_empty() {
        return Err(Failed::Needs(missing));
    }
    let release = Release { name: &chart.name, namespace, chart, values: &chart.values };
    for (takes, objects) in release.parts() {
        tokio::time::sleep(takes).await;
        for object in &objects {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let what = || format!("{} `{}`", text(&object["kind"]), text(&object["metadata"]["name"]));
            manifests::create(client, object, namespace).await.map_err(|unfit| Failed::Object(what(), unfit))?;
        }
    }
    lock(&charts.installed).insert(chart.name.clone());
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
