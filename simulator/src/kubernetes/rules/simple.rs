//! Kinds whose rules are a few functions.

use serde_json::Value;

use super::{NameForm, Rules};
use crate::kubernetes::{answer::Cause, cluster::Cluster};

/// The rules of a kind, one by one; what [`PLAIN`] has is for most kinds.
pub struct Simple {
    pub fill_in: fn(&mut Value),
    pub prepare: fn(&mut Value),
    pub check: fn(&Value) -> Vec<Cause>,
    pub check_new: fn(&Value) -> Vec<Cause>,
    pub check_change: fn(&Value, &Value) -> Vec<Cause>,
    pub check_given_change: fn(&Value, &Value) -> Vec<Cause>,
    pub warnings: fn(&Value) -> Vec<String>,
    pub counts_generations: bool,
    pub shows_deleted: bool,
    pub replacing_creates: bool,
    pub replacing_needs_version: bool,
    pub selectable: &'static [&'static str],
    pub name_form: NameForm,
    pub checks_metadata_again: bool,
}

pub const PLAIN: Simple = Simple {
    fill_in: |_| {},
    prepare: |_| {},
    check: |_| Vec::new(),
    check_new: |_| Vec::new(),
    check_change: |_, _| Vec::new(),
    check_given_change: |_, _| Vec::new(),
    warnings: |_| Vec::new(),
    counts_generations: false,
    shows_deleted: false,
    replacing_creates: false,
    replacing_needs_version: false,
    selectable: &[],
    name_form: NameForm::Subdomain,
    checks_metadata_again: true,
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

    fn warnings(&self, object: &Value) -> Vec<String> {
        (self.warnings)(object)
    }

    fn check_given_change(&self, given: &Value, there: &Value) -> Vec<Cause> {
        (self.check_given_change)(given, there)
    }

    fn counts_generations(&self) -> bool {
        self.counts_generations
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

    fn checks_metadata_again(&self) -> bool {
        self.checks_metadata_again
    }

    fn name_form(&self) -> NameForm {
        self.name_form
    }
}
