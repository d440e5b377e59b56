/** What differs from one time to the next is made the same: ids, times, tokens, origins. */
export function same(value: unknown): unknown {
  if (value instanceof Date) return '<a Date>'
  if (value instanceof Error) return sameError(value)
  if (typeof value === 'string') return sameText(value)
  if (Array.isArray(value)) return value.map(same)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, one]) => [
    name,
    secrets.has(name) && one !== null ? `<a ${typeof one}>` : same(one),
  ])
  return Object.fromEntries(entries)
}

const secrets = new Set(['token', 'start', 'nextCursor', 'ticket'])

function sameError(error: Error) {
  const { name, message, code, details } = error as Error & {
    code?: string
    details?: unknown
  }
  // What is not for who asks and what there is not are told in the same words over HTTP.
  const said = code?.endsWith('_NOT_FOUND') ? '<missing>' : sameText(message)
  return { name, code, message: said, details: same(details) }
}

function sameText(text: string): string {
  return text
    .replace(/^http:\/\/127\.0\.0\.1:\d+/, '')
    .replace(/\?.*signature=.*$/, '?<signed>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/(?<![\w-])([a-z]+_)?[\w-]{24}(?![\w-])/g, '$1<id>')
    .replaceAll(/[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}/g, '<uuid>')
    .replaceAll(/revision \d+/g, 'revision <n>')
}

/** What is told in process only, of a file and of an upload. */
const ofNobody = ['storeName', 'key', 'storeMemo', 'input', 'metadata', 'rawMetadata']
const inside = [
  ...[...ofNobody, 'batchIndex', 'serverData', 'attempts', 'claimedUntil', 'purgedAt'],
  ...['detectedType', 'pinned'],
]
const notOfFiles = [...inside, 'declaredType', 'offset', 'expiresAt']
const notOfUploads = [
  ...[...inside, 'contentType', 'contentDisposition', 'acl', 'sha256', 'customId'],
  ...['tags', 'revision', 'failure', 'storedAt', 'readyAt', 'purgeAfter'],
]

export const asFile = (file: object | null) => file && without(file, notOfFiles)
export const asUpload = (upload: object | null) => upload && without(upload, notOfUploads)

/** Of a job, what it failed with; the ids it carries beside that of its file. */
export function asJob(job: { data: Readonly<Record<string, unknown>> }) {
  const { fileId } = job.data
  return { ...without(job, ['lastError']), data: { fileId } }
}

function without(thing: object, names: readonly string[]): object {
  const left = Object.entries(thing).filter(([name]) => !names.includes(name))
  return Object.fromEntries(left)
}
