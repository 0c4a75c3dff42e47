//! Maps from the Tiled editor: what is read, and what is refused with which words.

use arena_sim::{MapError, TOWN_JSON, Tile, TownMap};
use serde_json::{Value, json};

/// A 6×4 map: a wall with a door at row 1 between two rooms, a zone on each side.
fn small() -> Value {
    let walls = [0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 9, 0, 0];
    let zone = |id: u32, name: &str, x: u32| json!({"id": id, "name": name, "x": x, "y": 0, "width": 48, "height": 64});
    json!({
        "orientation": "orthogonal", "infinite": false, "width": 6, "height": 4, "tilewidth": 16, "tileheight": 16,
        "layers": [
            {"type": "tilelayer", "name": "Collision", "width": 6, "height": 4, "data": walls},
            {"type": "objectgroup", "name": "zones", "objects": [zone(1, "west", 0), zone(2, "east", 48)]}
        ]
    })
}

fn read(map: &Value) -> Result<TownMap, MapError> {
    TownMap::from_tiled_json(&map.to_string())
}

/// The words with which the small map is refused after a change.
fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut map = small();
    change(&mut map);
    read(&map).expect_err("the map must be refused").to_string()
}

#[test]
fn the_shipped_town_has_five_connected_zones_with_spots() {
    let map = TownMap::from_tiled_json(TOWN_JSON).unwrap();
    let names: Vec<&str> = map.zones().iter().map(|zone| zone.name.as_str()).collect();
    assert_eq!((map.width(), map.height()), (64, 48));
    assert_eq!(names, ["casino", "dark-alley", "suburb", "downtown", "underground"]);
    assert!(map.zones().iter().all(|zone| zone.spots.len() >= 16));
    assert!(map.free_tiles() > 1_900, "AI Town's map has 1,907");
}

#[test]
fn walls_zones_and_spots_are_read() {
    let map = read(&small()).unwrap();
    assert!(!map.is_free(Tile::new(3, 0)) && map.is_free(Tile::new(3, 1)));
    assert_eq!(map.zone_at(Tile::new(2, 2)), map.zone_named("west"));
    assert_eq!(map.zone_at(Tile::new(4, 2)), map.zone_named("east"));
    assert!(map.zones().iter().all(|zone| zone.spots.iter().all(|spot| map.is_free(*spot))));
}

#[test]
fn a_layer_can_be_marked_by_a_property_and_sit_in_a_group() {
    let mut map = small();
    let mut walls = map["layers"][0].take();
    walls["name"] = "walls".into();
    walls["properties"] = json!([{"name": "collision", "type": "bool", "value": true}]);
    map["layers"][0] = json!({"type": "group", "name": "town", "layers": [walls]});
    assert_eq!(read(&map).unwrap().fingerprint(), read(&small()).unwrap().fingerprint());
}

#[test]
fn a_polygon_can_be_a_zone() {
    let mut map = small();
    map["layers"][1]["objects"][0] = json!({"id": 1, "name": "west", "x": 0, "y": 0, "width": 0, "height": 0,
        "polygon": [{"x": 0, "y": 0}, {"x": 48, "y": 0}, {"x": 0, "y": 64}]});
    let map = read(&map).unwrap();
    assert_eq!(map.zone_at(Tile::new(0, 0)), map.zone_named("west"));
    assert_eq!(map.zone_at(Tile::new(2, 3)), None);
}

#[test]
fn a_pocket_that_nobody_can_reach_counts_as_blocked() {
    let mut map = small();
    map["layers"][0]["data"][1] = 9.into();
    map["layers"][0]["data"][6] = 9.into();
    assert!(!read(&map).unwrap().is_free(Tile::new(0, 0)));
}

#[test]
fn base64_data_is_refused_with_the_setting_to_change() {
    let text = refusal(|map| map["layers"][0]["data"] = "AAAA".into());
    assert!(text.contains("Collision") && text.contains("Tile Layer Format to CSV"), "{text}");
}

#[test]
fn wrong_sizes_are_refused() {
    let text = refusal(|map| map["layers"][0]["data"] = json!([0, 1]));
    assert!(text.contains("has 2 tiles, but the map has 24"), "{text}");
    assert!(refusal(|map| map["width"] = 513.into()).contains("513×4"));
    assert!(refusal(|map| map["height"] = 0.into()).contains("2 to 512"));
    assert!(refusal(|map| map["tilewidth"] = 0.into()).contains("Tile Width"));
}

#[test]
fn a_zone_outside_the_map_is_refused() {
    assert!(
        refusal(|map| map["layers"][1]["objects"][1]["x"] = 56.into()).contains("`east` reaches outside")
    );
    assert!(
        refusal(|map| map["layers"][1]["objects"][1]["y"] = (-8).into()).contains("`east` reaches outside")
    );
}

#[test]
fn a_zone_behind_a_closed_wall_is_refused() {
    let text = refusal(|map| map["layers"][0]["data"][9] = 9.into());
    assert!(text.contains("`east` cannot be reached") && text.contains("open a door"), "{text}");
}

#[test]
fn a_zone_without_a_free_tile_is_refused() {
    let text = refusal(|map| {
        map["layers"][1]["objects"][1]["width"] = 16.into();
        map["layers"][1]["objects"][1]["height"] = 16.into();
    });
    assert!(text.contains("`east` has no free tile"), "{text}");
}

#[test]
fn what_is_missing_is_named() {
    assert!(refusal(|map| map["layers"][0]["name"] = "walls".into()).contains("no collision layer"));
    assert!(refusal(|map| map["layers"][1]["name"] = "areas".into()).contains("object layer `zones`"));
    assert!(refusal(|map| map["layers"][1]["objects"][0]["name"] = " ".into()).contains("zone object 1"));
    assert!(refusal(|map| map["layers"][1]["objects"][0]["name"] = "east".into()).contains("two zones"));
    assert!(refusal(|map| map["infinite"] = true.into()).contains("clear"));
    assert!(refusal(|map| map["orientation"] = "isometric".into()).contains("Orthogonal"));
    assert!(refusal(|map| map["layers"][1]["objects"][0]["ellipse"] = true.into()).contains("an ellipse"));
    assert!(refusal(|map| map["layers"][1]["objects"][0]["rotation"] = 45.into()).contains("rotated"));
    assert!(TownMap::from_tiled_json("{").unwrap_err().to_string().contains("Export As"));
}

#[test]
fn a_spot_must_be_free_and_in_a_zone() {
    let with_spot = |x: i32, y: i32| {
        refusal(|map| {
            let spot = json!({"id": 7, "x": x * 16 + 8, "y": y * 16 + 8, "point": true});
            let layer = json!({"type": "objectgroup", "name": "spots", "objects": [spot]});
            map["layers"].as_array_mut().expect("layers").push(layer);
        })
    };
    assert!(with_spot(3, 0).contains("spot 7 at tile 3,0 is on a blocked tile"));
    assert!(with_spot(9, 0).contains("outside the map"));
}
