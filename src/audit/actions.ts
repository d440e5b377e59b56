/**
 * Everything the audit log tells: what was done, and what kind of thing it was done to. Names are
 * never changed: what was written years ago must still be found.
 */
const table = {
  'file.renamed': 'file',
  'file.deleted': 'file',
  'file.updated': 'file',
  'file.undeleted': 'file',
  'files.updated': 'file',
  'files.deleted': 'file',
  'files.copied': 'store',
  'files.imported': 'store',
  'upload.cancelled': 'upload',
  'user.created': 'user',
  'user.owner-created': 'user',
  'user.login-link-created': 'user',
  'user.password-reset': 'user',
  'user.sessions-revoked': 'user',
  'user.disabled': 'user',
  'user.enabled': 'user',
  'key.created': 'key',
  'key.rotated': 'key',
  'key.revoked': 'key',
  'project.created': 'project',
  'project.changed': 'project',
  'project.deleted': 'project',
  'project.restored': 'project',
  'project.transferred': 'project',
  'organization.created': 'organization',
  'organization.changed': 'organization',
  'organization.deleted': 'organization',
  'member.added': 'user',
  'member.changed': 'user',
  'member.removed': 'user',
  'invitation.created': 'invitation',
  'invitation.revoked': 'invitation',
  'invitation.accepted': 'invitation',
  'team.created': 'team',
  'team.changed': 'team',
  'team.deleted': 'team',
  'team.joined': 'team',
  'team.left': 'team',
  'quota.changed': 'project',
  'usage.recounted': 'project',
  'jobs.retried': 'job',
  'stores.collected': 'store',
  'stores.reconciled': 'store',
  /** A request of the management API that was refused before it came to do anything. */
  'request.refused': 'request',
} as const satisfies Record<string, string>

/** `<noun>.<what was done>`. With the outcome `denied` it was only tried. */
export type AuditAction = keyof typeof table

// Of the keys of an object TypeScript knows only that they are text.
export const auditActions = Object.freeze(Object.keys(table)) as readonly AuditAction[]

export function targetTypeOf(action: AuditAction): string {
  return table[action]
}
