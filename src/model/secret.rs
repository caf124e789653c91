//! Known secrets taken out of what people may read: logs, and what the programs of a run print. One rule for both.

/// What stands in place of a secret.
pub const TAKEN: &str = "(taken out)";

/// Bytes of a secret from which on it is looked for. A shorter one stands in every second line: taken out, it would leave
/// no text, and by the gaps it would still be told.
pub const SHORTEST: usize = 4;

/// Bytes from which on it is taken out wherever it stands, also within a longer word, where no boundary tells it: after
/// `password` of `passwordhunter2`. A shorter one goes only where it stands alone: people do choose `root` and `test`,
/// and without this `chroot` and `latest` would be no words any more; a text of which half is gone is read by nobody.
const ANYWHERE: usize = 6;

/// Adds secrets to those that are known: each once, the longest first, as one may be a part of another.
pub fn learn(known: &mut Vec<String>, secrets: impl IntoIterator<Item = String>) {
    for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST) {
        if !known.contains(&secret) {
            known.push(secret);
        }
    }
    known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
}

/// The text without these secrets, the longest first; `None` where none stands in it.
pub fn without(text: &str, secrets: &[String]) -> Option<String> {
    let mut out: Option<String> = None;
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        if let Some(now) = one(out.as_deref().unwrap_or(text), secret) {
            out = Some(now);
        }
    }
    out
}

fn one(text: &str, secret: &str) -> Option<String> {
    let (mut out, mut from) = (String::new(), 0);
    for (at, _) in text.match_indices(secret) {
        let (before, behind) = (text[..at].chars().next_back(), text[at + secret.len()..].chars().next());
        let joined = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
        if secret.len() >= ANYWHERE || !joined(before) && !joined(behind) {
            out.push_str(&text[from..at]);
            out.push_str(TAKEN);
            from = at + secret.len();
        }
    }
    (from > 0).then(|| out + &text[from..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_wherever_it_stands_and_a_short_one_where_it_stands_alone() {
        let known = ["hunter2-long", "hunter2", "root", "żółw", "ab"].map(str::to_owned);
        for (text, wanted) in [
            ("pw=hunter2, pwhunter2x", Some("pw=(taken out), pw(taken out)x")),
            ("hunter2-long hunter2", Some("(taken out) (taken out)")),
            ("chroot to rootfs, as root@db1:root", Some("chroot to rootfs, as (taken out)@db1:(taken out)")),
            ("root", Some("(taken out)")),
            ("a żółw.", Some("a (taken out).")),
            ("rootroot ab abc", None),
            ("", None),
        ] {
            assert_eq!(without(text, &known).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn they_are_known_once_the_longest_first_and_none_too_short() {
        let mut known = Vec::new();
        for _ in 0..2 {
            learn(&mut known, ["four", "abc", "the-longest", ""].map(str::to_owned));
        }
        assert_eq!(known, ["the-longest", "four"]);
    }
}
