//! Why a map is refused, in words that say what to change.

use super::TownMap;

/// A map that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The file is larger than any valid map.
    #[error(
        "the file has {bytes} bytes; a map may have {limit}: remove unused layers or make the map smaller"
    )]
    FileTooLarge {
        /// Size of the file.
        bytes: usize,
        /// Largest size.
        limit: usize,
    },
    /// The text is not a Tiled map.
    #[error("not a Tiled JSON map (in Tiled: File > Export As > JSON map files): {0}")]
    NotTiled(#[from] serde_json::Error),
    /// Hexagonal, isometric and staggered maps are not supported.
    #[error("the map is {0}; set Map > Map Properties > Orientation to Orthogonal")]
    Orientation(String),
    /// Infinite maps have no size.
    #[error("the map is infinite; clear Map > Map Properties > Infinite and export again")]
    Infinite,
    /// The map is too small or too large.
    #[error("the map is {width}×{height} tiles; each side must have 2 to {} tiles", TownMap::MAX_SIDE)]
    Size {
        /// Width in tiles.
        width: u64,
        /// Height in tiles.
        height: u64,
    },
    /// The tile size is zero.
    #[error("the tile size is zero; set Tile Width and Tile Height in the map's properties")]
    TileSize,
    /// A tile layer's data is not a plain array.
    #[error(
        "layer `{layer}` holds base64 or compressed data; set Map > Map Properties > Tile Layer Format to CSV and \
         export again"
    )]
    EncodedLayer {
        /// The layer's name.
        layer: String,
    },
    /// A tile layer does not cover the map.
    #[error("layer `{layer}` has {got} tiles, but the map has {expected}; resize the layer to the map")]
    LayerSize {
        /// The layer's name.
        layer: String,
        /// Tiles in its data.
        got: usize,
        /// Tiles of the map.
        expected: usize,
    },
    /// Nothing says where the walls are.
    #[error("no collision layer; name a tile layer `collision`, or give one a bool property `collision`")]
    NoCollision,
    /// There are no zones.
    #[error("no zones; add an object layer `zones` with at least one named rectangle or polygon")]
    NoZones,
    /// There are too many zones or spots.
    #[error("the map has {got} {what}; at most {limit} are possible")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A zone has no usable name.
    #[error("zone object {id} is named `{name}`; give it a name of 1 to 64 characters")]
    ZoneName {
        /// The object's id in Tiled.
        id: u64,
        /// Its name.
        name: String,
    },
    /// Two zones share a name.
    #[error("two zones are named `{0}`; rename one of them")]
    DuplicateZone(String),
    /// A zone's shape is neither a rectangle nor a polygon.
    #[error("zone `{zone}` is {shape}; draw it as an unrotated rectangle or as a polygon")]
    ZoneShape {
        /// The zone's name.
        zone: String,
        /// What it is instead.
        shape: &'static str,
    },
    /// A zone lies beyond the edge of the map.
    #[error("zone `{0}` reaches outside the map; move or shrink it")]
    ZoneOutside(String),
    /// Nobody can stand in a zone.
    #[error("zone `{0}` has no free tile of its own; shrink its collision or move the zones that cover it")]
    ZoneBlocked(String),
    /// A zone is walled off from the rest.
    #[error(
        "zone `{0}` cannot be reached from the rest of the map; open a door to it in the collision layer"
    )]
    ZoneUnreachable(String),
    /// A spot cannot be used.
    #[error("spot {id} at tile {x},{y} {problem}; move or delete it")]
    Spot {
        /// The object's id in Tiled.
        id: u64,
        /// Its column.
        x: i64,
        /// Its row.
        y: i64,
        /// What is wrong.
        problem: &'static str,
    },
}
