import { createHash } from 'node:crypto'
import { type FileRecord, isReadable } from '../files/record.ts'
import { claimCompletion, extendClaim, findFile, setDigest } from '../files/records.ts'
import { transition } from '../files/transition.ts'
import { CarcosaError } from '../shared/errors.ts'
import { parseMetadata } from '../shared/metadata.ts'
import { stopwatch } from '../shared/meter.ts'
import { describeRequest } from '../shared/request-context.ts'
import { storeNamed } from './admission.ts'
import type { UploadDeps } from './deps.ts'
import { purge } from './purge.ts'
import { tellRoute } from './tell-route.ts'

/** After this many failed runs of the completion callback the file is `failed`. */
const maxAttempts = 5
/** How long its bytes are then kept, so that they can be rescued, in ms: a week. */
const rescueMs = 7 * 24 * 60 * 60 * 1_000

/**
 * Runs the route's `onUploadComplete` for a stored file this process holds the claim on, and
 * makes the file `ready` with what it returned. Never throws: a failure gives the claim back
 * and the job enqueued with `file.stored` tries again.
 */
export async function complete(
  deps: UploadDeps,
  record: FileRecord,
  prefix: string | null,
): Promise<void> {
  const keepClaim = setInterval(() => {
    extendClaim(deps.db, record.id, claimEnd(deps)).catch((error) =>
      deps.log.warn({ err: error, id: record.id }, 'could not extend a claim'),
    )
  }, deps.settings.claimMs / 3)
  keepClaim.unref()
  try {
    await deps.faults('completion:before-callback')
    const serverData = await runCallback(deps, record, prefix)
    await deps.faults('completion:after-callback')
    await becomeReady(deps, record, serverData)
    await deps.faults('completion:after-commit')
  } catch (error) {
    await afterFailure(deps, record, error).catch((cause) =>
      deps.log.error({ err: cause, id: record.id }, 'could not record a failed callback'),
    )
  } finally {
    clearInterval(keepClaim)
    deps.bus.publish(record.id)
  }
}

/**
 * The job behind it: finishes what a process that died left behind.
 * @throws if another process is at it, so that the queue asks again later
 */
export async function redriveCompletion(deps: UploadDeps, fileId: string): Promise<void> {
  const claimed = await claimCompletion(deps.db, fileId, claimEnd(deps))
  if (claimed) {
    await complete(deps, claimed, null)
    const after = await findFile(deps.db, fileId)
    if (after?.state === 'stored')
      throw new Error(`completion of ${fileId} failed; retrying`)
    return
  }
  const current = await findFile(deps.db, fileId)
  if (current?.state === 'stored')
    throw new Error(`completion of ${fileId} is in progress`)
}

/** The job that hashes a file whose bytes did not pass through one process in order. */
export async function recordDigest(deps: UploadDeps, fileId: string): Promise<void> {
  const record = await findFile(deps.db, fileId)
  if (!record || !isReadable(record.state) || record.sha256) return
  const opened = await storeNamed(deps, record.storeName).open(record.key)
  if (!opened)
    throw new CarcosaError('STORAGE_CORRUPT', { message: `No object of ${fileId}.` })
  const hash = createHash('sha256')
  let read = 0
  for await (const chunk of opened.stream) {
    hash.update(chunk)
    read += chunk.length
  }
  if (read !== record.size) throw new CarcosaError('STORAGE_CORRUPT')
  await setDigest(deps.db, fileId, hash.digest('hex'))
  deps.bus.publish(fileId)
}

async function runCallback(
  deps: UploadDeps,
  record: FileRecord,
  prefix: string | null,
): Promise<unknown> {
  const route = deps.route(record.route)
  if (!route?.onUploadComplete) return null
  const seconds = stopwatch()
  const request = describeRequest()
  const args = {
    file: {
      id: record.id,
      route: record.route,
      name: record.filename ?? '',
      ...lastModifiedOf(record),
      size: record.size ?? record.offset,
      type: record.contentType ?? 'application/octet-stream',
      sha256: record.sha256,
      url: deps.settings.fileUrl(record.id, prefix),
    },
    metadata: record.metadata,
    input: route.inputSchema ? record.input : undefined,
    principalId: record.ownerId,
    idempotencyKey: record.id,
    requestId: request?.requestId ?? null,
    traceparent: request?.traceparent ?? null,
    tracestate: request?.tracestate ?? null,
  }
  try {
    return (await route.onUploadComplete(args)) ?? null
  } finally {
    deps.meter.callbackRan(record.route, seconds())
  }
}

async function becomeReady(
  deps: UploadDeps,
  record: FileRecord,
  serverData: unknown,
): Promise<void> {
  const { id, route, filename, size, contentType, sha256, ownerId } = record
  await transition(deps.db, record, {
    to: 'ready',
    from: ['stored', 'processing'],
    changes: { serverData, readyAt: new Date(), claimedUntil: null },
    events: [
      {
        type: 'file.ready',
        data: { id, route, filename, ownerId, size, contentType, sha256 },
      },
    ],
  })
}

/**
 * A CarcosaError that blames the request is the route's verdict and final. Anything else is
 * tried again, a database or store that could not be reached above all: it says nothing about
 * the file.
 */
async function afterFailure(deps: UploadDeps, record: FileRecord, cause: unknown) {
  const { id, route, attempts } = record
  const verdict = cause instanceof CarcosaError && cause.status < 500 ? cause : null
  deps.log.error({ err: cause, id, route, attempts }, 'onUploadComplete failed')
  if (!verdict && attempts < maxAttempts) {
    // The job that was enqueued with file.stored tries again.
    await extendClaim(deps.db, id, null)
    return
  }
  const error =
    verdict ??
    new CarcosaError('CALLBACK_FAILED', {
      message: `onUploadComplete of route "${route}" failed ${attempts} times.`,
      cause,
    })
  const failure = { code: error.code, message: error.message }
  const to = verdict ? 'rejected' : 'failed'
  const ended = await transition(deps.db, record, {
    to,
    from: ['stored', 'processing'],
    changes: {
      ...{ failure, claimedUntil: null },
      ...(to === 'failed' && { purgeAfter: new Date(Date.now() + rescueMs) }),
    },
    events: [{ type: `file.${to}`, data: { id, route, ...failure } }],
  })
  if (!ended) return
  if (to === 'rejected') {
    deps.meter.uploadRejected(route, error.code)
    await purge(deps, ended)
  }
  await tellRoute(deps, ended, error)
}

function claimEnd(deps: UploadDeps): Date {
  return new Date(Date.now() + deps.settings.claimMs)
}

/** Only the client knows it, and only its own metadata keep it. */
function lastModifiedOf({ rawMetadata }: FileRecord): { lastModified?: number } {
  const given = Number(parseMetadata(rawMetadata ?? '').get('lastModified') ?? Number.NaN)
  return Number.isSafeInteger(given) ? { lastModified: given } : {}
}
