-- Proposed fields under watch, and what became of them. Times are whole seconds since 1970; 0 is none.
CREATE TABLE watch (
  proposal TEXT NOT NULL,
  field    TEXT NOT NULL,
  object   TEXT NOT NULL,
  record   TEXT NOT NULL,
  agent    TEXT NOT NULL,
  version  TEXT NOT NULL,
  segment  TEXT NOT NULL,
  live     INTEGER NOT NULL,
  since    INTEGER NOT NULL,
  due      INTEGER NOT NULL,
  label    TEXT,
  judged   TEXT,
  labelled INTEGER NOT NULL,
  settled  INTEGER NOT NULL,
  PRIMARY KEY (proposal, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX watch_due ON watch (live, due) WHERE settled = 0;
CREATE INDEX watch_record ON watch (object, record) WHERE settled = 0;
CREATE INDEX watch_labelled ON watch (object, labelled);
