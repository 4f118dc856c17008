//! Statements over many rows. Each number of rows is a statement of its own to prepare and to keep, so rows go in powers
//! of two: seven statements serve for any number.

/// Rows of one statement, at most.
const MOST: usize = 64;

/// `rows` in slices whose lengths are powers of two, the longest first.
pub(super) fn slices<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let most = rows.len().min(MOST);
        let length = most.checked_ilog2().map(|power| 1_usize << power)?;
        let (slice, rest) = rows.split_at_checked(length)?;
        rows = rest;
        Some(slice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_powers_of_two_and_leave_nothing_out() {
        let rows: Vec<usize> = (0..200).collect();
        let lengths: Vec<usize> = slices(&rows).map(<[usize]>::len).collect();
        assert_eq!(lengths, [64, 64, 64, 8]);
        assert_eq!(slices(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(slices::<usize>(&[]).count(), 0);
    }
}
