-- What a record has seen, for rollback plans.
CREATE INDEX promotion_record ON promotion (object, record, seq);

-- Who leads, and until when by this server's clock. The token is the epoch of the ledger.
CREATE TABLE lease (
  name    text COLLATE "C" PRIMARY KEY,
  holder  text COLLATE "C" NOT NULL,
  token   bigint NOT NULL,
  expires timestamptz NOT NULL
) WITH (fillfactor = 50);
