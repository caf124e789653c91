//! Takes values out of configuration that look like secrets, before a line of it is shown. It rather takes out too much:
//! what stands after a key that sounds like a secret, all below such a section, private keys, passwords in addresses, and
//! long mixed texts that look like a token whatever their key is.

use crate::model::secret::TAKEN;

/// Parts of a key that say that its value is a secret.
const WORDS: [&str; 17] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "key",
    "credential",
    "private",
    "auth",
    "cookie",
    "salt",
    "signature",
    "dsn",
    "bearer",
    "webhook",
];
/// How known tokens begin.
const BEGINS: [&str; 9] = ["AKIA", "ghp_", "gho_", "github_pat_", "glpat-", "xox", "sk-", "sk_", "eyJ"];

/// The lines with what looks like a secret taken out: as many as before.
pub fn redacted(lines: &[&str]) -> Vec<String> {
    let mut state = State::default();
    lines.iter().map(|line| state.line(line)).collect()
}

#[derive(Default)]
struct State {
    /// Within a private key, until its end.
    block: bool,
    /// Below a key that sounds like a secret: until a line that is indented no further than this.
    below: Option<usize>,
    /// Within a section that sounds like secrets, until the next section.
    section: bool,
    /// The line before names a secret, and its value may stand in this one: `name: PASSWORD`, then `value: x`.
    named: bool,
    /// Within a value of several lines that began after a secret's key, until this closes it.
    quote: Option<&'static str>,
}

impl State {
    fn line(&mut self, line: &str) -> String {
        let indent = line.len() - line.trim_start().len();
        let text = line.trim();
        let taken = || format!("{}{TAKEN}", &line[..indent]);
        if self.block {
            self.block = !text.contains("-----END");
            return taken();
        }
        if text.contains("-----BEGIN") && text.contains("PRIVATE") {
            self.block = !text.contains("-----END");
            return taken();
        }
        if let Some(quote) = self.quote {
            if text.contains(quote) {
                self.quote = None;
            }
            return taken();
        }
        if text.is_empty() {
            return line.to_owned();
        }
        if text.starts_with('[') && text.ends_with(']') && !text.contains(['=', '"', ',']) {
            self.section = sounds(text);
            (self.below, self.named) = (None, false);
            return line.to_owned();
        }
        if self.below.is_some_and(|top| indent > top || (indent == top && text.starts_with("- "))) {
            return taken();
        }
        let was_named = std::mem::take(&mut self.named);
        self.below = None;
        let secret = secret_at(text);
        if let Some(at) = secret {
            let (key, value) = text.split_at(at);
            let value = value.trim();
            // Its value stands in the lines below, or nothing does.
            if matches!(value, "" | "|" | ">" | "|-" | ">-" | "|+" | ">+" | "{" | "[") || value.ends_with('\\') {
                self.below = Some(indent);
                if value.ends_with('\\') {
                    return format!("{}{key} {TAKEN}", &line[..indent]);
                }
                return line.to_owned();
            }
            for quote in ["\"\"\"", "'''"] {
                if value.matches(quote).count() == 1 {
                    self.quote = Some(quote);
                }
            }
            let space = if key.ends_with([':', '=']) && text[at..].starts_with(' ') { " " } else { "" };
            return format!("{}{key}{space}{TAKEN}", &line[..indent]);
        }
        self.named = sounds(text);
        if (self.section || was_named)
            && let Some(at) = text.find(['=', ':'])
        {
            return format!("{}{} {TAKEN}", &line[..indent], &text[..=at]);
        }
        if self.section {
            return taken();
        }
        tokens(line)
    }
}

/// True where it names a secret.
fn sounds(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// Where the value begins of the first key in it that sounds like a secret.
fn secret_at(text: &str) -> Option<usize> {
    // Bytes stay where they are: only ASCII letters change.
    let lower = text.to_ascii_lowercase();
    let first = WORDS.iter().filter_map(|word| lower.find(word)).min()?;
    // Of a command's `--password x` and of XML the value stands after a space or a bracket.
    let rest = &lower[first..];
    let sign = rest.find(['=', ':', '>']).or_else(|| if lower[..first].contains("--") { rest.find(' ') } else { None })?;
    Some(first + sign + 1)
}

/// The line without what looks like a token or a password in an address.
fn tokens(line: &str) -> String {
    let address = without_user(line);
    let part = |c: char| !(c.is_ascii_alphanumeric() || "_-+/.~".contains(c));
    let mut out = String::with_capacity(address.len());
    let mut rest = address.as_str();
    while !rest.is_empty() {
        let end = rest.find(part).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(if is_token(word) { TAKEN } else { word });
        let next = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

/// Addresses hold a password between `://name:` and `@`.
fn without_user(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "\"'<>".contains(c)).unwrap_or(after.len());
        // A password may hold a slash or an `@` of its own.
        match after[..end].rfind('@') {
            Some(place) => {
                out.push_str(TAKEN);
                rest = &after[place..];
            }
            None => rest = after,
        }
    }
    out + rest
}

/// Known beginnings, and long texts with capital and small letters and digits mixed; what is hexadecimal is a digest.
fn is_token(word: &str) -> bool {
    if word.len() >= 16 && BEGINS.iter().any(|begin| word.starts_with(begin)) {
        return true;
    }
    let has = |kind: fn(&char) -> bool| word.chars().filter(kind).count();
    let (upper, lower, digits) = (has(char::is_ascii_uppercase), has(char::is_ascii_lowercase), has(char::is_ascii_digit));
    word.len() >= 20 && !word.contains(['.', '/']) && upper >= 2 && lower >= 2 && digits >= 2
        || word.len() >= 32 && upper >= 4 && lower >= 4 && digits >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> String {
        redacted(&[line]).remove(0)
    }

    #[test]
    fn the_value_after_a_key_that_sounds_like_a_secret_is_taken_out_in_every_notation() {
        for (line, shown) in [
            ("password = \"hunter2\"", "password = (taken out)"),
            ("export DB_PASSWORD=hunter2", "export DB_PASSWORD=(taken out)"),
            ("  api_key: hunter2", "  api_key: (taken out)"),
            ("  \"clientSecret\": \"hunter2\",", "  \"clientSecret\": (taken out)"),
            ("{\"user\":\"x\",\"password\":\"hunter2\"}", "{\"user\":\"x\",\"password\":(taken out)"),
            ("<password>hunter2</password>", "<password>(taken out)"),
            ("args: --password hunter2", "args: --password (taken out)"),
            ("Authorization: Bearer hunter2", "Authorization: (taken out)"),
            ("# old password: hunter2", "# old password: (taken out)"),
        ] {
            assert!(!one(line).contains("hunter2"), "{line}");
            assert_eq!(one(line).replace(" )", ")"), shown, "{line}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "timeout = 30",
            "host: db1.example",
            "image: web@sha256:9c1f0b29c1f0b29c1f0b29c1f0b29c1f0b29c1f0b2",
            "path = /srv/releases/2026-11-21T06",
            "",
        ] {
            assert_eq!(one(line), line);
        }
    }

    #[test]
    fn values_of_several_lines_go_too() {
        let lines = [
            "tls:",
            "  -----BEGIN RSA PRIVATE KEY-----",
            "  hunter2",
            "  -----END RSA PRIVATE KEY-----",
            "secrets:",
            "  a: hunter2",
            "  b:",
            "    c: hunter2",
            "port: 1",
            "token: |",
            "  hunter2",
            "",
            "  hunter2",
            "port: 2",
            "- name: DB_PASSWORD",
            "  value: hunter2",
            "- name: PORT",
            "  value: 80",
            "password = \"\"\"",
            "hunter2",
            "\"\"\"",
            "[credentials]",
            "user = \"hunter2\"",
            "hunter2",
            "[server]",
            "port = 3",
        ];
        let shown = redacted(&lines);
        assert_eq!(shown.len(), lines.len());
        let text = shown.join("\n");
        assert!(!text.contains("hunter2"), "{text}");
        for kept in ["port: 1", "port: 2", "value: 80", "port = 3"] {
            assert!(text.contains(kept), "{kept} of {text}");
        }
    }

    #[test]
    fn addresses_and_tokens_are_taken_out_whatever_their_key_is() {
        assert_eq!(one("url = \"postgres://app:hunt/er@2@db1/shop\""), "url = \"postgres://(taken out)@db1/shop\"");
        assert_eq!(one("from a://u:p@h b://i"), "from a://(taken out)@h b://i");
        assert_eq!(one("id = \"AKIAIOSFODNN7EXAMPLE\""), "id = \"(taken out)\"");
        assert!(!one("x = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1'").contains("wJalr"));
    }
}
