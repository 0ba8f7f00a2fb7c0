//! Kinds whose rules are a few functions.

use serde_json::Value;

use super::{Look, NameForm, Rules};
use crate::kubernetes::{answer::Cause, cluster::Cluster};

/// The rules of a kind, one by one; what [`PLAIN`] has is for most kinds.
pub struct Simple {
    pub fill_in: fn(&mut Value),
    pub prepare: fn(&mut Value),
    pub check: fn(&Value) -> Vec<Cause>,
    pub check_new: fn(&Value) -> Vec<Cause>,
    pub check_change: fn(&Value, &Value) -> Vec<Cause>,
    pub check_status: fn(&Value) -> Vec<Cause>,
    pub check_new_given: fn(&Value) -> Vec<Cause>,
    pub check_given_change: fn(&Value, &Value) -> Vec<Cause>,
    pub warnings: fn(&Value) -> Vec<String>,
    pub counts_generations: bool,
    pub counts_what_is_empty: Option<&'static str>,
    pub counts_within_metadata: Option<&'static str>,
    pub shows_deleted: bool,
    pub replacing_creates: bool,
    pub replacing_needs_version: bool,
    pub selectable: &'static [&'static str],
    pub name_form: NameForm,
    pub looks_at_metadata: Look,
}

pub const PLAIN: Simple = Simple {
    fill_in: |_| {},
    prepare: |_| {},
    check: |_| Vec::new(),
    check_new: |_| Vec::new(),
    check_change: |_, _| Vec::new(),
    check_status: |_| Vec::new(),
    check_new_given: |_| Vec::new(),
    check_given_change: |_, _| Vec::new(),
    warnings: |_| Vec::new(),
    counts_generations: false,
    counts_what_is_empty: None,
    counts_within_metadata: None,
    shows_deleted: false,
    replacing_creates: false,
    replacing_needs_version: false,
    selectable: &[],
    name_form: NameForm::Subdomain,
    looks_at_metadata: Look::Twice,
};

impl Rules for Simple {
    fn fill_in(&self, object: &mut Value) {
        (self.fill_in)(object);
    }

    fn prepare_new(&self, object: &mut Value, _cluster: &Cluster) {
        (self.prepare)(object);
    }

    fn prepare_change(&self, object: &mut Value, _there: &Value, _cluster: &Cluster) {
        (self.prepare)(object);
    }

    fn check(&self, object: &Value) -> Vec<Cause> {
        (self.check)(object)
    }

    fn check_new(&self, object: &Value) -> Vec<Cause> {
        (self.check_new)(object)
    }

    fn check_change(&self, object: &Value, there: &Value) -> Vec<Cause> {
        (self.check_change)(object, there)
    }

    fn check_part(&self, _part: &str, object: &Value, _there: &Value) -> Vec<Cause> {
        (self.check_status)(object)
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        (self.warnings)(object)
    }

    fn check_new_given(&self, given: &Value) -> Vec<Cause> {
        (self.check_new_given)(given)
    }

    fn check_given_change(&self, given: &Value, there: &Value) -> Vec<Cause> {
        (self.check_given_change)(given, there)
    }

    fn counts_generations(&self) -> bool {
        self.counts_generations
    }

    fn counts_what_is_empty(&self) -> Option<&str> {
        self.counts_what_is_empty
    }

    fn counts_within_metadata(&self) -> Option<&str> {
        self.counts_within_metadata
    }

    fn shows_deleted(&self) -> bool {
        self.shows_deleted
    }

    fn replacing_creates(&self) -> bool {
        self.replacing_creates
    }

    fn replacing_needs_version(&self) -> bool {
        self.replacing_needs_version
    }

    fn selectable(&self) -> Vec<&str> {
        self.selectable.to_vec()
    }

    fn looks_at_metadata(&self, part: &str) -> Look {
        match self.looks_at_metadata {
            Look::Never => Look::Never,
            look if part.is_empty() => look,
            _ => Look::AtChanges,
        }
    }

    fn name_form(&self) -> NameForm {
        self.name_form
    }
}
