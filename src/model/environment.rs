//! What an estate's `environment` means: it is free text, and whoever reads it at 3 a.m. must not take production for
//! anything else. What is not known is never taken for harmless.

use super::preferences::Token;

/// How much care an environment wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// What customers use.
    Production,
    /// What is known to be something else: staging, tests, practice.
    Other,
    /// A text of which nobody can tell.
    Unknown,
}

/// A word in the text that makes it production.
const PRODUCTION: [&str; 4] = ["production", "prod", "prd", "live"];
/// Texts, and words in a text without any of [`PRODUCTION`], that make it harmless.
const OTHER: [&str; 21] = [
    "staging",
    "stage",
    "stg",
    "preprod",
    "nonprod",
    "acceptance",
    "integration",
    "test",
    "testing",
    "qa",
    "uat",
    "dev",
    "development",
    "local",
    "sandbox",
    "practice",
    "demo",
    "lab",
    "ci",
    "preview",
    "drill",
];
/// Words before production that make it something else.
const BEFORE: [&str; 2] = ["pre", "non"];

/// The care that this text wants: `prod-eu` is production, `pre-production` is not, `emea` may be.
pub fn care(text: &str) -> Care {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let production = |word: &&str| PRODUCTION.contains(word);
    match words.as_slice() {
        [before, word] if BEFORE.contains(before) && production(word) => Care::Other,
        words if words.iter().any(production) => Care::Production,
        words if words.iter().any(|word| OTHER.contains(word)) => Care::Other,
        _ => Care::Unknown,
    }
}

/// How it stands on the screen: production in capitals and by that very word, others in small letters, and what is
/// unknown with a question mark.
pub fn shown(text: &str) -> (String, Token) {
    match care(text) {
        Care::Production if PRODUCTION.iter().any(|word| text.eq_ignore_ascii_case(word)) => ("PRODUCTION".to_owned(), Token::Production),
        Care::Production => (format!("PRODUCTION ({text})"), Token::Production),
        Care::Other => (text.to_lowercase(), Token::Title),
        Care::Unknown => (format!("{text}?"), Token::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_known_by_any_of_its_words_and_never_taken_for_harmless() {
        for text in ["production", "PROD", "live", "prod-eu", "eu/production", "prod test", "demo-prod", "pre-prod-live"] {
            assert_eq!(care(text), Care::Production, "{text}");
            assert!(shown(text).0.starts_with("PRODUCTION"), "{text}");
        }
        for text in ["pre-production", "Non-Prod", "preprod", "staging", "test", "practice", "dev-2"] {
            assert_eq!(care(text), Care::Other, "{text}");
        }
    }

    #[test]
    fn what_nobody_can_tell_is_said_to_be_that() {
        for text in ["", "emea", "reproduction", "alive", "blue"] {
            assert_eq!(care(text), Care::Unknown, "{text}");
            assert_eq!(shown(text), (format!("{text}?"), Token::Unknown));
        }
    }
}
