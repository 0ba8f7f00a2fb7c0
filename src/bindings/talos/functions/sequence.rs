//! Telling a node to go through something that ends in another boot, or in none: what all of these have in common.

use std::time::Duration;

use futures::future::BoxFuture;
use rhai::NativeCallContext;
use serde_json::{Value, json};

use crate::{
    bindings::talos::{
        machines::Talos,
        probe::{self, Whereabouts},
        reach::Node,
    },
    host::{
        effect::{Effect, digest},
        wait::Waiting,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
    },
};

/// How long a wait pauses between two looks.
pub const PAUSE: Duration = Duration::from_secs(2);

/// Something that a node is told to do with itself.
pub struct Sequence<'t> {
    pub talos: &'t Talos,
    pub node: Node,
    pub verb: &'static str,
    /// What is sent, so that another request is another change.
    pub asked: String,
    pub destroys: Option<Vec<String>>,
    /// How long the node may take to say that it will.
    pub answer: Duration,
    pub send: BoxFuture<'static, Result<(), Fault>>,
    /// What its whereabouts say of whether it was told already, if they say it; else why not.
    pub judge: fn(&Whereabouts) -> Result<bool, String>,
}

/// Tells the node, and gives the boot in which it was told; none if only others may know.
pub fn begin(context: &NativeCallContext, sequence: Sequence<'_>) -> Outcome<Option<String>> {
    let Sequence { talos, node, verb, asked, destroys, answer, send, judge } = sequence;
    let effect = Effect {
        verb: verb.to_owned(),
        object: format!("{talos}: node {node}"),
        digest: digest(&[talos.to_string().as_bytes(), node.to_string().as_bytes(), verb.as_bytes(), asked.as_bytes()]),
        repeatable: false,
        destroys,
    };
    let changed = |boot: Option<String>, detail: &str| Changed {
        kept: json!(boot),
        value: boot,
        detail: Some(detail.to_owned()),
    };
    let (told, looked) = (node.clone(), node);
    context.change(Change {
        effect,
        deadline: answer,
        perform: Box::new(move |_| {
            Box::pin(async move {
                let boot = probe::known_boot(&told).await?;
                send.await?;
                Ok(changed(boot, "begun"))
            })
        }),
        recall: Box::new(|kept: Value| Box::pin(async move { Ok(kept.as_str().map(str::to_owned)) })),
        settle: Box::pin(async move {
            let found = probe::whereabouts(&looked).await;
            Ok(match judge(&found) {
                Ok(true) => Settled::Happened(changed(None, "begun")),
                Ok(false) => Settled::DidNot,
                Err(why) => Settled::Unknown { why, assumed: changed(None, "begun") },
            })
        }),
    })
}

/// Waits until a node runs in another boot than that in which it was told.
pub fn booted(context: &NativeCallContext, node: &Node, before: Option<String>, timeout: Duration) -> Outcome<()> {
    let waiting = Waiting::until(format!("node {node} to boot"), timeout);
    let node = node.clone();
    context.wait(waiting, |progress| async move {
        match before {
            Some(before) => drop(probe::boot(&node, &before, PAUSE, &progress).await),
            // Which boot it was is not known: one that lacks nothing has booted.
            None => drop(probe::ready(&node, PAUSE, &progress).await),
        }
        Ok(())
    })
}

/// An option that is one of several words.
pub fn word<T: Copy>(function: &str, option: &str, given: &str, words: &[(&str, T)]) -> Result<T, Fault> {
    words.iter().find(|(word, _)| *word == given).map(|(_, meant)| *meant).ok_or_else(|| {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        Fault::new(Kind::Usage, format!("option `{option}` of `{function}` is no `{given}`"))
            .hint(format!("it is one of {}", words.join(", ")))
    })
}
