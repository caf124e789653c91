//! Text in aligned columns, for tables that people read.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::model::text::{NOTE_CAP, clean};

/// Writes rows in columns, two spaces apart and two from the left; the last column is never padded. Cells are cleaned
/// once more: a table goes to a terminal.
pub fn write(out: &mut dyn Write, rows: &[Vec<String>]) -> io::Result<()> {
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| clean(cell, NOTE_CAP)).collect()).collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    for row in &rows {
        let mut line = String::from("  ");
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_hold_no_escapes() {
        let row = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let mut out = Vec::new();
        super::write(&mut out, &[row(&["NAME", "X"]), row(&["日本", "\x1b[31mred"]), row(&["long-name", "b"])]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  NAME       X\n  日本       [31mred\n  long-name  b\n");
    }
}
