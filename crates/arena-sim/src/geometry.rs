//! Places and directions. Fixed point only, so that every machine computes the same world.

use serde::{Deserialize, Serialize};

/// Parts of a tile that a [`Pos`] counts in.
pub const SUBTILE: i32 = 256;

/// A tile of the map, counted from the top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tile {
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
}

impl Tile {
    /// The tile at column `x`, row `y`.
    pub const fn new(x: u16, y: u16) -> Tile {
        Tile { x, y }
    }

    /// The larger of the two axis distances.
    pub fn distance(self, other: Tile) -> u16 {
        self.x.abs_diff(other.x).max(self.y.abs_diff(other.y))
    }

    /// The middle of the tile.
    pub fn center(self) -> Pos {
        Pos { x: i32::from(self.x) * SUBTILE + SUBTILE / 2, y: i32::from(self.y) * SUBTILE + SUBTILE / 2 }
    }
}

/// A point on the map in 1/256ths of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pos {
    /// From the left edge.
    pub x: i32,
    /// From the top edge.
    pub y: i32,
}

impl Pos {
    /// The point in tiles, for drawing.
    pub fn to_tiles(self) -> (f64, f64) {
        (f64::from(self.x) / f64::from(SUBTILE), f64::from(self.y) / f64::from(SUBTILE))
    }

    /// The point `part / whole` of the way to `to`.
    pub(crate) fn towards(self, to: Pos, part: u64, whole: u64) -> Pos {
        let share = |a: i32, b: i32| {
            let way = i64::from(b - a) * part.min(whole) as i64 / whole.max(1) as i64;
            a + way as i32
        };
        Pos { x: share(self.x, to.x), y: share(self.y, to.y) }
    }
}

/// Where a resident looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heading {
    /// Up.
    North,
    /// Up and right.
    NorthEast,
    /// Right.
    East,
    /// Down and right.
    SouthEast,
    /// Down.
    South,
    /// Down and left.
    SouthWest,
    /// Left.
    West,
    /// Up and left.
    NorthWest,
}

impl Heading {
    /// The way from one tile towards another, or `None` on the same tile.
    pub fn between(from: Tile, to: Tile) -> Option<Heading> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        Some(match (to.x.cmp(&from.x), to.y.cmp(&from.y)) {
            (Equal, Equal) => return None,
            (Equal, Less) => Heading::North,
            (Greater, Less) => Heading::NorthEast,
            (Greater, Equal) => Heading::East,
            (Greater, Greater) => Heading::SouthEast,
            (Equal, Greater) => Heading::South,
            (Less, Greater) => Heading::SouthWest,
            (Less, Equal) => Heading::West,
            (Less, Less) => Heading::NorthWest,
        })
    }

    /// All of them, clockwise from north.
    pub const ALL: [Heading; 8] = [
        Heading::North,
        Heading::NorthEast,
        Heading::East,
        Heading::SouthEast,
        Heading::South,
        Heading::SouthWest,
        Heading::West,
        Heading::NorthWest,
    ];

    /// Degrees clockwise from north.
    pub fn degrees(self) -> u16 {
        self as u16 * 45
    }

    /// The heading of exactly that many degrees.
    pub fn from_degrees(degrees: u16) -> Option<Heading> {
        Heading::ALL.into_iter().find(|heading| heading.degrees() == degrees)
    }
}

/// One step of a walk, to one of four neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Dir {
    North = 0,
    East = 1,
    South = 2,
    West = 3,
}

impl Dir {
    /// The order in which every search looks at neighbours.
    pub(crate) const ALL: [Dir; 4] = [Dir::North, Dir::East, Dir::South, Dir::West];

    /// The direction packed into the two low bits.
    pub(crate) fn from_bits(bits: u8) -> Dir {
        Dir::ALL[usize::from(bits & 3)]
    }

    pub(crate) fn opposite(self) -> Dir {
        Dir::from_bits(self as u8 + 2)
    }

    pub(crate) fn heading(self) -> Heading {
        match self {
            Dir::North => Heading::North,
            Dir::East => Heading::East,
            Dir::South => Heading::South,
            Dir::West => Heading::West,
        }
    }
}
