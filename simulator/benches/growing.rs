//! How what a world takes grows with its nodes.

use std::time::{Duration, Instant};

use serde_json::json;
use simulator::{kubernetes::control_plane, time::Calendar};

use crate::Row;

const NODES: [usize; 3] = [10, 100, 1_000];

/// How long each world goes on, in its own time.
const LASTS: Duration = Duration::from_secs(60);

pub fn rows() -> Vec<Row> {
    let times = NODES.map(lived);
    let per_node = |at: usize| times[at].as_secs_f64() / f64::from(u32::try_from(NODES[at]).expect("there are few"));
    let told = NODES.iter().zip(&times).map(|(nodes, time)| {
        Row::told(format!("a minute of a world of {nodes} nodes"), format!("{:.0} ms", time.as_secs_f64() * 1000.0))
    });
    let mut rows: Vec<Row> = told.collect();
    let growth = per_node(2) / per_node(1);
    rows.push(Row::told("… a node of 1,000 beside one of 100", format!("{growth:.2}×")).held("≤2×", growth <= 2.0));
    rows
}

/// How long it takes to live through a world of so many nodes.
fn lived(nodes: usize) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime can be had").block_on(async {
        let start = "2026-01-01T09:00:00Z".parse().expect("it is a time");
        let cluster = control_plane::begin(Calendar::beginning(start), 1);
        for at in 0..nodes {
            let amounts = json!({"cpu": "4", "memory": "16Gi", "pods": "110"});
            let node = json!({
                "apiVersion": "v1", "kind": "Node", "metadata": {}, "spec": {},
                "status": {"allocatable": amounts, "capacity": amounts, "conditions": [{"type": "Ready", "status": "True"}]},
            });
            cluster.begin_with("nodes", "", &format!("node-{at}"), node);
        }
        let begun = Instant::now();
        tokio::time::sleep(LASTS).await;
        begun.elapsed()
    })
}
