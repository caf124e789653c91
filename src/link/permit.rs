//! The right to make one mutating call. Only the runner makes one, from an intent that is on the disk; whatever changes
//! something at the other end of a link takes it and uses it up.

/// The right to make one call.
#[derive(Debug)]
pub struct Permit {
    run: String,
    step: String,
    attempt: u32,
    fence: Option<u64>,
    head: String,
}

impl Permit {
    /// For the call that the event `head` (`PLACE HASH JOURNAL`) of the journal says will be made. Only `operate::runner` names
    /// this, after that event is on the disk; `tests/architecture.rs` holds it.
    pub fn mint(run: &str, step: &str, attempt: u32, fence: Option<u64>, head: &str) -> Permit {
        Permit { run: run.to_owned(), step: step.to_owned(), attempt, fence, head: head.to_owned() }
    }

    /// The run's id.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The step's name, and `undo` after it where the call takes it back: `web1/switch`, `web1/switch/undo`; `lease`.
    pub fn step(&self) -> &str {
        &self.step
    }

    /// The try, from 1 on.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The fence number that must be that of the lease at the target; `None` where there is no lease.
    pub fn fence(&self) -> Option<u64> {
        self.fence
    }

    /// The journal's head, `PLACE HASH JOURNAL`: written down at the target, so that a journal whose end was cut off is seen.
    pub fn head(&self) -> &str {
        &self.head
    }
}
