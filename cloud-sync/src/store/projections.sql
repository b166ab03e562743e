-- Follows from the records: delete it, rebuild it.
-- A robot's, a field's or a mission's name is its own on one farm only: `job` is farm/mission.
CREATE TABLE robots(
  farm TEXT NOT NULL, robot TEXT NOT NULL,
  records INTEGER NOT NULL, last_received_ms INTEGER NOT NULL, last_wall_ms INTEGER NOT NULL,
  PRIMARY KEY(farm, robot)
) WITHOUT ROWID;
CREATE TABLE fields(                  -- as the mission that began last had it
  farm TEXT NOT NULL, field TEXT NOT NULL, crop TEXT NOT NULL, area_m2 REAL NOT NULL, json TEXT NOT NULL,
  began_wall_ms INTEGER NOT NULL, PRIMARY KEY(farm, field)
) WITHOUT ROWID;
CREATE TABLE missions(
  job TEXT PRIMARY KEY, farm TEXT NOT NULL, mission TEXT NOT NULL, robot TEXT NOT NULL, plan TEXT, rig TEXT, segmenter TEXT,
  field TEXT, crop TEXT, area_m2 REAL, field_json TEXT, -- as this mission had it
  first_wall_ms INTEGER NOT NULL, last_wall_ms INTEGER NOT NULL, last_received_ms INTEGER NOT NULL,
  records INTEGER NOT NULL,
  arrived INTEGER NOT NULL,           -- arrival of its first record: missions are listed by this, not by robots' clocks
  finished TEXT,                      -- JSON of the last mission_finished
  treated INTEGER NOT NULL DEFAULT 0, weeds INTEGER NOT NULL DEFAULT 0, beets INTEGER NOT NULL DEFAULT 0,
  potatoes INTEGER NOT NULL DEFAULT 0, others INTEGER NOT NULL DEFAULT 0,
  openings INTEGER NOT NULL DEFAULT 0, volume_ul INTEGER NOT NULL DEFAULT 0, wetted_mm2 INTEGER NOT NULL DEFAULT 0,
  cells_seen INTEGER NOT NULL DEFAULT 0, cells_treated INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 0  -- arrival of the last record of this mission
) WITHOUT ROWID;
CREATE UNIQUE INDEX missions_in_time ON missions(arrived, job);
CREATE INDEX missions_by_name ON missions(mission);
CREATE TABLE products(                -- '' is plain water
  job TEXT NOT NULL, product TEXT NOT NULL, PRIMARY KEY(job, product)
) WITHOUT ROWID;
CREATE TABLE plants(
  job TEXT NOT NULL, robot TEXT NOT NULL, boot TEXT NOT NULL, plant INTEGER NOT NULL,
  x_m REAL NOT NULL, y_m REAL NOT NULL, col INTEGER, row INTEGER,
  class INTEGER NOT NULL, treat INTEGER NOT NULL, decided_wall_ms INTEGER NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY(job, robot, boot, plant)
) WITHOUT ROWID;
CREATE INDEX plants_in_cell ON plants(job, col, row);
CREATE TABLE openings(
  job TEXT NOT NULL, robot TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL,
  opened_wall_ms INTEGER NOT NULL, json TEXT NOT NULL, product TEXT,
  PRIMARY KEY(job, robot, boot, seq, place)
) WITHOUT ROWID;
CREATE TABLE sprayed(                 -- an opening's share in each grid cell that it crossed
  job TEXT NOT NULL, col INTEGER NOT NULL, row INTEGER NOT NULL,
  robot TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL, volume_ul INTEGER NOT NULL,
  PRIMARY KEY(job, col, row, robot, boot, seq, place)
) WITHOUT ROWID;
CREATE TABLE track(
  job TEXT NOT NULL, robot TEXT NOT NULL, boot TEXT NOT NULL, at_ns INTEGER NOT NULL,
  x_m REAL NOT NULL, y_m REAL NOT NULL, heading_deg REAL NOT NULL, sigma_m REAL NOT NULL,
  PRIMARY KEY(job, robot, boot, at_ns)
) WITHOUT ROWID;
CREATE TABLE cells(
  job TEXT NOT NULL, col INTEGER NOT NULL, row INTEGER NOT NULL,
  treated INTEGER NOT NULL DEFAULT 0, weeds INTEGER NOT NULL DEFAULT 0, beets INTEGER NOT NULL DEFAULT 0,
  potatoes INTEGER NOT NULL DEFAULT 0, others INTEGER NOT NULL DEFAULT 0,
  openings INTEGER NOT NULL DEFAULT 0, volume_ul INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(job, col, row)
) WITHOUT ROWID;
CREATE TABLE incidents(
  farm TEXT NOT NULL, robot TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL, job TEXT,
  at_wall_ms INTEGER NOT NULL, kind TEXT NOT NULL, json TEXT NOT NULL,
  because TEXT,                       -- of `closed` only
  PRIMARY KEY(farm, robot, boot, seq)
) WITHOUT ROWID;
CREATE INDEX incidents_in_time ON incidents(at_wall_ms, farm, robot, boot, seq);
CREATE INDEX incidents_of_job ON incidents(job, at_wall_ms, farm, robot, boot, seq);
