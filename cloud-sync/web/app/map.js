// The map: field, square metres (painted on a canvas, one square per grid cell), plants, track, nozzle openings.

import * as maplibre from "../vendor/maplibre-gl.mjs";

const NOTHING = { type: "FeatureCollection", features: [] };
/** From here on single plants are larger than a pixel; and from there on all crop plants of a screen are few enough. */
export const PLANTS_FROM = 17.6;
export const CROP_FROM = 19.6;

/** Upper bounds of each step, and its colour. The last step has no bound. */
export const STEPS = {
  weeds: [[1, "#ffe08a"], [3, "#fdae4b"], [6, "#f0701d"], [Infinity, "#a81e04"]],
  treatment: [[1, "#8ebdf6"], [3, "#4a90e8"], [8, "#1a63d0"], [Infinity, "#052d6e"]],
};
/** Weeds are counted; spray is measured in millilitres per square metre. */
const value = { weeds: cell => cell.unwanted, treatment: cell => cell.volume_ul / 1e3 };

const rgb = hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
const colour = (which, cell) => {
  const size = value[which](cell);
  return size > 0 ? STEPS[which].find(([below]) => size <= below)[1] : null;
};

export function makeMap(container, padding) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const map = new maplibre.Map({
    container, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, maxZoom: 23.5,
    style: { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": "#e6e1d6" } }] },
    center: [6.94, 52.87], zoom: 15, fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ unit: "metric", maxWidth: 110 }), "bottom-right");
  const painted = { corners: null, table: null };
  const loaded = new Promise(resolve => map.once("load", resolve));

  loaded.then(() => {
    for (const id of ["field", "plants", "track", "openings", "picked"]) map.addSource(id, { type: "geojson", data: NOTHING });
    const line = (id, source, paint, more = {}) => map.addLayer({ id, source, type: "line", layout: { "line-cap": "round", "line-join": "round", ...more.layout }, paint, ...(more.minzoom ? { minzoom: more.minzoom } : {}) });
    map.addLayer({ id: "field-fill", source: "field", type: "fill", paint: { "fill-color": "#cdbf9f" } });
    line("track", "track", { "line-color": "#6d5d45", "line-width": ["interpolate", ["exponential", 2], ["zoom"], 16, .8, 20, 1.6, 23, 5], "line-opacity": .75 });
    line("openings", "openings", { "line-color": "#06357f", "line-width": ["interpolate", ["exponential", 2], ["zoom"], 16, .6, 19, 1.6, 23, 20], "line-opacity": .85 }, { layout: { visibility: "none", "line-cap": "butt" } });
    line("field-case", "field", { "line-color": "#fff", "line-width": 6, "line-opacity": .9 });
    line("field-line", "field", { "line-color": "#12352b", "line-width": 2.5 });
    const treated = ["==", ["get", "verdict"], "treat"];
    const crop = ["in", ["get", "role"], ["literal", ["crop", "stray_crop"]]];
    const volunteer = ["==", ["get", "role"], "volunteer"];
    const grows = (least, most) => ["interpolate", ["exponential", 2], ["zoom"], 17.5, least, 19, least * 1.5, 23, most];
    map.addLayer({
      id: "crop", source: "plants", type: "circle", filter: crop, minzoom: CROP_FROM,
      paint: { "circle-color": "#2b8a4b", "circle-radius": grows(1, 13), "circle-stroke-color": "#fff", "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 20, 0, 22, 1.5] },
    });
    map.addLayer({
      id: "unwanted", source: "plants", type: "circle", filter: ["!", crop], minzoom: PLANTS_FROM,
      paint: {
        "circle-color": ["case", treated, ["case", volunteer, "#8a2f8f", "#0a55c4"], "#ffffff"],
        "circle-radius": grows(1.3, 17),
        "circle-stroke-color": ["case", treated, "#ffffff", "#d9480f"],
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 18, .7, 20, 1.8, 22, 3],
      },
    });
    map.addLayer({ id: "picked-line", source: "picked", type: "line", filter: ["==", ["geometry-type"], "Polygon"], paint: { "line-color": "#10211b", "line-width": 3.5 } });
    map.addLayer({ id: "picked-dot", source: "picked", type: "circle", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 17, "circle-color": "#00000000", "circle-stroke-color": "#10211b", "circle-stroke-width": 3.5 } });
  });

  const set = (id, data) => map.getSource(id)?.setData(data);
  const noSquares = () => {
    if (map.getLayer("squares")) map.removeLayer("squares");
    if (map.getSource("squares")) map.removeSource("squares");
    Object.assign(painted, { corners: null, table: null });
  };

  return {
    map, loaded, set,
    clear() {
      for (const id of ["field", "plants", "track", "openings", "picked"]) set(id, NOTHING);
      noSquares();
    },
    pick: geometry => set("picked", geometry ? { type: "Feature", geometry, properties: {} } : NOTHING),
    show(id, yes) {
      for (const layer of { plants: ["crop", "unwanted"], track: ["track"], openings: ["openings"] }[id]) {
        map.setLayoutProperty(layer, "visibility", yes ? "visible" : "none");
      }
    },
    frame(field, animate) {
      const bounds = new maplibre.LngLatBounds();
      for (const point of field.geometry.coordinates[0]) bounds.extend(point);
      map.fitBounds(bounds, { padding: padding(), animate, maxZoom: 21 });
    },
    /** Paints the square metres again. One canvas pixel block per grid cell, a gap between: squares stay squares. */
    paint(table, which) {
      if (!table) return;
      const { cols, rows } = table.grid;
      const block = Math.max(1, Math.min(10, Math.floor(2048 / Math.max(cols, rows))));
      const gap = block >= 5 ? 1 : 0;
      [canvas.width, canvas.height] = [cols * block, rows * block];
      const context = canvas.getContext("2d");
      if (which !== "none") {
        for (const [col, row, unwanted, , , , volume_ul] of table.rows) {
          const fill = colour(which, { unwanted, volume_ul });
          if (!fill) continue;
          context.fillStyle = `rgb(${rgb(fill)})`;
          context.fillRect(col * block, (rows - 1 - row) * block, block - gap, block - gap);
        }
      }
      const corners = JSON.stringify(table.corners);
      if (painted.corners !== corners) {
        noSquares();
        map.addSource("squares", { type: "canvas", canvas, coordinates: table.corners, animate: false });
        map.addLayer({ id: "squares", source: "squares", type: "raster", paint: { "raster-resampling": "nearest", "raster-fade-duration": 0, "raster-opacity": .92 } }, "track");
        painted.corners = corners;
      }
      painted.table = table;
      const source = map.getSource("squares");
      source.play();
      source.pause(); // uploads the canvas once
      map.triggerRepaint();
    },
    /** The grid cell under a place: the grid is a rectangle that is north-aligned in the field's plane. */
    cellAt({ lng, lat }) {
      const table = painted.table;
      if (!table) return null;
      const [nw, ne, , sw] = table.corners;
      // Solve place = nw + east * (ne - nw) + south * (sw - nw) for east and south.
      const [ax, ay, bx, by] = [ne[0] - nw[0], ne[1] - nw[1], sw[0] - nw[0], sw[1] - nw[1]];
      const [px, py] = [lng - nw[0], lat - nw[1]];
      const by_area = ax * by - ay * bx;
      const east = (px * by - py * bx) / by_area, south = (ax * py - ay * px) / by_area;
      const col = Math.floor(east * table.grid.cols), row = table.grid.rows - 1 - Math.floor(south * table.grid.rows);
      if (col < 0 || row < 0 || col >= table.grid.cols || row >= table.grid.rows) return null;
      const corner = (c, r) => {
        const [e, s] = [c / table.grid.cols, (table.grid.rows - r) / table.grid.rows];
        return [nw[0] + e * ax + s * bx, nw[1] + e * ay + s * by];
      };
      const ring = [corner(col, row), corner(col + 1, row), corner(col + 1, row + 1), corner(col, row + 1), corner(col, row)];
      return { col, row, geometry: { type: "Polygon", coordinates: [ring] } };
    },
  };
}
