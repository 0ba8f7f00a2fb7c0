//! What a person would say to the questions of a rehearsal.

use std::collections::BTreeMap;

use futures::future::{self, BoxFuture};

use crate::host::ask::{Answer, Ask, Question, QuestionKind};

/// The answers of a world's file; what it doesn't say is agreed to.
pub struct Answers {
    confirm: BTreeMap<String, bool>,
    /// What became of the changes in doubt, by their numbers.
    settled: BTreeMap<String, String>,
    show: Box<dyn Fn(&Question) + Send + Sync>,
}

impl Answers {
    /// A question above which something stands, such as what will be destroyed, is shown as if a person had to read it.
    pub(super) fn new(confirm: BTreeMap<String, bool>, show: impl Fn(&Question) + Send + Sync + 'static) -> Self {
        Self { confirm, settled: BTreeMap::new(), show: Box::new(show) }
    }

    #[must_use]
    pub fn settling(self, settled: BTreeMap<String, String>) -> Self {
        Self { settled, ..self }
    }
}

impl Ask for Answers {
    fn ask(&self, question: Question) -> BoxFuture<'static, Answer> {
        if !question.preface.is_empty() {
            (self.show)(&question);
        }
        let agreed = question.key.as_ref().and_then(|key| self.confirm.get(key)).copied().unwrap_or(true);
        let nobody = || Answer::Nobody("the world's `answers` don't say".to_owned());
        let answer = match &question.kind {
            QuestionKind::Confirm | QuestionKind::Type { .. } if !agreed => Answer::No,
            QuestionKind::Confirm => Answer::Yes,
            QuestionKind::Type { expected } => Answer::Text(expected.clone()),
            QuestionKind::Choose { choices } => {
                let settled = question.key.as_ref().and_then(|key| self.settled.get(key));
                settled.or(choices.first()).cloned().map_or_else(nobody, Answer::Text)
            }
            QuestionKind::Line { default } => default.clone().map_or_else(nobody, Answer::Text),
            QuestionKind::Secret => Answer::Text(format!("made-up-{}", question.text.trim_end_matches(':'))),
        };
        Box::pin(future::ready(answer))
    }
}
