//! `synchronous_standby_names`: whose answer every commit waits for.

/// How many of whom a commit waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// So many must answer.
    pub wanted: usize,
    /// Of these.
    pub names: Vec<Wanted>,
}

/// Who may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Any standby: `*`.
    Any,
    /// A standby of that `application_name`, upper and lower case alike.
    Name(String),
}

impl Quorum {
    /// Reads the setting; `None` where it is empty: no commit waits for a standby. Written as `a, b`, `2 (a, b)`,
    /// `FIRST 2 (a, b)` or `ANY 2 (a, b)`, with names in double quotes where they are no identifiers.
    pub fn parse(setting: &str) -> Option<Quorum> {
        let text = setting.trim();
        if text.is_empty() {
            return None;
        }
        // A name may hold a bracket only within quotes.
        let (wanted, list) = match text.find(['(', '"']) {
            Some(at) if text[at..].starts_with('(') => {
                let count = text[..at].split_whitespace().last().and_then(|word| word.parse().ok()).unwrap_or(1);
                (count, text[at + 1..].trim_end().strip_suffix(')').unwrap_or(&text[at + 1..]))
            }
            _ => (1, text),
        };
        let names: Vec<Wanted> = names(list).into_iter().map(|n| if n == "*" { Wanted::Any } else { Wanted::Name(n) }).collect();
        (!names.is_empty()).then_some(Quorum { wanted, names })
    }

    /// The names that none of these standbys has.
    pub fn unanswered<'a>(&'a self, standbys: &[&str]) -> Vec<&'a str> {
        let missing = |name: &&Wanted| match name {
            Wanted::Any => standbys.is_empty(),
            Wanted::Name(name) => !standbys.iter().any(|s| s.eq_ignore_ascii_case(name)),
        };
        let word = |name: &'a Wanted| match name {
            Wanted::Any => "*",
            Wanted::Name(name) => name.as_str(),
        };
        self.names.iter().filter(missing).map(word).collect()
    }

    /// True where fewer of these standbys count than a commit waits for: it waits without end.
    pub fn hangs(&self, standbys: &[&str]) -> bool {
        let counts = |s: &&&str| {
            self.names.iter().any(|name| match name {
                Wanted::Any => true,
                Wanted::Name(name) => s.eq_ignore_ascii_case(name),
            })
        };
        standbys.iter().filter(counts).count() < self.wanted
    }
}

/// The names of a list, out of their quotes; a doubled quote within stands for one.
fn names(list: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut name = String::new();
    let mut quoted = false;
    let mut chars = list.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                name.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut name)),
            c if c.is_whitespace() && !quoted => {}
            c => name.push(c),
        }
    }
    all.push(name);
    all.retain(|name| !name.is_empty());
    all
}
