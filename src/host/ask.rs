//! Asking a person.

use futures::future::BoxFuture;

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is shown above the question, such as the list of what will be destroyed.
    pub preface: Vec<String>,
    pub text: String,
    pub kind: QuestionKind,
    /// The name under which it is answered ahead of time: `step@target` with `--yes`, or a change's number with
    /// `--settle`.
    pub key: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuestionKind {
    /// Yes or no; no answer means no.
    Confirm,
    /// The name typed in full, so that the hand can't be faster than the head.
    Type { expected: String },
    /// One of these, by its name or first letter.
    Choose { choices: Vec<String> },
    /// A line of text.
    Line { default: Option<String> },
    /// A line of text that isn't shown.
    Secret,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    Text(String),
    /// Nobody is there to ask, and why (`standard input is not a terminal`).
    Nobody(String),
}

/// Where questions go. Only one is asked at a time.
pub trait Ask: Send + Sync {
    fn ask(&self, question: Question) -> BoxFuture<'static, Answer>;
}
