//! What goes wrong with values (trees, paths, YAML and JSON texts) as faults of the script that handled them.

use crate::script::{
    fault::{Fault, Kind},
    values::absent::Absent,
    values::misread::Misread,
    values::path::PathError,
    values::tree::TreeError,
};

impl From<Absent> for Fault {
    fn from(absent: Absent) -> Self {
        Self::new(Kind::Absent, absent.to_string()).hint(absent.hint())
    }
}

impl From<TreeError> for Fault {
    fn from(error: TreeError) -> Self {
        let hint = match &error {
            TreeError::Unfit { .. } => "take it out, or put a text, a number, a list or a map in its place",
            TreeError::NotFinite { .. } => "put a finite number or a text in its place",
            TreeError::TooDeep { .. } => "does a list or map hold itself? make it flatter",
        };
        Self::new(Kind::Usage, error.to_string()).hint(hint)
    }
}

impl From<PathError> for Fault {
    fn from(error: PathError) -> Self {
        let hint = match &error {
            PathError::Malformed(..) => {
                "write it as `spec.containers[0].image` or `metadata.labels[\"app.kubernetes.io/name\"]`"
            }
            PathError::NoHolder { .. } => "remove what is there first, or set the whole of it",
            PathError::OutOfBounds { .. } => "set the whole list, with the new item in it",
        };
        Self::new(Kind::Usage, error.to_string()).hint(hint)
    }
}

impl From<Misread> for Fault {
    fn from(misread: Misread) -> Self {
        let hint = format!("correct `{}` at line {}, column {}", misread.source, misread.line, misread.column);
        let line = misread.snippet.as_ref().map(|line| format!("line {}: `{}`", misread.line, line.trim()));
        Self::new(Kind::Parse, misread.to_string()).notes(line).hint(hint)
    }
}
