import { CarcosaClientError } from './errors.ts'
import type { Run } from './job.ts'
import { readOffer } from './offer.ts'
import type { StoredUpload } from './storage.ts'

/** Puts the position where an earlier run of the same upload left it; asks once. */
export async function recall(run: Run): Promise<void> {
  const { job, position } = run
  if (position.recalled) return
  position.recalled = true
  const stored = await guarded(run, () => job.storage.get(position.key))
  if (!stored || stored.size !== job.description.size) return
  const { url, ticket, expiresAt, createdAt } = stored
  const direct = job.direct ? readOffer(stored.direct, stored.size) : null
  Object.assign(position, { url, ticket, direct, expiresAt, createdAt, tried: true })
}

/** Stores the position as it is, one write after the other. */
export function remember(run: Run): void {
  const { job, position } = run
  position.createdAt ||= Date.now()
  // Many parts may end while one write is under way, and the next one tells of all.
  if (position.unsaved) return
  position.unsaved = true
  const write = async () => {
    position.unsaved = false
    const entry = entryOf(run)
    if (entry) await guarded(run, () => job.storage.set(position.key, entry))
  }
  position.saving = (position.saving ?? Promise.resolve()).then(write)
}

export async function forget(run: Run): Promise<void> {
  // What is still being written would otherwise outlive its removal.
  await run.position.saving
  await guarded(run, () => run.job.storage.remove(run.position.key))
}

function entryOf({ job, position }: Run): StoredUpload | null {
  const { url, ticket, direct, createdAt, expiresAt } = position
  const { name, size } = job.description
  if (!url) return null
  const entry = { url, ticket, route: job.route, name, size, createdAt, expiresAt }
  if (!direct) return entry
  const parts = direct.parts.map((part) => ({ ...part }))
  return { ...entry, direct: { ...direct, parts } }
}

/** A storage that fails costs the chance to resume, and is no reason to fail the upload. */
async function guarded<T>({ job }: Run, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (cause) {
    const message = `What is needed to resume "${job.description.name}" could not be kept.`
    job.listener.onWarning(new CarcosaClientError('CLIENT_FAILED', { message, cause }))
    return null
  }
}
