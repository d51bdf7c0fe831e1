-- Proposed fields under watch, and what became of them. Times are whole seconds since 1970; 0 is none.
CREATE TABLE watch (
  proposal text COLLATE "C" NOT NULL,
  field    text COLLATE "C" NOT NULL,
  object   text COLLATE "C" NOT NULL,
  record   text COLLATE "C" NOT NULL,
  agent    text COLLATE "C" NOT NULL,
  version  text COLLATE "C" NOT NULL,
  segment  text COLLATE "C" NOT NULL,
  live     bigint NOT NULL,
  since    bigint NOT NULL,
  due      bigint NOT NULL,
  label    text COLLATE "C",
  judged   text COLLATE "C",
  labelled bigint NOT NULL,
  settled  bigint NOT NULL,
  PRIMARY KEY (proposal, field)
);
CREATE INDEX watch_due ON watch (live, due) WHERE settled = 0;
CREATE INDEX watch_record ON watch (object, record) WHERE settled = 0;
CREATE INDEX watch_labelled ON watch (object, labelled);
