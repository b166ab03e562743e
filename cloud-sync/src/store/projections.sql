-- Follows from the records: delete it, rebuild it.
CREATE TABLE robots(
  robot TEXT PRIMARY KEY, farm TEXT NOT NULL,
  records INTEGER NOT NULL, last_received_ms INTEGER NOT NULL, last_wall_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE fields(                  -- as the mission that began last had it
  field TEXT PRIMARY KEY, crop TEXT NOT NULL, area_m2 REAL NOT NULL, json TEXT NOT NULL, began_wall_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE missions(
  mission TEXT PRIMARY KEY, robot TEXT NOT NULL, plan TEXT, rig TEXT, segmenter TEXT,
  field TEXT, crop TEXT, area_m2 REAL, field_json TEXT, -- as this mission had it
  first_wall_ms INTEGER NOT NULL, last_wall_ms INTEGER NOT NULL, last_received_ms INTEGER NOT NULL,
  records INTEGER NOT NULL,
  finished TEXT,                      -- JSON of the last mission_finished
  treated INTEGER NOT NULL DEFAULT 0, weeds INTEGER NOT NULL DEFAULT 0, beets INTEGER NOT NULL DEFAULT 0,
  potatoes INTEGER NOT NULL DEFAULT 0, others INTEGER NOT NULL DEFAULT 0,
  openings INTEGER NOT NULL DEFAULT 0, volume_ul INTEGER NOT NULL DEFAULT 0, wetted_mm2 INTEGER NOT NULL DEFAULT 0,
  cells_seen INTEGER NOT NULL DEFAULT 0, cells_treated INTEGER NOT NULL DEFAULT 0,
  top_rate_l_per_ha REAL NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 0  -- arrival of the last record of this mission
) WITHOUT ROWID;
CREATE INDEX missions_in_time ON missions(first_wall_ms, mission);
CREATE TABLE products(                -- '' is plain water
  mission TEXT NOT NULL, product TEXT NOT NULL, PRIMARY KEY(mission, product)
) WITHOUT ROWID;
CREATE TABLE plants(
  mission TEXT NOT NULL, robot TEXT NOT NULL, boot TEXT NOT NULL, plant INTEGER NOT NULL,
  x_m REAL NOT NULL, y_m REAL NOT NULL, col INTEGER, row INTEGER,
  class INTEGER NOT NULL, treat INTEGER NOT NULL, decided_wall_ms INTEGER NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY(mission, robot, boot, plant)
) WITHOUT ROWID;
CREATE INDEX plants_in_cell ON plants(mission, col, row);
CREATE TABLE openings(
  mission TEXT NOT NULL, robot TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL,
  col INTEGER, row INTEGER, opened_wall_ms INTEGER NOT NULL, json TEXT NOT NULL, product TEXT,
  PRIMARY KEY(mission, robot, boot, seq, place)
) WITHOUT ROWID;
CREATE INDEX openings_in_cell ON openings(mission, col, row);
CREATE TABLE track(
  mission TEXT NOT NULL, robot TEXT NOT NULL, boot TEXT NOT NULL, at_ns INTEGER NOT NULL,
  x_m REAL NOT NULL, y_m REAL NOT NULL, heading_deg REAL NOT NULL, sigma_m REAL NOT NULL,
  PRIMARY KEY(mission, robot, boot, at_ns)
) WITHOUT ROWID;
CREATE TABLE cells(
  mission TEXT NOT NULL, col INTEGER NOT NULL, row INTEGER NOT NULL,
  treated INTEGER NOT NULL DEFAULT 0, weeds INTEGER NOT NULL DEFAULT 0, beets INTEGER NOT NULL DEFAULT 0,
  potatoes INTEGER NOT NULL DEFAULT 0, others INTEGER NOT NULL DEFAULT 0,
  openings INTEGER NOT NULL DEFAULT 0, volume_ul INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(mission, col, row)
) WITHOUT ROWID;
CREATE TABLE incidents(
  robot TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL, mission TEXT,
  at_wall_ms INTEGER NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY(robot, boot, seq)
) WITHOUT ROWID;
