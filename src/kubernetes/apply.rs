//! Applying many documents: what others need first, then all at once, and a failed one hides no other.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::{StreamExt, future::BoxFuture, stream};

use super::{
    before::{self, Before},
    change::{Applying, Validation},
    client::{Cluster, MANAGER},
    difference::{self, Field},
    established, hindrance,
    named::Named,
    object::{self, name, namespace},
    order, ownership, undeclared,
};
use crate::{
    host::{cancel::Cancel, wait::Progress},
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// The pauses between tries of what another part of the cluster needs a moment for.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often unknown fields are left out of a document: servers name those of one part at a time.
const LEAVINGS: usize = 10;

/// How documents are applied.
#[derive(Clone)]
pub struct Manner {
    /// Takes over fields that others own.
    pub force: bool,
    /// Nothing is changed; it is only found out what would be.
    pub dry: bool,
    /// Who owns the fields then.
    pub manager: &'static str,
    pub validation: Validation,
    /// For documents that name none.
    pub namespace: String,
    /// How many requests are under way at once.
    pub at_once: usize,
    /// Until when, on the host's clock, something is tried again.
    pub until: Duration,
    /// Once this is stopped, nothing more is begun.
    pub cancel: Cancel,
}

/// How one document ended.
#[derive(Debug, Clone)]
pub struct Applied {
    /// As it was; none if it was not there, or could not be read.
    pub before: Option<Tree>,
    /// As it is now.
    pub object: Tree,
    pub ending: Ending,
}

/// What came of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    Created,
    Changed(Vec<Field>),
    Unchanged,
    /// It was there already, and this user may not read what it was.
    Applied,
}

/// Applies the documents, and says of each how it ended.
pub async fn apply(
    cluster: &Cluster,
    documents: &[Tree],
    manner: &Manner,
    progress: &Progress,
) -> Vec<Result<Applied, Fault>> {
    let work = Work { cluster, manner, progress, answered: AtomicBool::new(false), made: made(documents) };
    let mut ended: Vec<Option<Result<Applied, Fault>>> = vec![None; documents.len()];
    for stage in order::stages(documents) {
        let batch: Vec<&Tree> = stage.iter().map(|place| &documents[*place]).collect();
        let known = before::look(cluster, &batch, &manner.namespace).await;
        let each = stage.iter().zip(known).map(|(place, before)| {
            let (place, work) = (*place, &work);
            let applied = async move { (place, work.one(&documents[place], before).await) };
            // Boxed, so that the compiler need not see through the borrow of each document.
            Box::pin(applied) as BoxFuture<'_, _>
        });
        let each: Vec<_> = each.collect();
        let mut each = stream::iter(each).buffer_unordered(manner.at_once);
        while let Some((place, result)) = each.next().await {
            ended[place] = Some(result);
        }
        if !manner.dry {
            establish(cluster, &stage, &mut ended).await;
        }
    }
    ended.into_iter().map(|result| result.expect("each document is in one stage")).collect()
}

struct Work<'w> {
    cluster: &'w Cluster,
    manner: &'w Manner,
    progress: &'w Progress,
    /// True once the server has answered: then it is worth waiting for when it goes away.
    answered: AtomicBool,
    made: Made,
}

/// What the documents themselves make, which is missing as long as nothing is kept.
#[derive(Default)]
struct Made {
    namespaces: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

fn made(documents: &[Tree]) -> Made {
    let mut made = Made::default();
    for document in documents {
        match object::kind(document) {
            "Namespace" => made.namespaces.insert(name(document).to_owned()),
            "CustomResourceDefinition" => {
                made.kinds.insert(object::text(document, &["spec", "names", "kind"]).unwrap_or_default().to_owned())
            }
            _ => continue,
        };
    }
    made
}

impl Work<'_> {
    async fn one(&self, document: &Tree, mut before: Before) -> Result<Applied, Fault> {
        let mut document = document.clone();
        object::strip_managed_fields(&mut document);
        let (mut tries, mut left_out) = (0, 0);
        loop {
            if let Some(reason) = self.manner.cancel.reason() {
                let message = format!("{} was not applied: {reason}", shown(&document));
                return Err(Fault::new(Kind::Failed, message));
            }
            let fault = match self.attempt(&document, &mut before).await {
                Ok(applied) => return Ok(applied),
                Err(fault) => fault,
            };
            if self.manner.dry && self.is_yet_to_be_made(&document, &fault) {
                return Ok(Applied { before: None, object: document, ending: Ending::Created });
            }
            if self.manner.validation != Validation::Strict && left_out < LEAVINGS {
                let fields = undeclared::leave_out(&mut document, &fault);
                if !fields.is_empty() {
                    left_out += 1;
                    self.tell_left_out(&document, &fields);
                    continue;
                }
            }
            let answered = self.answered.load(Ordering::Relaxed);
            let Some(why) = hindrance::that_passes(&fault, tries, answered) else { return Err(fault) };
            let pause = (FIRST_PAUSE * 2_u32.pow(tries.min(8))).min(LONGEST_PAUSE);
            let clock = &self.cluster.host().clock;
            if clock.elapsed() + pause >= self.manner.until {
                return Err(fault);
            }
            self.progress.because(format!("{}: {why}", shown(&document)));
            if fault.kind == Kind::Unsupported {
                self.cluster.kinds().forget();
            }
            tokio::select! {
                biased;
                () = clock.sleep(pause) => {}
                () = self.manner.cancel.stopped() => {}
            }
            tries += 1;
        }
    }

    async fn attempt(&self, document: &Tree, known: &mut Before) -> Result<Applied, Fault> {
        let Manner { force, dry, manager, .. } = *self.manner;
        let kind = format!("{}/{}", object::api_version(document), object::kind(document));
        let place = namespace(document).unwrap_or(&self.manner.namespace);
        let resource = self.cluster.resolve(&kind).await?;
        *known = known.clone().read(self.cluster, &resource, place, document).await?;
        self.answered.store(true, Ordering::Relaxed);
        if let Before::Present(live) = &*known
            && manager == MANAGER
            && ownership::is_applied(live, document)
        {
            let object = stripped(live.clone());
            return Ok(Applied { before: Some(object.clone()), object, ending: Ending::Unchanged });
        }
        let (object, is_new) = self.cluster.apply(&resource, place, document, Applying { force, dry, manager }).await?;
        let object = stripped(object);
        let (before, ending) = match &*known {
            _ if is_new => (None, Ending::Created),
            // The answer to the first try may have been lost.
            Before::Absent | Before::Unread => (None, Ending::Created),
            Before::Unreadable => (None, Ending::Applied),
            Before::Present(live) => {
                // Nobody else writes in what is not kept, and what the server itself would do is told, too.
                let fields = match dry {
                    true => difference::fields(live, &object),
                    false => difference::fields(live, &Named::by_document(document, live).changed(live, &object)),
                };
                let live = stripped(live.clone());
                (Some(live), if fields.is_empty() { Ending::Unchanged } else { Ending::Changed(fields) })
            }
        };
        Ok(Applied { before, object, ending })
    }

    /// True if it is refused only for want of what the documents before it would have made.
    fn is_yet_to_be_made(&self, document: &Tree, fault: &Fault) -> bool {
        match fault.kind {
            Kind::Unsupported => self.made.kinds.contains(object::kind(document)),
            Kind::NotFound => self.made.namespaces.contains(namespace(document).unwrap_or(&self.manner.namespace)),
            _ => false,
        }
    }

    fn tell_left_out(&self, document: &Tree, fields: &[String]) {
        if self.manner.validation == Validation::Warn {
            let text = format!("{}: left out {}, which its kind does not have", shown(document), fields.join(", "));
            self.cluster.warn(text);
        }
    }
}

fn stripped(mut object: Tree) -> Tree {
    object::strip_managed_fields(&mut object);
    object
}

/// `deployment/web in shop`
pub fn shown(document: &Tree) -> String {
    let name = Some(name(document)).filter(|name| !name.is_empty());
    let name = name.or_else(|| object::text(document, &["metadata", "generateName"])).unwrap_or_default();
    let shown = format!("{}/{name}", object::kind(document).to_lowercase());
    match namespace(document) {
        Some(namespace) => format!("{shown} in {namespace}"),
        None => shown,
    }
}

/// Waits until the definitions among what was applied are served.
async fn establish(cluster: &Cluster, stage: &[usize], ended: &mut [Option<Result<Applied, Fault>>]) {
    let mut any = false;
    for place in stage {
        let Some(Ok(applied)) = &mut ended[*place] else { continue };
        if object::kind(&applied.object) != "CustomResourceDefinition" {
            continue;
        }
        any = true;
        match established::wait(cluster, &applied.object).await {
            Ok(object) => applied.object = object,
            Err(fault) => ended[*place] = Some(Err(fault)),
        }
    }
    if any {
        cluster.kinds().forget();
    }
}

/// What came of all documents together: how each ended, or one fault that names each that failed.
///
/// # Errors
/// The fault of the one that failed, or one for all of them.
pub fn together(documents: &[Tree], ended: Vec<Result<Applied, Fault>>) -> Result<Vec<Applied>, Fault> {
    let all = ended.len();
    let mut applied = Vec::new();
    let mut faults = Vec::new();
    for (place, result) in ended.into_iter().enumerate() {
        match result {
            Ok(one) => applied.push(one),
            Err(fault) => faults.push((place, fault)),
        }
    }
    let Some((_, first)) = faults.first() else { return Ok(applied) };
    if all == 1 {
        return Err(first.clone());
    }
    let mut fault = Fault::new(first.kind, format!("{} of {all} objects were not applied", faults.len()));
    fault.status = first.status;
    fault.hint = first.hint.clone();
    for (place, one) in &faults {
        fault = fault.note(format!("{}: {}", shown(&documents[*place]), one.message));
        fault = fault.notes(one.notes.iter().map(|note| format!("  {note}")));
    }
    Err(fault)
}
