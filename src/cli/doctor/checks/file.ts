import { createHash } from 'node:crypto'
import { Broken, type Check, type Finding, ok } from '../check.ts'
import { lookAtDownload } from '../download.ts'
import { describe, expect, jsonOf } from '../explain.ts'
import { type Patient, type Route, send } from '../patient.ts'
import { fitting } from '../sample.ts'
import { create, creationPath, patch, routeOf, status, type Upload } from '../tus.ts'

/** Whether a whole file arrives, and can be read back byte by byte. */
export const check: Check = {
  name: 'file',
  needs: ['vanish', 'ticket'],
  async run(patient) {
    const route = routeOf(patient)
    const size = fitting(route.sample, 200_000)
    const content = route.sample.bytes(size)
    const ticket = await prepare(patient, route, size)
    const upload = await create(patient, { size, headers: { 'Upload-Ticket': ticket } })
    const sent = `PATCH with all ${size} bytes`
    const answer = await patch(patient, upload, { offset: 0, body: content })
    expect(answer, [204, 200], sent)
    const url = await completed(patient, upload, content)
    if (url === null)
      return ok('a file arrives with its SHA-256; this server tells no link to it')
    const findings = await lookAtDownload(patient, { url, upload, content })
    return findings.length > 0
      ? findings
      : ok('a file arrives, and is read back with equal SHA-256, whole and in ranges')
  },
}

/** A ticket: with it the file can be deleted, whoever may delete else. */
async function prepare(
  patient: Patient,
  { sample }: Route,
  size: number,
): Promise<string> {
  const to = `${creationPath(patient)}/prepare`
  const { input } = patient.wishes
  const file = { name: sample.name, size, type: sample.type }
  const answer = await send(patient, 'POST', {
    to,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ files: [file], ...(input !== undefined && { input }) }),
  })
  expect(answer, [200], `POST ${to}`)
  const { files } = jsonOf(answer.body) ?? {}
  const [first] = Array.isArray(files) ? files : []
  if (typeof first?.ticket === 'string') return first.ticket
  throw new Broken({
    code: 'REFUSED',
    message: `Carcosa refuses: ${first?.error?.detail ?? 'no ticket came'}`,
    sent: `POST ${to}`,
    got: describe(answer),
  })
}

/** Waits for the outcome; the link, if one is told. */
async function completed(
  patient: Patient,
  upload: Upload,
  content: Buffer,
): Promise<URL | null> {
  const sent = 'GET of the complete upload with ?wait=20'
  const answer = expect(await status(patient, upload, { wait: 20 }), [200], sent)
  const { state, sha256, url, failure } = jsonOf(answer.body) ?? {}
  const got = `state ${state}, sha256 ${sha256}`
  if (state !== 'ready' && state !== 'stored' && state !== 'processing') {
    throw new Broken({ ...failed(failure), sent, got })
  }
  if (typeof sha256 === 'string' && sha256 !== digestOf(content)) {
    throw new Broken({ ...damaged(), sent, got: `${got}, here ${digestOf(content)}` })
  }
  return typeof url === 'string' ? new URL(url, upload.url) : null
}

function failed(failure: unknown): Pick<Finding, 'code' | 'message' | 'mend'> {
  const { code = 'no code', message = '' } = Object(failure)
  return {
    code: 'UPLOAD_FAILED',
    message: `The file arrived, but the route did not take it: ${code} ${message}`,
    mend: { carcosa: 'a route of its own for the doctor has no callback that can fail' },
  }
}

function damaged(): Pick<Finding, 'code' | 'message'> {
  return { code: 'CONTENT_CHANGED', message: 'Other bytes arrived than were sent.' }
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
