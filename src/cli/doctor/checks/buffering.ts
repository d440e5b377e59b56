import { setTimeout as wait } from 'node:timers/promises'
import { Broken, type Check, type Finding, ok } from '../check.ts'
import type { Answer, OpenRequest } from '../exchange.ts'
import { describe, problemOf } from '../explain.ts'
import type { Patient } from '../patient.ts'
import { fitting } from '../sample.ts'
import { create, offsetOf, openPatch, routeOf, type Upload } from '../tus.ts'

/** How long a proxy may hold what it was given, in milliseconds. */
const patience = 2_000

/**
 * Whether the proxy collects a body before it passes it on. Two questions, neither of which
 * depends on the store: is a PATCH with a wrong offset refused while its body is still being
 * sent, and does HEAD from a second connection, which ends the PATCH that is running, tell the
 * bytes sent so far?
 */
export const check: Check = {
  name: 'buffering',
  needs: ['vanish', 'errors'],
  async run(patient) {
    const findings = [
      await collects(patient, 'length'),
      await collects(patient, 'chunks'),
    ]
    if (findings[0]) throw new Broken(findings[0])
    if (findings[1]) throw new Broken(findings[1], 'warning')
    const lost = await loses(patient)
    if (lost) throw new Broken(lost)
    return ok('bytes go on as they come: an upload that breaks off keeps what was sent')
  },
}

type Trouble = Omit<Finding, 'level'>

async function collects(
  patient: Patient,
  framing: 'length' | 'chunks',
): Promise<Trouble | null> {
  const { sample } = routeOf(patient)
  const size = fitting(sample, 64 * 1_024)
  const upload = await create(patient, { size })
  const content = sample.bytes(size)
  const length = framing === 'length' ? size - 1 : null
  const open = openPatch(patient, upload, { offset: 1, length })
  open.write(content.subarray(0, Math.floor(size / 2)))
  const early = await within(open)
  if (early) {
    open.cut()
    return isRefusal(early) ? null : strange(framing, early)
  }
  open.end(content.subarray(Math.floor(size / 2), size - 1))
  const late = await open.answer
  return isRefusal(late) ? buffered(framing, late) : strange(framing, late)
}

async function loses(patient: Patient): Promise<Trouble | null> {
  const { sample } = routeOf(patient)
  const size = fitting(sample, 64 * 1_024)
  const upload = await create(patient, { size })
  const half = Math.floor(size / 2)
  const open = openPatch(patient, upload, { offset: 0, length: size })
  open.write(sample.bytes(size).subarray(0, half))
  await wait(patience / 4, undefined, { signal: patient.signal })
  const offset = await reached(patient, upload, half)
  open.cut()
  await open.answer.catch(() => {})
  if (offset === half) return null
  return {
    ...buffered('length', null),
    sent: `half of a PATCH (${half} bytes), then HEAD from a second connection`,
    got: `Upload-Offset: ${offset}`,
  }
}

/** A proxy on a slow line may need a moment to deliver the last of it. */
async function reached(patient: Patient, upload: Upload, half: number): Promise<number> {
  const offset = await offsetOf(patient, upload)
  return offset === half ? offset : await offsetOf(patient, upload)
}

function within(open: OpenRequest): Promise<Answer | null> {
  const late = new AbortController()
  const nothing = wait(patience, null, { signal: late.signal }).catch(() => null)
  return Promise.race([open.answer, nothing]).finally(() => late.abort())
}

function isRefusal(answer: Answer): boolean {
  return answer.status === 409 || problemOf(answer)?.code === 'OFFSET_MISMATCH'
}

function buffered(framing: 'length' | 'chunks', answer: Answer | null): Trouble {
  const isChunked = framing === 'chunks'
  return {
    code: isChunked ? 'CHUNKS_BUFFERED' : 'REQUEST_BUFFERED',
    message: `The proxy collects ${isChunked ? 'a body sent in chunks' : 'the whole body'} before it passes it on: what was sent before a connection breaks is lost, and progress is that of the proxy.`,
    sent: 'half of a PATCH with a wrong Upload-Offset, which Carcosa refuses at once',
    got: answer ? `only after the other half: ${describe(answer)}` : 'nothing',
    mend: {
      nginx: isChunked
        ? 'proxy_http_version 1.1;  # with proxy_request_buffering off;'
        : 'proxy_request_buffering off; proxy_http_version 1.1;',
      caddy: 'reverse_proxy { request_buffers 0 }  # or no request_buffers at all',
      cloudflare:
        'Network > "Request buffering" off (Enterprise); else bodies are collected: give clients a chunkSize of 8 MB',
    },
  }
}

function strange(framing: string, answer: Answer): Trouble {
  return {
    code: 'UNEXPECTED_ANSWER',
    message: 'A PATCH with a wrong offset is not refused as Carcosa refuses it.',
    sent: `half of a PATCH (by ${framing}) with a wrong Upload-Offset`,
    got: describe(answer),
    mend: { nginx: 'proxy_intercept_errors off;' },
  }
}
