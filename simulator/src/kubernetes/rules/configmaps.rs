//! ConfigMaps.

use super::Rules;

pub struct ConfigMaps;

impl Rules for ConfigMaps {}
