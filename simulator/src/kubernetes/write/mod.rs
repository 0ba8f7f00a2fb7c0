//! Creating, changing and deleting: every write goes through here, from its body to the store.
//!
//! The steps are those of the real server, in its order: what was given is read and placed, a patch is laid on what is there, what
//! nobody said is filled in, fields get their owners, rules prepare and check the object, and it is stored if nobody else was faster.

mod binding;
mod deletion;
mod eviction;
mod given;
mod metadata;
mod owners;
mod parts;

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use self::given::Wish;
use super::{
    access::escalation,
    admission::{self, Attempt, Operation},
    answer::{Cause, Refusal},
    cluster::Cluster,
    decoding,
    kinds::Kind,
    ownership::Entry,
    read::key,
    request::Request,
    rules::{Look, NameForm, Rules},
    store::Key,
};

/// How often a change is tried on what is there by now, as the real server does before it gives up.
const TRIES: usize = 5;

/// A write to one resource.
pub struct Write<'w> {
    pub cluster: &'w Arc<Cluster>,
    pub kind: &'w Kind,
    pub namespace: Option<&'w str>,
    /// The part of the object that it goes to: `status`, `scale` …, or nothing for the object as a whole.
    pub part: &'w str,
    pub request: &'w Request,
}

impl Write<'_> {
    /// # Errors
    /// As the real server refuses it; 501 for a kind whose rules are not modelled.
    pub async fn create(&self) -> Result<(u16, Value), Refusal> {
        self.rules("create")?;
        // Who creates is first asked in which form the object comes.
        decoding::takes(self.request)?;
        self.request.check_options("CreateOptions")?;
        let object = self.in_its_place(self.given()?, None)?;
        self.put_new(object, None).await
    }

    /// # Errors
    /// As for [`Write::create`].
    pub async fn replace(&self, name: &str) -> Result<(u16, Value), Refusal> {
        self.rules("update")?;
        self.request.check_options("UpdateOptions")?;
        let mut object = self.given_for(name)?;
        self.each_owner_once(&mut object, false);
        self.change(name, &Wish::Replace(object)).await
    }

    /// # Errors
    /// As for [`Write::create`].
    pub async fn patch(&self, name: &str) -> Result<(u16, Value), Refusal> {
        self.rules("patch")?;
        let wish = self.patch_given(name)?;
        self.change(name, &wish).await
    }

    /// Changes what is there, or creates it where the wish allows that.
    async fn change(&self, name: &str, wish: &Wish) -> Result<(u16, Value), Refusal> {
        let mut tries = 0;
        loop {
            let Some(stored) = self.cluster.store.get(&self.key(name)) else {
                return self.change_nothing(name, wish).await;
            };
            match self.change_there(name, &stored, wish).await? {
                Some(object) => return Ok((200, self.seen(&object)?)),
                // Somebody else was faster: the same on what is there by now.
                None if tries < TRIES => tries += 1,
                None => return Err(self.modified(name)),
            }
        }
    }

    async fn change_nothing(&self, name: &str, wish: &Wish) -> Result<(u16, Value), Refusal> {
        match wish {
            Wish::Replace(object) if self.creates_by_change()? => {
                self.same_identity(name, object, &Value::Null)?;
                self.put_new(object.clone(), None).await
            }
            Wish::Apply(apply) if self.apply_creates()? => {
                let (object, entries) = self.configured(name, None, apply)?;
                self.put_new(object, Some(entries)).await
            }
            _ => Err(self.not_found(name)),
        }
    }

    /// True if who replaces what is not there creates it, even by its status alone.
    fn creates_by_change(&self) -> Result<bool, Refusal> {
        Ok(matches!(self.part, "" | "status") && self.rules("update")?.replacing_creates())
    }

    /// True if who applies what is not there creates it.
    fn apply_creates(&self) -> Result<bool, Refusal> {
        Ok(self.part.is_empty() || self.creates_by_change()?)
    }

    async fn put_new(&self, mut object: Value, entries: Option<Vec<Entry>>) -> Result<(u16, Value), Refusal> {
        let kind = self.kind;
        if self.request.method != Method::POST {
            metadata::version(&object)?;
        }
        let rules = self.rules("create")?;
        self.each_owner_once(&mut object, self.request.method == Method::PATCH);
        let given = object.clone();
        self.wipe(&mut object);
        kind.normalise(&mut object);
        match entries {
            Some(_) => rules.fill_in_applied(&mut object),
            None => rules.fill_in(&mut object),
        }
        escalation(self.cluster, &self.request.user, kind, &object)?;
        let entries = match entries {
            Some(entries) => entries,
            None => self.owned(None, &owners::claimed(&given, &[]), &object)?,
        };
        self.name(&mut object);
        if let Some(namespace) = self.namespace {
            self.inhabitable(namespace)?;
        }
        let metadata = &mut object["metadata"];
        metadata["uid"] = json!(self.cluster.uid());
        metadata["creationTimestamp"] = json!(self.cluster.now());
        if rules.counts_generations() {
            metadata["generation"] = json!(1);
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let generated = object["metadata"]["generateName"].as_str().is_some_and(|stem| !stem.is_empty());
        // Who changes it sees it without the name that it will be given.
        let text = |field: &str| given["metadata"][field].as_str().filter(|text| !text.is_empty());
        let asked = text("name").or_else(|| text("generateName")).unwrap_or_default();
        let attempt = Attempt { named: text("name").is_some(), ..self.attempt(Operation::Create, asked, None) };
        admission::change(&attempt, &mut object).await?;
        self.of_its_kind(&object, None)?;
        let malformed = rules.check_given(&object);
        self.store_form(&mut object)?;
        if !rules.born_with_status() {
            self.without_left(&mut object)?;
        }
        rules.admit_new(&mut object, &given, self.cluster)?;
        // Who creates something by its status is given nothing.
        if self.part.is_empty() {
            rules.allot(&mut object, None, self.cluster, self.dry_run())?;
        }
        rules.prepare_new(&mut object, self.cluster);
        let of_its_kind = rules.looks_at_metadata("") != Look::Never;
        let wrong = [
            if of_its_kind { metadata::wrong(&object, kind, rules.name_form()) } else { Vec::new() },
            rules.check_new_given(&given),
            rules.check(&object),
            malformed,
            rules.check_new(&object),
        ];
        self.right(&name, &given, wrong.concat())?;
        self.right(&name, &given, metadata::wrong_in_any(&object, kind, NameForm::PathSegment))?;
        rules.warnings(&object).iter().for_each(|warning| self.request.warn(warning));
        admission::check(&Attempt { name: &name, ..attempt }, &object).await?;
        owners::set(&mut object, &entries);
        if !self.dry_run() {
            metadata::versionless(&mut object, self.request.method == Method::POST)?;
        }
        self.settle(rules, &mut object);
        if self.dry_run() {
            let there = self.cluster.store.get(&self.key(&name));
            return there
                .map_or_else(|| Ok((201, self.seen(&object)?)), |_| Err(self.already_exists(&name, generated)));
        }
        let put = self.cluster.store.put(&self.key(&name), None, object);
        Ok((201, self.seen(&*put.map_err(|_| self.already_exists(&name, generated))?)?))
    }

    /// Changes what is there; nothing, if it was changed by somebody else meanwhile.
    async fn change_there(&self, name: &str, stored: &Arc<Value>, wish: &Wish) -> Result<Option<Arc<Value>>, Refusal> {
        let rules = self.rules("update")?;
        let there = self.kind.seen(stored);
        let known = owners::read(&there);
        let live = owners::without(&there);
        if let Wish::Replace(object) = wish {
            self.same_identity(name, object, stored)?;
        }
        let (mut object, entries) = self.wished(name, &there, &live, &known, wish)?;
        self.each_owner_once(&mut object, true);
        let claimed = owners::claimed(&object, &known);
        let mut given = object.clone();
        rules.fill_in(&mut given);
        self.kind.normalise(&mut object);
        match entries {
            Some(_) => rules.fill_in_applied(&mut object),
            None => rules.fill_in(&mut object),
        }
        if ["rules", "roleRef", "subjects"].iter().any(|field| object.get(field) != there.get(field)) {
            escalation(self.cluster, &self.request.user, self.kind, &object)?;
        }
        let entries = match entries {
            Some(entries) => entries,
            None if self.part == "scale" && !self.kind.built_in() => self.without_replicas(known.clone())?,
            None if self.part.is_empty() => self.owned(Some(&live), &claimed, &object)?,
            None if self.part == "scale" => self.owned_of_scale(&live, &known, &object)?,
            None => self.owned(Some(&live), &known, &object)?,
        };
        let is_apply = matches!(wish, Wish::Apply(_));
        let entries = match self.part {
            "scale" if is_apply || self.kind.built_in() => self.with_replicas_apart(entries)?,
            _ => entries,
        };
        self.same_version(&mut object, &there)?;
        self.keep_left(&mut object, &there)?;
        let attempt = self.attempt(Operation::Update, name, Some(stored));
        let is_admitted = self.part != "scale";
        if is_admitted {
            admission::change(&attempt, &mut object).await?;
        }
        self.of_its_kind(&object, Some(stored))?;
        // What a definition says of another version may be lost as it is stored, and was a change all the same.
        let changed = (!self.kind.built_in()).then(|| self.part != "status" && self.counts(rules, &object, &there));
        self.store_form(&mut object)?;
        let kept = metadata::kept(&mut object, stored);
        if self.part.is_empty() {
            rules.allot(&mut object, Some(stored), self.cluster, self.dry_run())?;
        }
        match self.part {
            "" | "scale" => rules.prepare_change(&mut object, stored, self.cluster),
            part => rules.prepare_part(part, &mut object, stored, self.cluster),
        }
        let emptied = rules.counts_what_is_empty().is_some_and(|field| {
            let typed = self.kind.schema().root().below(field);
            self.part.is_empty() && typed.is_some_and(|typed| typed.has_empty(&given[field]))
        });
        if rules.counts_generations() && (emptied || changed.unwrap_or_else(|| self.counts(rules, &object, stored))) {
            let generation = stored["metadata"]["generation"].as_i64().unwrap_or_default();
            object["metadata"]["generation"] = json!(generation + 1);
        }
        let look = (rules.looks_at_metadata(self.part), rules.name_form());
        let mut wrong = metadata::wrong_change(&object, self.kind, look, kept);
        if self.part.is_empty() {
            wrong.extend(rules.check_given_change(&given, stored));
        }
        wrong.extend(match self.part {
            "" | "scale" => rules.check_over(&object, stored),
            part => rules.check_part(part, &object, stored),
        });
        self.right(name, &given, wrong)?;
        if matches!(self.part, "" | "scale") {
            let warnings = rules.warnings_of_change(&object, stored);
            warnings.iter().for_each(|warning| self.request.warn(warning));
        }
        if is_admitted {
            admission::check(&attempt, &object).await?;
        }
        if self.let_go(rules, &object, stored) && !self.dry_run() {
            self.forget_empty(&mut object);
            owners::set(&mut object, &entries);
            return Ok(self.cluster.store.remove(&self.key(name), stored).ok().map(|_| Arc::new(object)));
        }
        self.settle(rules, &mut object);
        let bare = owners::without(&object);
        owners::set(&mut object, &entries);
        let late = rules.stores_filled_in_late() && self.cluster.store.is_new(&self.key(name), stored);
        if !late && bare == owners::without(stored) && owners::same(&entries, &owners::listed(stored)) {
            return Ok(Some(stored.clone()));
        }
        if self.dry_run() {
            return Ok(Some(Arc::new(object)));
        }
        Ok(self.cluster.store.put(&self.key(name), Some(stored), object).ok())
    }

    /// True if a change is one of what is wanted.
    fn counts(&self, rules: &dyn Rules, object: &Value, stored: &Value) -> bool {
        let status = rules.leaves("").contains(&"status");
        let (mut object, mut stored) = (object.clone(), stored.clone());
        // Nothing in a list and no list are the same.
        self.forget_empty(&mut object);
        self.forget_empty(&mut stored);
        let (object, stored) = (&object, &stored);
        let uncounted =
            |field: &str| matches!(field, "apiVersion" | "kind" | "metadata") || status && field == "status";
        let fields = |object: &Value| object.as_object().map(|map| map.len()).unwrap_or_default();
        let changed = |one: &Value, other: &Value| {
            let entries = one.as_object().into_iter().flatten();
            entries.filter(|(key, _)| !uncounted(key)).any(|(key, value)| other.get(key) != Some(value))
        };
        let counted = rules.counts_within_metadata().filter(|_| self.part.is_empty());
        fields(object) > 0 && (changed(object, stored) || changed(stored, object))
            || counted.is_some_and(|field| object["metadata"].get(field) != stored["metadata"].get(field))
    }

    /// This write as admission sees it.
    fn attempt<'a>(&'a self, operation: Operation, name: &'a str, there: Option<&'a Value>) -> Attempt<'a> {
        Attempt {
            cluster: self.cluster,
            kind: self.kind,
            request: self.request,
            operation,
            part: self.part,
            namespace: self.namespace.unwrap_or_default(),
            name,
            named: true,
            there,
            dry_run: self.dry_run(),
        }
    }

    fn rules(&self, verb: &str) -> Result<&dyn Rules, Refusal> {
        let rules =
            self.kind.rules().ok_or_else(|| Refusal::not_modelled(format!("{verb} of `{}`", self.kind.stored)))?;
        match rules.not_modelled() {
            None => Ok(rules),
            Some(what) => Err(Refusal::not_modelled(format!("{verb} of `{}`: {what}", self.kind.stored))),
        }
    }

    /// Makes an object what comes back of it from where it is stored: without its empty lists.
    fn settle(&self, rules: &dyn Rules, object: &mut Value) {
        self.forget_empty(object);
        rules.fill_in_stored(object);
    }

    fn forget_empty(&self, object: &mut Value) {
        if self.kind.built_in() {
            self.kind.schema().root().forget_empty(object);
        }
    }

    fn right(&self, name: &str, given: &Value, wrong: Vec<Cause>) -> Result<(), Refusal> {
        let group = self.kind.stored.split_once('.').map_or("", |(_, group)| group);
        let wrong: Vec<Cause> = wrong.into_iter().map(|cause| cause.as_given(given)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::invalid(&self.kind.kind, group, name, wrong)) }
    }

    fn each_owner_once(&self, object: &mut Value, patched: bool) {
        if let Some(told) = metadata::each_owner_once(object, patched) {
            self.request.warn(&told);
        }
    }

    fn key(&self, name: &str) -> Key {
        key(self.kind, self.namespace, name)
    }

    fn dry_run(&self) -> bool {
        self.request.is_dry_run()
    }

    /// An object in the version in which it is stored.
    fn store_form(&self, object: &mut Value) -> Result<(), Refusal> {
        let rules = self.rules("write")?;
        if let Some(version) = rules.stored_version()
            && object["apiVersion"] != version
        {
            rules.convert(object, version);
        }
        Ok(())
    }

    fn modified(&self, name: &str) -> Refusal {
        Refusal::modified(&self.kind.resource, &self.kind.group, name)
    }

    fn not_found(&self, name: &str) -> Refusal {
        Refusal::not_found(&self.kind.resource, &self.kind.group, name)
    }

    fn already_exists(&self, name: &str, generated: bool) -> Refusal {
        let there = self.cluster.store.get(&self.key(name));
        let ending = there.is_some_and(|there| there["metadata"].get("deletionTimestamp").is_some());
        let mut refusal = Refusal::already_exists(&self.kind.resource, &self.kind.group, name);
        if generated {
            refusal = refusal.ungenerated();
        }
        if ending {
            refusal.message.insert_str(0, "object is being deleted: ");
        }
        refusal
    }
}
