-- Truth. Bytes as they came, and their names. Runs again over a store of an older format: it only adds.
CREATE TABLE IF NOT EXISTS records(
  arrival INTEGER PRIMARY KEY AUTOINCREMENT,
  robot TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL,
  farm TEXT NOT NULL,
  schema TEXT NOT NULL,
  kind TEXT,                          -- null: not read yet, of a schema or with a content that this program does not know
  t_wall_ms INTEGER NOT NULL, t_mono_ns INTEGER NOT NULL, t_received_ms INTEGER NOT NULL,
  disputed INTEGER NOT NULL DEFAULT 0, -- another record came with the same key, or with this number from another boot
  sha256 BLOB NOT NULL,
  wire BLOB NOT NULL,
  UNIQUE(robot, boot, seq)
);
CREATE INDEX IF NOT EXISTS records_flagged ON records(arrival) WHERE kind IS NULL;
CREATE INDEX IF NOT EXISTS records_by_number ON records(robot, seq);
CREATE INDEX IF NOT EXISTS records_disputed_by ON records(farm, robot) WHERE disputed;
CREATE INDEX IF NOT EXISTS records_disputed ON records(arrival) WHERE disputed;
CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT OR IGNORE INTO facts VALUES ('id', lower(hex(randomblob(4)))); -- this store's own, for as long as it lives
CREATE TABLE IF NOT EXISTS quarantine(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL, why TEXT NOT NULL, detail TEXT NOT NULL,
  robot TEXT, boot TEXT, seq INTEGER,
  t_received_ms INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  wire BLOB NOT NULL,
  UNIQUE(topic, why, sha256)
);
