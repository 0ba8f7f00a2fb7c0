//! What is wrong with a world file, and where.

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Lowercase, with the thing in backticks.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    pub place: Place,
}

/// A stretch of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In characters; 0 if only the beginning is known.
    pub length: usize,
}

/// The name that was probably meant.
pub fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = wrong.to_lowercase();
    let likeness = |name: &str| match strsim::osa_distance(&lower, name) {
        // Of short words, one slip of the finger is what a likeness is.
        1 if lower.len() > 2 => 0.95,
        _ => strsim::jaro_winkler(&lower, name),
    };
    let alike = names.into_iter().map(|name| (likeness(&name.to_lowercase()), name));
    alike.filter(|(likeness, _)| *likeness >= 0.82).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// What to do about a word that is none of these.
pub fn meant<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str> + Clone, those: &str) -> String {
    match nearest(wrong, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{those} {}", names.into_iter().collect::<Vec<_>>().join(", ")),
    }
}
