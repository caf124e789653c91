//! `qd man`: the manual page, from the same text as `--help`.

use std::fs;
use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::OK;
use super::args::Cli;
use super::failure::Failure;

/// Prints the page of `qd` itself; with a folder writes that and one page for each subcommand there.
pub fn run(folder: Option<&Path>, out: &mut dyn Write) -> Result<u8, Failure> {
    let Some(folder) = folder else {
        // By way of memory: a pager that is left is no error.
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page)?;
        out.write_all(&page)?;
        return Ok(OK);
    };
    let wrong = |error: std::io::Error| color_eyre::eyre::eyre!("cannot write manual pages to {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(wrong)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(wrong)?;
    writeln!(out, "{}", folder.join("qd.1").display())?;
    Ok(OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_of_every_subcommand_and_each_has_its_own() {
        let mut out = Vec::new();
        assert_eq!(run(None, &mut out).unwrap(), OK);
        let page = String::from_utf8(out).unwrap();
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(run(Some(&folder.path().join("man1")), &mut Vec::new()).unwrap(), OK);
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            assert!(page.contains(&format!("qd\\-{}(1)", name.replace('-', "\\-"))), "{name} is not on the page");
            let own = fs::read_to_string(folder.path().join(format!("man1/qd-{name}.1"))).unwrap();
            assert!(own.contains(".SH EXTRA") || own.contains("Examples"), "{name}: {own}");
        }
        assert!(page.contains("Exit codes"), "{page}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = run(Some(&file.path().join("man1")), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("cannot write manual pages to "), "{error}");
    }
}
