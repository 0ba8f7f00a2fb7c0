//! The objects that a wait is about, by their names or as they are selected: how each stands, and what that makes together.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{
    StreamExt,
    stream::{BoxStream, SelectAll},
};

use super::{
    client::{Cluster, Selection},
    object,
    trouble::Trouble,
    wait::Verdict,
    watch::{Observer, Seen},
};
use crate::{
    duration,
    script::{fault::Fault, values::tree::Tree},
};

/// More names than these of one kind share one watch: a server serves only so many at a time.
const WATCHED_APART: usize = 8;

/// How many objects are told one by one.
const TOLD: usize = 3;

/// Objects of one kind that are watched together.
#[derive(Debug, Clone)]
pub struct Group {
    pub kind: String,
    pub which: Which,
}

#[derive(Debug, Clone)]
pub enum Which {
    Named { namespace: String, names: BTreeSet<String> },
    Selected(Selection),
}

impl Group {
    /// The groups for these names.
    pub fn of_names(kind: &str, namespace: &str, names: BTreeSet<String>) -> Vec<Self> {
        let group =
            |names| Self { kind: kind.to_owned(), which: Which::Named { namespace: namespace.to_owned(), names } };
        match names.len() > WATCHED_APART {
            true => vec![group(names)],
            false => names.into_iter().map(|name| group(BTreeSet::from([name]))).collect(),
        }
    }

    fn observer(&self, cluster: &Cluster) -> Observer {
        let (selection, names) = match &self.which {
            Which::Selected(selection) => (selection.clone(), None),
            Which::Named { namespace, names } => {
                // A rule may allow to watch single objects only: then their names have to be in the question.
                let only = names.first().filter(|_| names.len() == 1).map(|name| format!("metadata.name={name}"));
                let namespace = Some(namespace.clone());
                (Selection { namespace, fields: only, ..Selection::default() }, Some(names.clone()))
            }
        };
        Observer::of_names(cluster.clone(), self.kind.clone(), selection, names)
    }
}

/// How many of the objects must be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// All; of what is selected, at least one has to be there.
    All,
    AtLeast(usize),
}

/// What was seen, and of which group.
pub type Sight = (usize, Result<Seen, Fault>);

/// The number of its group, its namespace where that is open, and its name.
pub type Key = (usize, String, String);

/// The objects, and how they stand.
pub struct Waited {
    cluster: Cluster,
    groups: Vec<Group>,
    enough: Enough,
    for_deletion: bool,
    objects: BTreeMap<Key, Standing>,
    /// The groups of which all that is there has been seen.
    whole: BTreeSet<usize>,
    /// Why a group can't be looked at for now.
    away: BTreeMap<usize, String>,
}

/// How one object stands.
struct Standing {
    object: Option<Tree>,
    verdict: Verdict,
    /// True if it was there at some time.
    was_there: bool,
    /// What keeps its pods.
    trouble: Option<Trouble>,
    /// Since when they are stuck.
    stuck: Option<Duration>,
    /// Why they will stay so.
    lost: Option<String>,
}

impl Standing {
    fn unseen() -> Self {
        Self {
            object: None,
            verdict: Verdict::Waiting(String::new()),
            was_there: false,
            trouble: None,
            stuck: None,
            lost: None,
        }
    }

    fn is_met(&self) -> bool {
        self.verdict == Verdict::Met
    }

    fn is_hopeless(&self) -> bool {
        matches!(self.verdict, Verdict::Hopeless(_)) || (self.lost.is_some() && !self.is_met())
    }

    /// How much it says about why a wait takes long.
    fn interest(&self) -> u8 {
        match &self.trouble {
            _ if self.is_hopeless() => 4,
            Some(trouble) if trouble.stays => 3,
            Some(_) => 2,
            None => u8::from(self.object.is_some()),
        }
    }

    fn because(&self) -> String {
        let (Verdict::Waiting(why) | Verdict::Hopeless(why)) = &self.verdict else { return String::new() };
        match (&self.lost, &self.trouble) {
            (Some(lost), _) => lost.clone(),
            // The verdict on a pod may be its trouble already.
            (None, Some(trouble)) if !why.contains(&trouble.why) => format!("{why}; {trouble}"),
            _ => why.clone(),
        }
    }
}

impl Waited {
    pub fn new(cluster: Cluster, groups: Vec<Group>, enough: Enough, for_deletion: bool) -> Self {
        let mut objects = BTreeMap::new();
        for (number, group) in groups.iter().enumerate() {
            if let Which::Named { names, .. } = &group.which {
                objects.extend(names.iter().map(|name| ((number, String::new(), name.clone()), Standing::unseen())));
            }
        }
        let (whole, away) = (BTreeSet::new(), BTreeMap::new());
        Self { cluster, groups, enough, for_deletion, objects, whole, away }
    }

    /// All that is seen of the objects from now on.
    pub fn observe(&self) -> SelectAll<BoxStream<'static, Sight>> {
        let numbered = |(number, group): (usize, &Group)| {
            group.observer(&self.cluster).into_stream().map(move |seen| (number, seen)).boxed()
        };
        self.groups.iter().enumerate().map(numbered).collect()
    }

    /// Takes in what was seen; `judge` says how an object stands.
    ///
    /// # Errors
    /// Those of `judge`.
    pub fn see<E>(
        &mut self,
        group: usize,
        seen: Seen,
        judge: impl FnOnce(&Tree) -> Result<Verdict, E>,
    ) -> Result<(), E> {
        match seen {
            Seen::Object(object) => {
                self.away.remove(&group);
                let key = self.key(group, &object);
                let done = self.for_deletion && self.objects.get(&key).is_some_and(Standing::is_met);
                // What has the name of something that is gone as it should be is another.
                if !done {
                    let verdict = judge(&object)?;
                    let standing = self.objects.entry(key).or_insert_with(Standing::unseen);
                    *standing = Standing {
                        object: Some(object),
                        verdict,
                        was_there: true,
                        trouble: standing.trouble.take(),
                        stuck: standing.stuck,
                        lost: standing.lost.take(),
                    };
                }
            }
            Seen::Gone(object) => {
                let key = self.key(group, &object);
                match self.is_named(group) {
                    true => self.miss(key),
                    false => drop(self.objects.remove(&key)),
                }
            }
            Seen::Current | Seen::Absent => {
                self.away.remove(&group);
                self.whole.insert(group);
                if let Which::Named { names, .. } = &self.groups[group].which {
                    for name in names.clone() {
                        let key = (group, String::new(), name);
                        if self.objects.get(&key).is_none_or(|standing| standing.object.is_none()) {
                            self.miss(key);
                        }
                    }
                }
            }
            Seen::NoKind(why) | Seen::NotYet(why) => drop(self.away.insert(group, why)),
        }
        Ok(())
    }

    /// A named object is not there.
    fn miss(&mut self, key: Key) {
        let what = if self.is_about_one() {
            format!("there is no {}", self.full_name(&key))
        } else {
            "it is not there".to_owned()
        };
        let standing = self.objects.entry(key).or_insert_with(Standing::unseen);
        let was_there = standing.was_there || standing.object.is_some();
        let verdict = match (self.for_deletion, was_there) {
            (true, _) => Verdict::Met,
            (false, true) => Verdict::Waiting(format!("{what} any more")),
            (false, false) => Verdict::Waiting(format!("{what} yet")),
        };
        *standing = Standing { verdict, was_there, ..Standing::unseen() };
    }

    /// True if nothing of a group was ever seen, so that even its kind may be a slip of the pen.
    pub fn is_unseen(&self, group: usize) -> bool {
        !self.whole.contains(&group)
    }

    /// The objects that are there and not yet so, the most telling first.
    pub fn unmet(&self) -> Vec<(Key, Tree)> {
        let mut unmet: Vec<_> = self.objects.iter().filter(|(_, standing)| !standing.is_met()).collect();
        unmet.sort_by_key(|(_, standing)| Reverse(standing.interest()));
        unmet.into_iter().filter_map(|(key, standing)| Some((key.clone(), standing.object.clone()?))).collect()
    }

    /// Takes in what keeps an object's pods; what has kept them for longer than `grace` is taken for what stays.
    pub fn look(&mut self, key: &Key, trouble: Option<Trouble>, now: Duration, grace: Duration) {
        let Some(standing) = self.objects.get_mut(key) else { return };
        standing.stuck = match &trouble {
            Some(trouble) if trouble.stays => standing.stuck.or(Some(now)),
            // Between two crashes it runs for a while.
            Some(trouble) if trouble.crashed => standing.stuck,
            _ => None,
        };
        let for_long = standing.stuck.is_some_and(|since| now.saturating_sub(since) >= grace);
        standing.lost = (trouble.as_ref())
            .filter(|trouble| trouble.stays && for_long)
            .map(|trouble| format!("{trouble}, for more than {}", duration::show(grace)));
        standing.trouble = trouble;
    }

    /// How they stand together.
    pub fn verdict(&self) -> Verdict {
        if self.is_met() {
            return Verdict::Met;
        }
        let looked_at = |group| self.whole.contains(&group) || self.away.contains_key(&group);
        match self.is_hopeless() {
            true => Verdict::Hopeless(self.because()),
            false if (0..self.groups.len()).all(looked_at) => Verdict::Waiting(self.because()),
            // Before everything was looked at there is nothing to say.
            false => Verdict::Waiting(String::new()),
        }
    }

    fn is_met(&self) -> bool {
        let met = self.objects.values().filter(|standing| standing.is_met()).count();
        let all_met = met == self.objects.len();
        let selected = |group: &usize| !self.is_named(*group);
        match self.enough {
            Enough::AtLeast(count) => met >= count,
            Enough::All => {
                let mut open = (0..self.groups.len()).filter(selected);
                // Nothing is left, or at least one of each selection is there.
                let as_expected = |group: usize| self.has(group) != self.for_deletion;
                all_met && open.all(|group| self.whole.contains(&group) && as_expected(group))
            }
        }
    }

    fn is_hopeless(&self) -> bool {
        let lost = self.objects.values().filter(|standing| standing.is_hopeless()).count();
        match self.enough {
            Enough::All => lost > 0,
            // Others may still come to what is selected.
            Enough::AtLeast(_) if (0..self.groups.len()).any(|group| !self.is_named(group)) => false,
            Enough::AtLeast(count) => self.objects.len() - lost < count,
        }
    }

    /// Why they aren't so: the most telling of them.
    fn because(&self) -> String {
        if let Some(why) = self.away.values().next() {
            return why.clone();
        }
        let unmet = self.objects.iter().filter(|(_, standing)| !standing.is_met());
        let others = unmet.clone().count().saturating_sub(1);
        // Of those that say as much as each other the first.
        let Some((key, standing)) = unmet.min_by_key(|(_, standing)| Reverse(standing.interest())) else {
            let missing = (0..self.groups.len()).find(|group| !self.has(*group));
            return match (missing, self.enough) {
                (Some(group), _) => format!("there are no {} yet", self.group_name(group)),
                (None, Enough::AtLeast(count)) => format!("{} of {count}; there are no others yet", self.objects.len()),
                (None, Enough::All) => String::new(),
            };
        };
        if self.is_about_one() {
            return standing.because();
        }
        let met = self.objects.len() - others - 1;
        let wanted = match self.enough {
            Enough::All => self.objects.len(),
            Enough::AtLeast(count) => count,
        };
        format!("{met} of {wanted}; {}: {}", self.short_name(key), standing.because())
    }

    /// What is waited for, as the beginning of a sentence: `deployment/web in shop`, `3 pods with app=web in shop`.
    pub fn what(&self) -> String {
        let many = match self.enough {
            Enough::All => None,
            Enough::AtLeast(count) => Some(count),
        };
        if let ([_], Which::Selected(_)) = (self.groups.as_slice(), &self.groups[0].which) {
            let selected = self.group_name(0);
            return many.map_or_else(|| format!("all {selected}"), |count| format!("{count} {selected}"));
        }
        if self.is_about_one()
            && let Some(key) = self.objects.keys().next()
        {
            return self.full_name(key);
        }
        let keys: Vec<&Key> = self.objects.keys().collect();
        let shown = if keys.len() > TOLD { TOLD - 1 } else { keys.len() };
        let mut names: Vec<String> = keys[..shown].iter().map(|key| self.short_name(key)).collect();
        if shown < keys.len() {
            names.push(format!("{} more", keys.len() - shown));
        }
        let last = names.pop().unwrap_or_default();
        let names = if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) };
        let kind = self.common_kind().map(|kind| format!("{kind} ")).unwrap_or_default();
        let count = many.map(|count| format!("{count} of ")).unwrap_or_default();
        let place = self.common_namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        format!("{count}{kind}{names}{place}")
    }

    /// How each object stands that is not so, a line each.
    pub fn lines(&self) -> Vec<String> {
        let unmet = self.objects.iter().filter(|(_, standing)| !standing.is_met());
        unmet.map(|(key, standing)| format!("{}: {}", self.full_name(key), standing.because())).collect()
    }

    /// The objects that are so.
    pub fn met(&self) -> impl Iterator<Item = &Tree> {
        self.objects.values().filter(|standing| standing.is_met()).filter_map(|standing| standing.object.as_ref())
    }

    /// True if it is about one object, known by its name.
    pub fn is_about_one(&self) -> bool {
        self.objects.len() == 1 && self.groups.len() == 1 && self.is_named(0)
    }

    fn is_named(&self, group: usize) -> bool {
        matches!(self.groups[group].which, Which::Named { .. })
    }

    /// True if there is anything of a group.
    fn has(&self, group: usize) -> bool {
        self.objects.iter().any(|(key, standing)| key.0 == group && standing.object.is_some())
    }

    fn key(&self, group: usize, object: &Tree) -> Key {
        let namespace = match &self.groups[group].which {
            Which::Named { .. } => "",
            Which::Selected(_) => object::namespace(object).unwrap_or_default(),
        };
        (group, namespace.to_owned(), object::name(object).to_owned())
    }

    /// `deployment/web in shop`
    fn full_name(&self, (group, namespace, name): &Key) -> String {
        let Group { kind, which } = &self.groups[*group];
        let namespace = match which {
            Which::Named { namespace, .. } => namespace,
            Which::Selected(_) => namespace,
        };
        self.cluster.shown(kind, namespace, name)
    }

    /// As little as tells it from the others: `web`, `shop/web`, `deployment/web`.
    fn short_name(&self, (group, namespace, name): &Key) -> String {
        let kind = match self.common_kind() {
            Some(_) => String::new(),
            None => format!("{}/", self.cluster.words_for(&self.groups[*group].kind).one),
        };
        match &self.groups[*group].which {
            Which::Selected(Selection { namespace: None, .. }) if !namespace.is_empty() => {
                format!("{kind}{namespace}/{name}")
            }
            _ => format!("{kind}{name}"),
        }
    }

    /// `pods with app=web in shop`
    fn group_name(&self, group: usize) -> String {
        let Group { kind, which } = &self.groups[group];
        let words = self.cluster.words_for(kind);
        match which {
            Which::Named { namespace, .. } => format!("{} in {namespace}", words.many),
            Which::Selected(selection) => format!("{}{}", words.many, selection.shown(words.namespaced)),
        }
    }

    fn common_kind(&self) -> Option<String> {
        let first = &self.groups.first()?.kind;
        self.groups.iter().all(|group| group.kind == *first).then(|| self.cluster.words_for(first).one)
    }

    fn common_namespace(&self) -> Option<&str> {
        let mut namespaces = self.groups.iter().map(|group| match &group.which {
            _ if !self.cluster.words_for(&group.kind).namespaced => None,
            Which::Named { namespace, .. } => Some(namespace.as_str()),
            Which::Selected(selection) => selection.namespace.as_deref(),
        });
        let first = namespaces.next()??;
        namespaces.all(|namespace| namespace == Some(first)).then_some(first)
    }
}
