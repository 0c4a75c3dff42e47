//! Seeded chance: the core has no other.

/// SplitMix64 (Steele, Lea, Flood, 2014): one number of state, and any seed gives a good sequence, so that everybody has one
/// of their own that does not depend on what others do.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// The sequence of one thing among many under a seed.
    pub fn of(seed: u64, thing: u64) -> Chance {
        let mut outer = Chance(seed);
        let seed = outer.next();
        Chance(seed ^ thing.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// Half as much to half as much again.
    pub fn around(&mut self, middle: u64) -> u64 {
        middle / 2 + self.below(middle + 1)
    }

    /// One of these, by their shares. `None` if there are none.
    pub fn pick<'a, T>(&mut self, shares: impl Iterator<Item = (&'a T, &'a u32)> + Clone) -> Option<&'a T> {
        let mut left = self.below(shares.clone().map(|(_, share)| u64::from(*share)).sum());
        for (item, share) in shares {
            match left.checked_sub(u64::from(*share)) {
                Some(rest) => left = rest,
                None => return Some(item),
            }
        }
        None
    }
}
