-- The chain. Rows are only ever inserted.
CREATE TABLE entry (
  seq      INTEGER PRIMARY KEY,
  hash     TEXT NOT NULL,
  kind     TEXT NOT NULL,
  proposal TEXT,
  text     TEXT NOT NULL
) STRICT;
CREATE INDEX entry_proposal ON entry (proposal, seq) WHERE proposal IS NOT NULL;
CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON entry BEGIN
  SELECT RAISE(ABORT, 'entries are only appended');
END;
CREATE TRIGGER entry_is_not_removed BEFORE DELETE ON entry BEGIN
  SELECT RAISE(ABORT, 'entries are only appended');
END;

-- Values of records and words of people, beside the chain, so that they can be erased.
CREATE TABLE private (
  seq   INTEGER NOT NULL REFERENCES entry (seq),
  path  TEXT NOT NULL,
  salt  BLOB NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (seq, path)
) STRICT, WITHOUT ROWID;

-- What the stream delivered, byte by byte. Places have no gaps; `digest` covers the other columns.
CREATE TABLE inbox (
  id          INTEGER PRIMARY KEY,
  topic       TEXT NOT NULL,
  received_at TEXT NOT NULL,
  events      INTEGER NOT NULL,
  digest      TEXT NOT NULL,
  payload     BLOB NOT NULL
) STRICT;

CREATE TABLE cursor (
  topic     TEXT PRIMARY KEY,
  replay_id BLOB,
  seal      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- org, epoch, head and progress. Each row carries its digest.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  seal  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Projections: folds over the entries, never written by anything else.
CREATE TABLE proposal (
  id           TEXT PRIMARY KEY,
  object       TEXT NOT NULL,
  record       TEXT NOT NULL,
  stage        TEXT NOT NULL,
  open         INTEGER NOT NULL,
  fingerprint  TEXT NOT NULL,
  patch        TEXT NOT NULL,
  body         TEXT NOT NULL,
  verdict      TEXT,
  approval     TEXT,
  promotion    TEXT,
  landed       INTEGER NOT NULL,
  received_seq INTEGER NOT NULL,
  updated_at   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proposal_open ON proposal (object, record) WHERE open = 1;
CREATE INDEX proposal_stage ON proposal (stage, received_seq);
CREATE INDEX proposal_received ON proposal (received_seq);

CREATE TABLE promotion (
  id        TEXT PRIMARY KEY,
  proposal  TEXT NOT NULL,
  object    TEXT NOT NULL,
  record    TEXT NOT NULL,
  open      INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  body      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX promotion_one_open ON promotion (object, record) WHERE open = 1;
CREATE INDEX promotion_to_do ON promotion (seq) WHERE open = 1;
CREATE INDEX promotion_unconfirmed ON promotion (seq) WHERE open = 0 AND confirmed = 0;
CREATE INDEX promotion_proposal ON promotion (proposal, seq);

CREATE TABLE notice (
  proposal TEXT PRIMARY KEY,
  object   TEXT NOT NULL,
  record   TEXT NOT NULL,
  text     TEXT NOT NULL,
  seq      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_order ON notice (seq);
