import { createHash } from 'node:crypto'
import type { Statement, Transaction } from '../db/database.ts'
import { newId } from '../shared/ids.ts'

type Queries = Pick<Transaction, 'query'>

/** Somebody in a team. */
export interface TeamPlace {
  teamId: string
  userId: string
}

/** Only a member of the organization; false for anybody else, and who is in it already. */
export async function joinTeam(tx: Queries, place: TeamPlace): Promise<boolean> {
  const { teamId, userId } = place
  const values = [newId(), teamId, userId, membershipKey(place)]
  return (await tx.query(joinStatement, values)).length > 0
}

/** False if they were not in it. */
export async function leaveTeam(
  tx: Queries,
  { teamId, userId }: TeamPlace,
): Promise<boolean> {
  return (await tx.query(leaveStatement, [teamId, userId])).length > 0
}

export async function isInTeam(
  tx: Queries,
  { teamId, userId }: TeamPlace,
): Promise<boolean> {
  return (await tx.query(findStatement, [teamId, userId])).length > 0
}

/** As better-auth makes it. */
function membershipKey({ teamId, userId }: TeamPlace): string {
  const pair = JSON.stringify([teamId, userId])
  return createHash('sha256').update(pair).digest('base64url')
}

const joinStatement: Statement = {
  name: 'team_join',
  sql: `WITH joined AS (
  INSERT INTO carcosa.team_member (id, team_id, user_id, membership_key)
  SELECT $1, t.id, m.user_id, $4 FROM carcosa.team t
  JOIN carcosa.organization_member m ON m.organization_id = t.organization_id
  WHERE t.id = $2 AND m.user_id = $3
  ON CONFLICT (membership_key) DO NOTHING RETURNING team_id
)
UPDATE carcosa.team SET member_count = member_count + 1, updated_at = now()
WHERE id IN (SELECT team_id FROM joined) RETURNING id`,
}

const leaveStatement: Statement = {
  name: 'team_leave',
  sql: `WITH gone AS (
  DELETE FROM carcosa.team_member WHERE team_id = $1 AND user_id = $2 RETURNING team_id
)
UPDATE carcosa.team SET member_count = greatest(member_count - 1, 0), updated_at = now()
WHERE id IN (SELECT team_id FROM gone) RETURNING id`,
}

const findStatement: Statement = {
  name: 'team_find_member',
  sql: 'SELECT id FROM carcosa.team_member WHERE team_id = $1 AND user_id = $2',
}
