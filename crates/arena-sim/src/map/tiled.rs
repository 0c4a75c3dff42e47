//! Reads maps drawn with the Tiled editor (<https://doc.mapeditor.org/en/stable/reference/json-map-format/>).

use super::build::{Draft, DraftSpot, DraftZone};
use super::{MapError, TileIndex, TownMap};
use crate::geometry::Tile;
use serde::Deserialize;
use serde_json::Value;

/// A 512×512 map with a dozen plain layers fits.
const MAX_FILE_BYTES: usize = 24 * 1024 * 1024;
const MAX_ZONE_NAME_CHARS: usize = 64;
const MAX_POLYGON_POINTS: usize = 256;

#[derive(Deserialize)]
struct TiledMap {
    orientation: String,
    #[serde(default)]
    infinite: bool,
    width: u64,
    height: u64,
    tilewidth: f64,
    tileheight: f64,
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(default)]
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    properties: Vec<Property>,
    #[serde(default)]
    objects: Vec<Object>,
    #[serde(default)]
    layers: Vec<Layer>,
    #[serde(default)]
    offsetx: f64,
    #[serde(default)]
    offsety: f64,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: u64,
    #[serde(default)]
    name: String,
    x: f64,
    y: f64,
    #[serde(default)]
    width: f64,
    #[serde(default)]
    height: f64,
    #[serde(default)]
    rotation: f64,
    #[serde(default)]
    ellipse: bool,
    #[serde(default)]
    point: bool,
    polygon: Option<Vec<Point>>,
    polyline: Option<Vec<Point>>,
}

#[derive(Deserialize, Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

impl TownMap {
    /// Reads a map from Tiled's JSON format.
    ///
    /// Walls are the non-empty tiles of every tile layer that is named `collision` or has a bool property
    /// `collision`. Zones are the named rectangles and polygons of the object layer `zones`; a tile belongs to the
    /// first zone that covers its middle. The object layer `spots` may mark places where residents like to stop.
    /// Layers inside groups count too; everything else in the file is for the eye only.
    ///
    /// # Errors
    /// Anything that would leave residents without a place to be: see [`MapError`].
    pub fn from_tiled_json(json: &str) -> Result<TownMap, MapError> {
        if json.len() > MAX_FILE_BYTES {
            return Err(MapError::FileTooLarge { bytes: json.len(), limit: MAX_FILE_BYTES });
        }
        let tiled: TiledMap = serde_json::from_str(json)?;
        if tiled.orientation != "orthogonal" {
            return Err(MapError::Orientation(tiled.orientation));
        }
        if tiled.infinite {
            return Err(MapError::Infinite);
        }
        let sides = 2..=u64::from(TownMap::MAX_SIDE);
        if !sides.contains(&tiled.width) || !sides.contains(&tiled.height) {
            return Err(MapError::Size { width: tiled.width, height: tiled.height });
        }
        if tiled.tilewidth < 1.0 || tiled.tileheight < 1.0 {
            return Err(MapError::TileSize);
        }
        let grid = Grid { width: tiled.width as u16, height: tiled.height as u16, tile: tiled.tile_size() };
        let mut layers = Vec::new();
        flatten(&tiled.layers, &mut layers);
        let blocked = grid.walls(&layers)?;
        let zones = grid.zones(&layers)?;
        let spots = grid.spots(&layers)?;
        Draft { width: grid.width, height: grid.height, blocked, zones, spots }.build()
    }
}

impl TiledMap {
    fn tile_size(&self) -> Point {
        Point { x: self.tilewidth, y: self.tileheight }
    }
}

fn flatten<'a>(layers: &'a [Layer], into: &mut Vec<&'a Layer>) {
    for layer in layers {
        into.push(layer);
        flatten(&layer.layers, into);
    }
}

impl Layer {
    fn is_collision(&self) -> bool {
        let marked = |p: &Property| p.name.eq_ignore_ascii_case("collision") && p.value == Value::Bool(true);
        self.kind == "tilelayer"
            && (self.name.eq_ignore_ascii_case("collision") || self.properties.iter().any(marked))
    }

    fn holds(&self, objects: &str) -> bool {
        self.kind == "objectgroup" && self.name.eq_ignore_ascii_case(objects)
    }
}

/// The map's size, and how large a tile is in the editor's pixels.
struct Grid {
    width: u16,
    height: u16,
    tile: Point,
}

impl Grid {
    fn walls(&self, layers: &[&Layer]) -> Result<Vec<bool>, MapError> {
        let expected = usize::from(self.width) * usize::from(self.height);
        let mut walls = vec![false; expected];
        let mut found = 0;
        for layer in layers.iter().filter(|layer| layer.is_collision()) {
            let Value::Array(data) = &layer.data else {
                return Err(MapError::EncodedLayer { layer: layer.name.clone() });
            };
            if data.len() != expected {
                return Err(MapError::LayerSize { layer: layer.name.clone(), got: data.len(), expected });
            }
            for (wall, tile) in walls.iter_mut().zip(data) {
                *wall |= tile.as_u64() != Some(0);
            }
            found += 1;
        }
        if found == 0 { Err(MapError::NoCollision) } else { Ok(walls) }
    }

    fn zones(&self, layers: &[&Layer]) -> Result<Vec<DraftZone>, MapError> {
        let zone_layers = layers.iter().filter(|layer| layer.holds("zones"));
        let objects: Vec<(&Layer, &Object)> =
            zone_layers.flat_map(|layer| layer.objects.iter().map(move |object| (*layer, object))).collect();
        let (got, limit) = (objects.len(), TownMap::MAX_ZONES);
        if got > limit {
            return Err(MapError::TooMany { what: "zones", got, limit });
        }
        objects.into_iter().map(|(layer, object)| self.zone(layer, object)).collect()
    }

    fn zone(&self, layer: &Layer, object: &Object) -> Result<DraftZone, MapError> {
        let name = object.name.trim();
        if name.is_empty() || name.chars().count() > MAX_ZONE_NAME_CHARS {
            return Err(MapError::ZoneName { id: object.id, name: name.chars().take(80).collect() });
        }
        let outline = object.outline(name)?;
        let to_tiles = |p: &Point| Point {
            x: (object.x + layer.offsetx + p.x) / self.tile.x,
            y: (object.y + layer.offsety + p.y) / self.tile.y,
        };
        let outline: Vec<Point> = outline.iter().map(to_tiles).collect();
        let (width, height) = (f64::from(self.width), f64::from(self.height));
        let inside = |p: &Point| (0.0..=width).contains(&p.x) && (0.0..=height).contains(&p.y);
        if !outline.iter().all(inside) {
            return Err(MapError::ZoneOutside(name.to_owned()));
        }
        Ok(DraftZone { name: name.to_owned(), tiles: self.covered(&outline) })
    }

    /// The tiles whose middle is inside the outline.
    fn covered(&self, outline: &[Point]) -> Vec<TileIndex> {
        let mut tiles = Vec::new();
        let low = |value: fn(&Point) -> f64| outline.iter().map(value).fold(f64::MAX, f64::min) as u16;
        let high = |value: fn(&Point) -> f64| outline.iter().map(value).fold(0.0, f64::max).ceil() as u16;
        for y in low(|p| p.y)..high(|p| p.y) {
            for x in low(|p| p.x)..high(|p| p.x) {
                let middle = Point { x: f64::from(x) + 0.5, y: f64::from(y) + 0.5 };
                if contains(outline, middle) {
                    tiles.push(u32::from(y) * u32::from(self.width) + u32::from(x));
                }
            }
        }
        tiles
    }

    fn spots(&self, layers: &[&Layer]) -> Result<Vec<DraftSpot>, MapError> {
        let mut spots = Vec::new();
        for layer in layers.iter().filter(|layer| layer.holds("spots")) {
            for object in &layer.objects {
                let x = (object.x + layer.offsetx + object.width / 2.0) / self.tile.x;
                let y = (object.y + layer.offsety + object.height / 2.0) / self.tile.y;
                if !(0.0..f64::from(self.width)).contains(&x) || !(0.0..f64::from(self.height)).contains(&y) {
                    let (x, y) = (x.floor() as i64, y.floor() as i64);
                    return Err(MapError::Spot { id: object.id, x, y, problem: "is outside the map" });
                }
                spots.push(DraftSpot { id: object.id, at: Tile::new(x as u16, y as u16) });
            }
        }
        Ok(spots)
    }
}

impl Object {
    /// The corners, relative to the object.
    fn outline(&self, zone: &str) -> Result<Vec<Point>, MapError> {
        let refuse = |shape| Err(MapError::ZoneShape { zone: zone.to_owned(), shape });
        match &self.polygon {
            _ if self.rotation != 0.0 => refuse("rotated"),
            Some(corners) if corners.len() > MAX_POLYGON_POINTS => {
                refuse("a polygon of more than 256 points")
            }
            Some(corners) => Ok(corners.clone()),
            None if self.ellipse => refuse("an ellipse"),
            None if self.point => refuse("a point"),
            None if self.polyline.is_some() => refuse("an open line"),
            None if self.width <= 0.0 || self.height <= 0.0 => refuse("without a size"),
            None => {
                let (width, height) = (self.width, self.height);
                Ok([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
                    .map(|(x, y)| Point { x, y })
                    .into())
            }
        }
    }
}

/// Counts how often a ray to the right crosses the outline.
fn contains(outline: &[Point], p: Point) -> bool {
    let edges = outline.iter().zip(outline.iter().cycle().skip(1));
    let crosses = |(a, b): &(&Point, &Point)| {
        (a.y > p.y) != (b.y > p.y) && p.x < a.x + (b.x - a.x) * (p.y - a.y) / (b.y - a.y)
    };
    edges.filter(crosses).count() % 2 == 1
}
