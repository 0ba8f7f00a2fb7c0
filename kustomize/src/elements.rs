//! Items of a list that are told apart by the values of some of their fields.

use serde_json::Value;

use crate::fields::written;

/// Fields and their values; one field without a name stands for texts, which are what they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyed<'k> {
    pub keys: Vec<&'k str>,
    pub values: Vec<String>,
}

impl Keyed<'_> {
    /// Whether an item has these values. An empty one stands for any, but the field has to be there.
    pub fn is(&self, item: &Value) -> bool {
        if self.keys == [""] {
            return written(item).as_ref() == self.values.first();
        }
        let fields = self.keys.iter().zip(&self.values);
        item.is_object()
            && fields.clone().all(|(key, value)| {
                item.get(key).is_some_and(|field| value.is_empty() || written(field).as_ref() == Some(value))
            })
    }

    pub fn of_list<'l>(&self, list: &'l Value) -> Option<&'l Value> {
        list.as_array()?.iter().find(|item| self.is(item))
    }

    /// Puts an item in the place of the one with these values, or at the end; without one takes that away.
    pub fn set(&self, list: &mut Vec<Value>, item: Option<&Value>) {
        let is_empty = |item: &Value| item.is_null() || item.as_object().is_some_and(serde_json::Map::is_empty);
        list.retain(|known| !is_empty(known));
        let mut is_there = false;
        list.retain_mut(|known| {
            if !self.is(known) {
                return true;
            }
            is_there = true;
            if let Some(item) = item {
                *known = item.clone();
            }
            item.is_some()
        });
        if let (false, Some(item)) = (is_there, item) {
            list.push(item.clone());
        }
    }
}

/// The values by which the items of a list are told apart; empty where an item has none.
pub fn values(list: &Value, keys: &[&str]) -> Vec<Vec<String>> {
    let value = |item: &Value, key: &str| item.get(key).and_then(written).unwrap_or_default();
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    match keys {
        [""] => items.iter().map(|item| vec![written(item).unwrap_or_default()]).collect(),
        keys => items.iter().map(|item| keys.iter().map(|key| value(item, key)).collect()).collect(),
    }
}

/// Two items that say the same where both say something, and share a value, are one.
pub fn unify(values: &mut [Vec<String>]) {
    for one in 0..values.len() {
        for other in 0..values.len() {
            if let Some(both) = both(&values[one], &values[other]) {
                values[one].clone_from(&both);
                values[other] = both;
            }
        }
    }
}

fn both(one: &[String], other: &[String]) -> Option<Vec<String>> {
    let pairs = || one.iter().zip(other);
    let contradict = pairs().any(|(one, other)| one != other && !one.is_empty() && !other.is_empty());
    let shares = pairs().any(|(one, other)| one == other);
    let join = |(one, other): (&String, &String)| if one.is_empty() { other.clone() } else { one.clone() };
    (!contradict && shares).then(|| pairs().map(join).collect())
}

/// Only the keys for which any of the items has a value; all, if none has.
pub fn telling<'k>(all: &[Vec<String>], values: &[String], keys: &[&'k str]) -> Keyed<'k> {
    let tells = |at: usize| all.iter().any(|values| values.get(at).is_some_and(|value| !value.is_empty()));
    let places: Vec<usize> = (0..keys.len()).filter(|at| tells(*at)).collect();
    let places = if places.is_empty() { (0..keys.len()).collect() } else { places };
    Keyed {
        keys: places.iter().map(|at| keys[*at]).collect(),
        values: places.iter().map(|at| values[*at].clone()).collect(),
    }
}
