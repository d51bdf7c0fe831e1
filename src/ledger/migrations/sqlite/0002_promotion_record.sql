-- What a record has seen, for rollback plans.
CREATE INDEX promotion_record ON promotion (object, record, seq);
