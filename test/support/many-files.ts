import type { Database } from '../../src/db/database.ts'

/**
 * Writes `count` rows of files past the write path: a row each second, the newest last, of which a
 * quarter was removed. The first 80 are of the rare route, owner, type, name and tag: the oldest, to
 * which a list from the newest on comes last.
 */
export async function writeManyFiles(db: Database, count: number): Promise<void> {
  await db.executeSql(`
INSERT INTO carcosa.file (id, project_id, owner_id, route, state, filename, content_type, size,
  "offset", store_name, key, custom_id, tags, created_at, stored_at, ready_at, purged_at)
SELECT id, 'default', CASE WHEN rare THEN 'rare' WHEN i % 2 = 0 THEN 'common' END,
  CASE WHEN rare THEN 'rare' ELSE 'common' END,
  CASE WHEN i % 4 = 0 THEN 'removed' ELSE 'ready' END,
  CASE WHEN rare THEN 'rare-' ELSE 'common-' END || i || '.bin',
  CASE WHEN rare THEN 'image/rare' WHEN i % 2 = 0 THEN 'image/png' ELSE 'video/mp4' END,
  1, 1, 'default', id, CASE WHEN rare THEN 'custom-' || i END,
  CASE WHEN rare THEN '{rare,common}' WHEN i % 2 = 0 THEN '{common}' ELSE '{}' END::text[],
  at, at, at, CASE WHEN i % 4 = 0 THEN at END
FROM (
  SELECT i, 'many' || lpad(i::text, 20, '0') AS id, i <= 80 AS rare,
    timestamptz '2026-01-01' + i * interval '1 second' AS at
  FROM generate_series(1, ${count}) i
) rows`)
  await db.executeSql(`
INSERT INTO carcosa.file_tag (file_id, tag, project_id, created_at)
SELECT id, tag, project_id, created_at FROM carcosa.file, unnest(tags) AS tag
WHERE id LIKE 'many%'`)
  await db.executeSql('ANALYZE carcosa.file')
  await db.executeSql('ANALYZE carcosa.file_tag')
}

/** Filters to list them by, each alone, with values that many and few of them have. */
export const listings = {
  none: {},
  'a common route': { route: 'common' },
  'a rare route': { route: 'rare' },
  'no such route': { route: 'none' },
  'a common owner': { ownerId: 'common' },
  'a rare owner': { ownerId: 'rare' },
  'a common type': { type: 'image/png' },
  'a rare type': { type: 'image/rare' },
  'all types of a kind': { type: 'image/*' },
  'a kind without files': { type: 'audio/*' },
  'a common tag': { tag: 'common' },
  'a rare tag': { tag: 'rare' },
  'a common name': { prefix: 'common-' },
  'a rare name': { prefix: 'rare-' },
  'a custom id': { customId: 'custom-5' },
  'an unknown custom id': { customId: 'nobody' },
  'before a time': { createdBefore: new Date('2026-01-01T00:10:00Z') },
  'after a time': { createdAfter: new Date('2026-01-01T00:10:00Z') },
  'removed files': { states: ['removed'] },
  'files in any state': { states: ['created', 'ready', 'failed', 'removed'] },
} as const
