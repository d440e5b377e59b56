import pg from 'pg'
import * as assert from 'uvu/assert'

/**
 * What was committed to uploads, and under which lease, written down by the database itself: by a
 * trigger that sees every change of a row and takes no word of ours for it.
 */
export interface Audit {
  /**
   * Proves that offsets never went back, that every commit was made under a lease, that no two
   * processes committed under the same fence, nor one under an older fence than was granted, and
   * that each upload was completed once.
   */
  verify(ids: readonly string[]): Promise<AuditReport>
}

export interface AuditReport {
  commits: number
  /** Leases that were taken from a holder that had not given them back. */
  stolen: number
}

const setUp = `
CREATE TABLE audit (
  n bigserial PRIMARY KEY,
  id text, old_state text, new_state text, old_offset bigint, new_offset bigint,
  old_holder text, old_fence bigint, new_holder text, new_fence bigint
);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit (id, old_state, new_state, old_offset, new_offset,
    old_holder, old_fence, new_holder, new_fence)
  VALUES (NEW.id, OLD.state, NEW.state, OLD."offset", NEW."offset",
    OLD.lease_holder, OLD.lease_fence, NEW.lease_holder, NEW.lease_fence);
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE ON carcosa.file FOR EACH ROW
WHEN (OLD.state <> NEW.state OR OLD."offset" <> NEW."offset"
  OR OLD.lease_fence <> NEW.lease_fence OR OLD.lease_holder IS DISTINCT FROM NEW.lease_holder)
EXECUTE FUNCTION note()`

/** A commit of bytes, or of the end of them. */
const commit = `(old_offset <> new_offset
  OR old_state IN ('created', 'receiving') AND new_state IN ('stored', 'ready'))`

const faults: [what: string, query: string][] = [
  ['the offset went back', 'SELECT * FROM audit WHERE new_offset < old_offset'],
  ['the fence went back', 'SELECT * FROM audit WHERE new_fence < old_fence'],
  [
    'a commit was made without a lease',
    `SELECT * FROM audit WHERE ${commit} AND old_holder IS NULL`,
  ],
  [
    'two processes committed under one fence',
    `SELECT id, old_fence FROM audit WHERE ${commit}
     GROUP BY id, old_fence HAVING count(DISTINCT old_holder) > 1`,
  ],
  [
    'a commit was made under an older fence than one before',
    `SELECT * FROM audit a WHERE ${commit} AND EXISTS (
       SELECT FROM audit b WHERE b.id = a.id AND b.n < a.n AND b.new_fence > a.old_fence)`,
  ],
]

/** Begins to write down; the tables of Carcosa must be there. */
export async function startAudit(url: string): Promise<Audit> {
  const ask = async <T extends object>(sql: string, values?: unknown[]) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<T>(sql, values)).rows
    } finally {
      await client.end()
    }
  }
  await ask(setUp)
  return {
    async verify(ids) {
      for (const [what, query] of faults) assert.equal(await ask(query), [], what)
      const completions = await ask<{ id: string }>(
        `SELECT id FROM audit
         WHERE old_state IN ('created', 'receiving') AND new_state IN ('stored', 'ready')
         ORDER BY id COLLATE "C"`,
      )
      assert.equal(
        completions.map(({ id }) => id),
        [...ids].sort(),
        'each upload is completed once',
      )
      const [report] = await ask<{ commits: string; stolen: string }>(
        `SELECT count(*) FILTER (WHERE ${commit}) AS commits,
           count(*) FILTER (WHERE new_fence > old_fence AND old_holder <> new_holder) AS stolen
         FROM audit`,
      )
      return { commits: Number(report?.commits), stolen: Number(report?.stolen) }
    },
  }
}
