//! Lines of a long text, found without going through all of it each time.

use std::cell::OnceCell;

/// The text is counted once in blocks of so many bytes; to find a line, one block is gone through.
const BLOCK_BYTES: usize = 1024;

/// A text that many results point into.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    /// How many line ends lie before each block; counted when a line is asked for.
    ends_before: OnceCell<Vec<usize>>,
}

impl<'t> Lines<'t> {
    pub(super) const fn of(text: &'t str) -> Self {
        Self {
            text,
            ends_before: OnceCell::new(),
        }
    }

    /// The text of some lines, counted from 1, as far as they are there; `None` if the first one is not.
    pub(super) fn get(&self, first: u32, last: u32) -> Option<&'t str> {
        let from = self.after_end(first.checked_sub(1)?)?;
        let to = self.after_end(last.max(first)).unwrap_or(self.text.len());
        self.text.get(from..to).filter(|lines| !lines.is_empty())
    }

    /// Where the line after the `n`th line end begins.
    fn after_end(&self, n: u32) -> Option<usize> {
        let n = usize::try_from(n).ok()?;
        if n == 0 {
            return Some(0);
        }
        let bytes = self.text.as_bytes();
        let ends_before = self.ends_before.get_or_init(|| {
            let mut n_ends = 0;
            let blocks = bytes.chunks(BLOCK_BYTES).map(|block| {
                let before = n_ends;
                n_ends += memchr::memchr_iter(b'\n', block).count();
                before
            });
            blocks.collect()
        });
        // The last block before which the line has not ended yet.
        let block = ends_before
            .partition_point(|before| *before < n)
            .checked_sub(1)?;
        let from = block * BLOCK_BYTES;
        let to = bytes.len().min(from + BLOCK_BYTES);
        let end = memchr::memchr_iter(b'\n', &bytes[from..to]).nth(n - ends_before[block] - 1)?;
        Some(from + end + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_of_lines_is_what_counting_from_the_start_gives() {
        let long = "x".repeat(3 * BLOCK_BYTES);
        let at_border = format!("{}\nb\n", "a".repeat(BLOCK_BYTES - 1));
        let many = "line\n".repeat(3_000);
        for text in [
            "", "\n", "a", "a\n", "a\nb", "a\n\nb\n", &long, &at_border, &many,
        ] {
            let lines = Lines::of(text);
            let all: Vec<&str> = text.split_inclusive('\n').collect();
            let n = u32::try_from(all.len()).unwrap();
            assert_eq!(lines.get(0, 1), None);
            for first in (1..n + 2).step_by(1 + all.len() / 40) {
                for last in (first..n + 3).step_by(1 + all.len() / 40) {
                    let wanted = all.iter().skip(first as usize - 1);
                    let wanted: String =
                        wanted.take((last - first) as usize + 1).copied().collect();
                    let wanted = Some(wanted.as_str()).filter(|wanted| !wanted.is_empty());
                    assert_eq!(lines.get(first, last), wanted, "{first} to {last}");
                }
            }
            assert_eq!(lines.get(n + 1, u32::MAX), None);
        }
    }
}
