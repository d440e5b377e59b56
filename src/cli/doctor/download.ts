import type { Finding } from './check.ts'
import type { Answer } from './exchange.ts'
import { describe, expect } from './explain.ts'
import { type Patient, send } from './patient.ts'
import type { Upload } from './tus.ts'

/** A file that is complete. */
export interface Download {
  readonly url: URL
  readonly upload: Upload
  readonly content: Buffer
}

/** Reads it as browsers do: compressed if somebody likes to, again if changed, in parts. */
export async function lookAtDownload(
  patient: Patient,
  download: Download,
): Promise<Finding[]> {
  const { url, content } = download
  const sent = 'GET of the file with Accept-Encoding: gzip, br'
  const get = (headers: Record<string, string>, to = url) =>
    send(patient, 'GET', { to, headers: { ...download.upload.headers, ...headers } })
  const whole = await get({ 'Accept-Encoding': 'gzip, br' })
  const elsewhere =
    whole.status === 302 ? new URL(whole.headers.location ?? '', url) : null
  if (elsewhere && elsewhere.host !== url.host)
    return inTheStore(elsewhere, patient, content)
  expect(whole, [200], sent)
  const found = { sent, got: tell(whole) }
  if (whole.headers['content-encoding'])
    return [{ level: 'broken', ...found, ...compressing }]
  if (!whole.body.equals(content)) return [{ level: 'broken', ...found, ...changed }]
  const { etag } = whole.headers
  if (!etag?.startsWith('"')) return [{ level: 'broken', ...found, ...etagChanged }]
  const findings: Finding[] = []
  const part = await get({ Range: 'bytes=10-49' })
  if (part.status !== 206 || !part.body.equals(content.subarray(10, 50))) {
    const asked = 'GET with Range: bytes=10-49'
    findings.push({ level: 'broken', sent: asked, got: tell(part), ...rangeLost })
  }
  const again = await get({ 'If-None-Match': etag })
  if (again.status !== 304) {
    const asked = `GET with If-None-Match: ${etag}`
    findings.push({ level: 'broken', sent: asked, got: tell(again), ...etagChanged })
  }
  return findings
}

/** Routes with `.serve('redirect')`: no proxy of ours is in between. */
async function inTheStore(
  to: URL,
  patient: Patient,
  content: Buffer,
): Promise<Finding[]> {
  const bare: Patient = { ...patient, wishes: { ...patient.wishes, headers: {} } }
  const answer = await send(bare, 'GET', { to })
  if (answer.status === 200 && answer.body.equals(content)) return []
  const found = { sent: `GET of the file, sent on to ${to.host}`, got: tell(answer) }
  return [{ level: 'broken', ...found, ...storeUnreachable }]
}

function tell(answer: Answer): string {
  const names = ['content-encoding', 'content-length', 'content-range', 'etag']
  const told = names.flatMap((name) => {
    const value = answer.headers[name]
    return value === undefined ? [] : [`${name}: ${value}`]
  })
  const start = answer.status < 300 ? `${answer.status}` : describe(answer)
  return [start, `${answer.body.length} bytes`, ...told].join(', ')
}

const compressing = {
  code: 'COMPRESSED',
  message:
    'The proxy compresses files: readers lose ranges, length and the entity tag, so that downloads cannot be resumed.',
  mend: {
    nginx: 'gzip off;  # for /files/; brotli off; alike',
    caddy:
      'encode only what is not /files/*: @pages not path /files/* and "encode @pages gzip"',
    cloudflare:
      'Rules > Compression Rules: "Disable compression" for /files/*; it also keeps ETag strong',
  },
}

const changed = {
  code: 'CONTENT_CHANGED',
  message: 'Other bytes come back than were sent.',
  mend: {
    nginx: 'sub_filter_once on; remove sub_filter and other filters for /files/',
    caddy: 'remove replace and templates for /files/*',
    cloudflare:
      'Speed > Optimization: Rocket Loader, Polish, Email Obfuscation and Auto Minify off for /files/*',
  },
}

const etagChanged = {
  code: 'ETAG_CHANGED',
  message:
    'The entity tag of a file is changed, weakened or not asked for: caches and resumed downloads do not work.',
  mend: {
    nginx:
      'gzip off; proxy_pass_header ETag; proxy_set_header If-None-Match $http_if_none_match;',
    caddy: 'remove "header_down -ETag"',
    cloudflare: 'Caching > Configuration: "Respect strong ETags" in Cache Rules',
  },
}

const rangeLost = {
  code: 'RANGE_LOST',
  message:
    'A part of a file is not what was asked for: video cannot be wound, downloads not resumed.',
  mend: {
    nginx:
      'proxy_set_header Range $http_range; proxy_set_header If-Range $http_if_range;',
    caddy: 'remove "header_up -Range"',
    cloudflare: 'Cache Rules: bypass for /files/*, or keep Content-Length',
  },
}

const storeUnreachable = {
  code: 'STORE_UNREACHABLE',
  message: 'Readers are sent on to the store, but do not get the file there.',
  mend: {
    carcosa:
      "publicEndpoint of the store: the address readers reach it by; or no .serve('redirect')",
  },
}
