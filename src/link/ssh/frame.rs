//! What goes to a host and what comes back: a frame around what the script prints, so that a greeting before it is passed
//! over, a link that was cut is seen, and the script's exit code is its own.

use std::hash::{BuildHasher, Hasher};

use super::Script;

/// Bytes beside the script's own output: a greeting of the login shell, the frame.
pub(super) const ROOM: usize = 64 << 10;

/// Runs the script within the frame: `$1` is the mark, `$2` the expected machine-id or `-`, `$3` the script. A script
/// that ends its shell ends its own only. `qd_lc` keeps the locale for those that start something else. A shell begins what
/// it complains of with this text, as its own name: of that the last line is read.
const AROUND: &str = r#"qd_lc=${LC_ALL+x$LC_ALL}; LC_ALL=C; export LC_ALL; qd_mark=$1; qd_id=$2; qd_script=$3; shift 3
if [ "$qd_id" != - ]; then
  qd_is=; [ -r /etc/machine-id ] && read -r qd_is </etc/machine-id
  if [ "$qd_is" != "$qd_id" ]; then printf '\n%s other %s\n' "$qd_mark" "$qd_is"; exit 0; fi
fi
printf '\n%s begin\n' "$qd_mark"
( eval "$qd_script" ) </dev/null
printf '\n%s end %s\n' "$qd_mark" "$?"
# sh"#;

/// The mark of one run. Nobody knows it before, so that no file name can hold it.
#[derive(Debug)]
pub(super) struct Frame {
    mark: String,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framed {
    /// All that the script printed, and its exit code.
    Whole {
        /// Its output.
        out: Vec<u8>,
        /// Its exit code.
        code: i32,
    },
    /// The machine has this machine-id, which is not the expected one; nothing was run.
    Other(String),
    /// The end is missing.
    Cut,
}

impl Frame {
    /// With a mark of its own.
    pub(super) fn new() -> Frame {
        let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
        Frame { mark: format!("qd-{:016x}{:016x}", random(), random()) }
    }

    /// The standard input of the command; `None` where an argument cannot be carried.
    pub(super) fn input(&self, script: Script, machine: Option<&str>, arguments: &[&str]) -> Option<Vec<u8>> {
        let mut input = Vec::new();
        for word in [AROUND, &self.mark, machine.unwrap_or("-"), script.0].iter().chain(arguments) {
            // Not every xargs keeps an empty one.
            if word.is_empty() || word.contains('\0') {
                return None;
            }
            input.extend_from_slice(word.as_bytes());
            input.push(0);
        }
        Some(input)
    }

    /// Takes it apart.
    pub(super) fn read(&self, all: &[u8]) -> Framed {
        if let Some(at) = find(all, format!("\n{} other ", self.mark).as_bytes()) {
            let id = String::from_utf8_lossy(&all[at..]);
            let id = id.lines().next().unwrap_or_default();
            return Framed::Other(id.chars().filter(char::is_ascii_alphanumeric).take(64).collect());
        }
        let begin = find(all, format!("\n{} begin\n", self.mark).as_bytes());
        let Some(rest) = begin.and_then(|at| all.get(at..)) else { return Framed::Cut };
        let end = format!("\n{} end ", self.mark);
        let Some(at) = find(rest, end.as_bytes()) else { return Framed::Cut };
        let code = String::from_utf8_lossy(&rest[at..]);
        // Without its line's end the number may be the half of one.
        let Some(code) = code.split_once('\n').and_then(|(code, _)| code.trim().parse().ok()) else { return Framed::Cut };
        Framed::Whole { out: rest[..at - end.len()].to_vec(), code }
    }
}

/// The place after the first of these.
fn find(all: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(all, what).map(|at| at + what.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame { mark: "M".into() }
    }

    fn whole(out: &[u8], code: i32) -> Framed {
        Framed::Whole { out: out.to_vec(), code }
    }

    #[test]
    fn what_stands_between_the_marks_is_the_output() {
        assert_eq!(frame().read(b"Welcome!\n\nM begin\na\0b\n\nM end 7\n"), whole(b"a\0b\n", 7));
        assert_eq!(frame().read(b"\nM begin\n\nM end 0\n"), whole(b"", 0));
    }

    #[test]
    fn without_its_end_it_is_cut() {
        for cut in
            [&b""[..], b"\nM begin", b"\nM begin\nabc", b"\nM begin\nabc\nM end 1", b"\nM begin\nabc\nM end x\n", b"\nN begin\n\nN end 0\n"]
        {
            assert_eq!(frame().read(cut), Framed::Cut, "{}", String::from_utf8_lossy(cut));
        }
    }

    #[test]
    fn another_machine_is_told_with_what_it_is() {
        assert_eq!(frame().read(b"hi\n\nM other 3f\x1b[2J\n"), Framed::Other("3f2J".into()));
        assert_eq!(frame().read(b"\nM other \n"), Framed::Other(String::new()));
    }

    #[test]
    fn marks_differ_and_arguments_that_cannot_be_carried_are_refused() {
        assert_ne!(Frame::new().mark, Frame::new().mark);
        assert!(frame().input(Script("true"), None, &["a", ""]).is_none());
        assert!(frame().input(Script("true"), None, &["a\0b"]).is_none());
        assert!(frame().input(Script("true"), None, &["a"]).unwrap().ends_with(b"\0M\0-\0true\0a\0"));
    }
}
