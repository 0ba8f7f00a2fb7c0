//! The source-controller's HelmCharts: each a chart of a repository.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;

use super::{
    super::{Name, Tools, fields::Fields},
    fetch::{self, Failed},
    kinds::{self, Source},
    lives::{Keeper, Next},
    progress::{Work, is_fetched, is_news},
    sources::{not_fetched, stored},
};
use crate::kubernetes::{answer::Refusal, store::Change};

/// How long it takes to pull one.
const PULLING: Duration = Duration::from_millis(600);

pub struct Charts;

impl Keeper for Charts {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        if &*change.key.resource == kinds::HELM_CHART.stored {
            return if is_news(change) { vec![Name::changed(change)] } else { Vec::new() };
        }
        if &*change.key.resource != kinds::HELM_REPOSITORY.stored || !is_fetched(change) {
            return Vec::new();
        }
        let all = tools.client.cluster().store.list(&kinds::HELM_CHART.stored.into(), Some(&change.key.namespace)).1;
        let from = all.into_iter().filter(|(_, chart)| chart.text("/spec/sourceRef/name") == change.key.name);
        from.map(|(key, _)| Name { namespace: key.namespace, name: key.name }).collect()
    }

    fn keep<'k>(&'k self, tools: &'k Tools, name: &'k Name) -> BoxFuture<'k, Result<Next, Refusal>> {
        Box::pin(async move {
            let Some(mut work) = Work::begin(tools, &kinds::HELM_CHART, name).await? else { return Ok(Next::Gone) };
            if work.object.is_going() {
                work.let_go().await?;
                return Ok(Next::Gone);
            }
            if work.is_suspended() {
                return Ok(Next::Never);
            }
            let next = pull(&mut work).await?;
            work.handled();
            work.save().await?;
            Ok(next)
        })
    }
}

async fn pull(work: &mut Work<'_>) -> Result<Next, Refusal> {
    if !work.object.has("/status/artifact") {
        work.doing("building artifact");
        work.mark("Ready", "Unknown", "Progressing", "building artifact");
        work.save().await?;
    }
    let source = Source::of(&work.object, work.object.at("/spec/sourceRef"));
    let Some(source) = source.filter(|source| source.kind == kinds::HELM_REPOSITORY.name) else {
        work.not_modelled("charts in the folders of repositories");
        return Ok(Next::Never);
    };
    let there = Name { namespace: source.namespace.clone(), name: source.name.clone() };
    let Some(repository) = work.tools.there(kinds::HELM_REPOSITORY.stored, &there) else {
        let message =
            format!("failed to get source: HelmRepository.source.toolkit.fluxcd.io {:?} not found", source.name);
        let why = Failed { reason: "SourceUnavailable", message, stalls: false };
        return Ok(not_fetched(work, &why, "Warning").await);
    };
    let is_index = repository.text("/spec/type") != "oci";
    let revision = repository.text("/status/artifact/revision");
    if is_index && revision.is_empty() {
        let message = format!("no artifact available for HelmRepository source '{}'", source.name);
        let why = Failed { reason: "NoSourceArtifact", message, stalls: false };
        return Ok(not_fetched(work, &why, "Normal").await);
    }
    tokio::time::sleep(PULLING).await;
    let chart = match fetch::chart(work.tools, &work.object, &repository) {
        Ok(chart) => chart,
        Err(why) => return Ok(not_fetched(work, &why, "Warning").await),
    };
    let artifact = fetch::packed_chart(&chart);
    stored(work, &artifact, ("ChartPullSucceeded", &artifact.told)).await;
    work.status().insert("observedChartName".to_owned(), json!(chart.name));
    if is_index {
        work.status().insert("observedSourceArtifactRevision".to_owned(), json!(revision));
    }
    Ok(Next::After(work.interval()))
}
