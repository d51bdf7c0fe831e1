//! What PostgreSQL says about the ledger's schema, in lines of the ledger's own form: its own texts
//! of definitions change between versions of the server.

use super::{Connection, query};

/// The lines for the newest schema.
pub const SHIPPED: &str = include_str!("../migrations/postgres/schema.txt");

const LINES: &str = "\
  SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) \
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || coalesce(' collate ' || o.collname, '') \
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS line \
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
    LEFT JOIN pg_collation o ON o.oid = a.attcollation \
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind <> 'i' AND a.attnum > 0 \
    AND NOT a.attisdropped AND c.relname <> '_sqlx_migrations' \
  UNION ALL SELECT 'index ' || i.relname || ' on ' || t.relname || ' (' \
    || (SELECT string_agg(pg_get_indexdef(x.indexrelid, k, true), ', ' ORDER BY k) \
        FROM generate_series(1, x.indnatts) k) || ')' \
    || CASE WHEN x.indisunique THEN ' unique' ELSE '' END \
    || CASE WHEN x.indisvalid THEN '' ELSE ' not valid' END \
    || coalesce(' where ' || pg_get_expr(x.indpred, x.indrelid), '') \
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
  WHERE t.relnamespace = current_schema()::regnamespace AND t.relname <> '_sqlx_migrations' \
  UNION ALL SELECT 'constraint ' || n.conname || ' on ' || t.relname || ' ' || pg_get_constraintdef(n.oid) \
  FROM pg_constraint n JOIN pg_class t ON t.oid = n.conrelid \
  WHERE t.relnamespace = current_schema()::regnamespace AND n.contype IN ('p', 'u', 'f', 'c', 'x') \
    AND t.relname <> '_sqlx_migrations' \
  UNION ALL SELECT 'trigger ' || g.tgname || ' on ' || t.relname || ' kind ' || g.tgtype \
    || ' enabled ' || g.tgenabled::text || ' runs ' || p.proname \
  FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid \
  WHERE t.relnamespace = current_schema()::regnamespace AND NOT g.tgisinternal \
  UNION ALL SELECT 'rule ' || r.rulename || ' on ' || t.relname \
  FROM pg_rewrite r JOIN pg_class t ON t.oid = r.ev_class \
  WHERE t.relnamespace = current_schema()::regnamespace \
  UNION ALL SELECT 'function ' || p.proname || ' ' || l.lanname || ' ' || p.provolatile::text \
    || ' ' || trim(regexp_replace(p.prosrc, '\\s+', ' ', 'g')) \
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang \
  WHERE p.pronamespace = current_schema()::regnamespace";

/// The lines of this schema, in order.
pub async fn describe(connection: &mut Connection) -> Result<Vec<String>, sqlx::Error> {
    let rows = query(LINES).fetch_all(connection).await?;
    let mut lines = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    lines.sort();
    Ok(lines)
}
