//! Wilson's score interval at 95 %, in whole numbers.
//!
//! With `k` of `n` right, `z` = 1.959964 (the 97.5 % point of the normal distribution, six digits) and
//! `z2` = `z` squared, the bounds are `(2k + z2 -+ z * sqrt(z2 + 4k(n - k)/n)) / (2(n + z2))`
//! (E. B. Wilson, 1927). The lower bound is rounded down and the upper one up, to ten-thousandths, so
//! the interval is never narrower than the exact one, and at most two ten-thousandths wider.

use rust_decimal::Decimal;

/// Millionths.
const MILLION: u128 = 1_000_000;
/// 1.959964 in millionths.
const Z: u128 = 1_959_964;
/// Its square, in units of 1 / 10^12.
const Z2: u128 = Z * Z;
/// Units of the square's scale in one.
const TRILLION: u128 = MILLION * MILLION;
/// Parts of a bound.
const PARTS: u128 = 10_000;

/// Between which shares the true one lies, in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The lower bound, rounded down.
    pub low: u32,
    /// The upper bound, rounded up.
    pub high: u32,
}

impl Interval {
    /// The lower bound as a share.
    pub fn low(self) -> Decimal {
        Decimal::new(self.low.into(), 4)
    }

    /// The upper bound as a share.
    pub fn high(self) -> Decimal {
        Decimal::new(self.high.into(), 4)
    }
}

/// The interval for `right` of `of`. Of none it is everything; more right than there are counts as all.
pub fn wilson(right: u32, of: u32) -> Interval {
    if of == 0 {
        return Interval { low: 0, high: 10_000 };
    }
    let (n, k) = (u128::from(of), u128::from(right.min(of)));
    // In units of 1 / 10^12 and rounded up, which widens the interval on both sides.
    let root = root_above((Z2 * n + 4 * k * (n - k) * TRILLION).div_ceil(n) * TRILLION);
    let middle = (2 * k * TRILLION + Z2) * MILLION;
    let whole = 2 * (n * TRILLION + Z2) * MILLION;
    let low = middle.saturating_sub(Z * root) * PARTS / whole;
    let high = ((middle + Z * root) * PARTS).div_ceil(whole).min(PARTS);
    let part = |number: u128| u32::try_from(number).unwrap_or(10_000);
    Interval { low: part(low), high: part(high) }
}

/// The square root, rounded up.
fn root_above(square: u128) -> u128 {
    let floor = square.isqrt();
    floor + u128::from(floor * floor < square)
}

/// A share in ten-thousandths, rounded down; nothing of nothing is no share.
pub fn share(some: u32, of: u32) -> Option<Decimal> {
    let parts = (u64::from(some) * 10_000).checked_div(of.into())?;
    Some(Decimal::new(i64::try_from(parts).ok()?, 4))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
    /// (1998), table I, method 3, which is Wilson's; rounded to the nearest there.
    const PUBLISHED: &[(u32, u32, u32, u32)] =
        &[(81, 263, 2_553, 3_662), (15, 148, 624, 1_605), (0, 20, 0, 1_611), (1, 29, 61, 1_718)];

    #[test]
    fn published_intervals_are_met_from_outside() {
        for (right, of, low, high) in PUBLISHED {
            let found = wilson(*right, *of);
            assert!(found.low <= *low && low - found.low <= 1, "{right} of {of}: {found:?}");
            assert!(found.high >= *high && found.high - high <= 1, "{right} of {of}: {found:?}");
        }
    }

    #[test]
    fn the_ends_are_ends() {
        assert_eq!(wilson(0, 0), Interval { low: 0, high: 10_000 });
        assert_eq!(wilson(0, 20).low, 0);
        assert_eq!(wilson(81, 263).high(), Decimal::new(3_663, 4));
        assert_eq!([0, 15, 16, 17, 24, 25].map(root_above), [0, 4, 4, 5, 5, 5]);
        assert_eq!(wilson(20, 20).high, 10_000);
        assert_eq!(wilson(21, 20), wilson(20, 20));
        assert_eq!((share(1, 3), share(0, 0)), (Some(Decimal::new(3_333, 4)), None));
        let huge = wilson(u32::MAX - 1, u32::MAX);
        assert!(huge.low >= 9_999 && huge.high == 10_000, "{huge:?}");
    }

    proptest! {
        /// The bound `p` solves `(k/n - p)^2 = z2 * p(1 - p)/n`; inside the interval the left side is
        /// smaller. Two parts further in it must be, at the bound itself it must not.
        #[test]
        fn each_bound_is_the_last_share_that_fits(of in 1_u32..5_000, part in 0_u32..=100) {
            let right = of * part / 100;
            let (n, k) = (i128::from(of), i128::from(right));
            let inside = |parts: u32| {
                // Times n^2 * 10^8 * 10^12 on both sides.
                let p = i128::from(parts);
                let away = (k * 10_000 - n * p).pow(2) * 1_000_000_000_000;
                away < i128::try_from(Z2).unwrap() * p * (10_000 - p) * n
            };
            let found = wilson(right, of);
            prop_assert!(!inside(found.low) && !inside(found.high), "{found:?}");
            prop_assert!(found.low + 4 > found.high || inside(found.low + 2) && inside(found.high - 2), "{found:?}");
        }

        #[test]
        fn more_that_is_right_never_lowers_the_bound(of in 1_u32..3_000, right in 0_u32..3_000) {
            let right = right.min(of);
            prop_assert!(wilson(right, of).low <= wilson((right + 1).min(of), of).low);
        }
    }
}
