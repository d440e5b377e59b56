import { CarcosaError } from '../shared/errors.ts'
import type { Incoming } from './incoming.ts'

const roots = ['uploads', 'files', 'routes', 'events', 'ws', 'healthz', 'readyz']

/** Where a request points, seen from the mount point. */
export interface Place {
  prefix: string
  segments: string[]
}

export interface LocateOptions {
  basePath: string
  /** Whether there are accounts; where there are none `/auth` is the host's. */
  accounts: unknown
}

/**
 * Takes the mount prefix off a path. A framework that mounts us (Express, Connect) has cut it
 * off already and says so; with others `basePath` says what to cut. Null if the path is none
 * of ours, or looks like one of the host's own (`/admin/files`) and nothing says otherwise.
 *
 * @throws {CarcosaError} MOUNT_MISMATCH if the path would be ours under another prefix: the
 *   commonest mistake of a first set-up, and otherwise a bare 404 (protocol pitfalls P14)
 */
export function locate(
  incoming: Incoming,
  { basePath, accounts }: LocateOptions,
): Place | null {
  const { path, stripped, headers } = incoming
  const has = { isTus: headers.has('tus-resumable'), accounts: Boolean(accounts) }
  if (basePath && (path === basePath || path.startsWith(`${basePath}/`))) {
    const inside = segmentsOf(path.slice(basePath.length))
    if (isOurs(inside, has)) return { prefix: stripped + basePath, segments: inside }
  }
  const segments = segmentsOf(path)
  if (isOurs(segments, has)) {
    if (!basePath || stripped.endsWith(basePath)) return { prefix: stripped, segments }
    if (isForHost(incoming)) return null
    throw new CarcosaError('MOUNT_MISMATCH', {
      message: `Carcosa is configured with basePath "${basePath}" but was asked for "${path}". If the framework or proxy in front strips the prefix, leave basePath out and set publicUrl; otherwise send the full path.`,
      details: { path, basePath },
    })
  }
  const at = segments.findIndex((_, i) => i > 0 && isOurs(segments.slice(i), has))
  if (at < 0 || isForHost(incoming)) return null
  const found = `/${segments.slice(0, at).join('/')}`
  throw new CarcosaError('MOUNT_MISMATCH', {
    message: `Carcosa got "${path}" but does not know the prefix "${found}". Set basePath: '${found}', or let the framework strip it (app.use('${found}', carcosa.handler)).`,
    details: { path, basePath: basePath || null, prefix: found },
  })
}

/** Behind us are the host's routes, and only a tus client can be taken for lost. */
function isForHost({ mayDecline, headers }: Incoming): boolean {
  return mayDecline && !headers.has('tus-resumable')
}

interface Has {
  isTus: boolean
  accounts: boolean
}

/** Hosts have an `/api` and an `/auth` of their own, perhaps around us, and pages below `/docs`. */
function isOurs([root, ...rest]: readonly string[], { isTus, accounts }: Has): boolean {
  if (root === 'api') return rest[0] === 'v1' && !(isTus && rest[1] === 'uploads')
  if (root === 'docs') return rest.length === 0
  if (root === 'auth') return accounts
  return root !== undefined && roots.includes(root)
}

/** `/a//b/` and `/a/b` are the same place (C31: a trailing slash still names the upload). */
function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '')
}
