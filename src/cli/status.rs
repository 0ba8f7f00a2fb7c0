//! The exit statuses: a promise to whoever calls the program.

use crate::event::RunEnd;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0: all done.
    Done,
    /// 1: the runbook failed.
    Failed,
    /// 2: the command line, the runbook's text or its parameters are wrong; nothing was run.
    Usage,
    /// 3: the run was stopped and can be resumed.
    Stopped,
    /// 4: a person, `--read-only` or a missing confirmation refused a change.
    Refused,
}

impl Status {
    pub fn code(self) -> u8 {
        match self {
            Status::Done => 0,
            Status::Failed => 1,
            Status::Usage => 2,
            Status::Stopped => 3,
            Status::Refused => 4,
        }
    }
}

impl From<RunEnd> for Status {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Done => Status::Done,
            RunEnd::Failed => Status::Failed,
            RunEnd::Stopped => Status::Stopped,
            RunEnd::Refused => Status::Refused,
        }
    }
}
