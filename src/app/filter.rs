//! The filter line: words, PromQL-style matchers, `field:regex`, `age<2h`, and `!` before any of them.

/// A parsed filter. The empty one lets everything through.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// As it was typed.
    pub text: String,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Filter) -> bool {
        self.text == other.text
    }
}
