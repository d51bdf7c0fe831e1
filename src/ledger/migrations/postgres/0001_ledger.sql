-- The ledger of one org, in a schema of its own. Texts are compared byte by byte, as in SQLite.

-- A JSON text as JSON. PostgreSQL cannot read an escaped zero character inside one; nothing that is
-- asked for ever stands there, so another letter takes its place while it is read.
CREATE FUNCTION doc(given text) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $doc$
  SELECT CASE WHEN position('\u0000' IN given) = 0 THEN given::json
    ELSE regexp_replace(given, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')::json END
$doc$;

-- The chain. Rows are only ever inserted.
CREATE TABLE entry (
  seq      bigint PRIMARY KEY,
  hash     text COLLATE "C" NOT NULL,
  kind     text COLLATE "C" NOT NULL,
  proposal text COLLATE "C",
  text     text COLLATE "C" NOT NULL
);
CREATE INDEX entry_proposal ON entry (proposal, seq) WHERE proposal IS NOT NULL;
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $refuse$
BEGIN
  RAISE EXCEPTION 'entries are only appended';
END
$refuse$;
CREATE TRIGGER entry_is_only_appended BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_is_only_appended;

-- Values of records and words of people, beside the chain, so that they can be erased.
CREATE TABLE private (
  seq   bigint NOT NULL REFERENCES entry (seq),
  path  text COLLATE "C" NOT NULL,
  salt  bytea NOT NULL,
  value text COLLATE "C" NOT NULL,
  PRIMARY KEY (seq, path)
);

-- What the stream delivered, byte by byte. Places have no gaps; `digest` covers the other columns.
CREATE TABLE inbox (
  id          bigint PRIMARY KEY,
  topic       text COLLATE "C" NOT NULL,
  received_at text COLLATE "C" NOT NULL,
  events      bigint NOT NULL,
  digest      text COLLATE "C" NOT NULL,
  payload     bytea NOT NULL
);

CREATE TABLE cursor (
  topic     text COLLATE "C" PRIMARY KEY,
  replay_id bytea,
  seal      text COLLATE "C" NOT NULL
);

-- org, epoch, head and progress. Each row carries its digest. Writers lock the row of the head.
CREATE TABLE meta (
  key   text COLLATE "C" PRIMARY KEY,
  value text COLLATE "C" NOT NULL,
  seal  text COLLATE "C" NOT NULL
) WITH (fillfactor = 50);

-- Projections: folds over the entries, never written by anything else.
CREATE TABLE proposal (
  id           text COLLATE "C" PRIMARY KEY,
  object       text COLLATE "C" NOT NULL,
  record       text COLLATE "C" NOT NULL,
  stage        text COLLATE "C" NOT NULL,
  open         bigint NOT NULL,
  fingerprint  text COLLATE "C" NOT NULL,
  patch        text COLLATE "C" NOT NULL,
  body         text COLLATE "C" NOT NULL,
  verdict      text COLLATE "C",
  approval     text COLLATE "C",
  promotion    text COLLATE "C",
  landed       bigint NOT NULL,
  received_seq bigint NOT NULL,
  updated_at   text COLLATE "C" NOT NULL
);
CREATE INDEX proposal_open ON proposal (object, record) WHERE open = 1;
CREATE INDEX proposal_stage ON proposal (stage, received_seq);
CREATE INDEX proposal_received ON proposal (received_seq);

CREATE TABLE promotion (
  id        text COLLATE "C" PRIMARY KEY,
  proposal  text COLLATE "C" NOT NULL,
  object    text COLLATE "C" NOT NULL,
  record    text COLLATE "C" NOT NULL,
  open      bigint NOT NULL,
  confirmed bigint NOT NULL,
  seq       bigint NOT NULL,
  body      text COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX promotion_one_open ON promotion (object, record) WHERE open = 1;
CREATE INDEX promotion_to_do ON promotion (seq) WHERE open = 1;
CREATE INDEX promotion_unconfirmed ON promotion (seq) WHERE open = 0 AND confirmed = 0;
CREATE INDEX promotion_proposal ON promotion (proposal, seq);

CREATE TABLE notice (
  proposal text COLLATE "C" PRIMARY KEY,
  object   text COLLATE "C" NOT NULL,
  record   text COLLATE "C" NOT NULL,
  text     text COLLATE "C" NOT NULL,
  seq      bigint NOT NULL
);
CREATE INDEX notice_order ON notice (seq);

-- The planner's samples of these columns would keep values that were erased.
ALTER TABLE private ALTER COLUMN value SET STATISTICS 0;
ALTER TABLE inbox ALTER COLUMN payload SET STATISTICS 0;
ALTER TABLE proposal ALTER COLUMN body SET STATISTICS 0, ALTER COLUMN verdict SET STATISTICS 0,
  ALTER COLUMN approval SET STATISTICS 0;
ALTER TABLE promotion ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE notice ALTER COLUMN text SET STATISTICS 0;
