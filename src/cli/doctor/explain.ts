import { gunzipSync } from 'node:zlib'
import { Broken, type Finding, type Mend } from './check.ts'
import type { Answer, NoAnswer } from './exchange.ts'

/** What the same answer means wherever it comes. */

/** An error of Carcosa's, if that is what the answer is. */
export interface Problem {
  readonly code: string
  readonly detail: string
  readonly details: Readonly<Record<string, unknown>>
}

export function problemOf({ headers, body }: Answer): Problem | null {
  if (!headers['content-type']?.startsWith('application/problem+json')) return null
  const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
  const { code = '', detail = '', details = {} } = jsonOf(text) ?? {}
  return { code: String(code), detail: String(detail), details: Object(details) }
}

/** Whether Carcosa said this, and not somebody in front of it. */
export function isOurs(answer: Answer): boolean {
  return answer.headers['tus-resumable'] !== undefined || problemOf(answer) !== null
}

export function jsonOf(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}

/** An answer in a line: status, who said it, what. */
export function describe(answer: Answer): string {
  const { status, headers, body } = answer
  const problem = problemOf(answer)
  if (problem) return `${status} ${problem.code} from Carcosa: ${problem.detail}`
  const by = isOurs(answer) ? 'Carcosa' : (headers.server ?? 'somebody unnamed')
  const [text = ''] = /[^\s].{0,120}/.exec(withoutTags(body)) ?? []
  const location = headers.location ? `, Location: ${headers.location}` : ''
  return `${status} from ${by}${location}${text && `: ${text.trim()}`}`
}

function withoutTags(body: Buffer): string {
  const text = body.subarray(0, 2_000).toString()
  return text
    .replace(/<(style|script|title).*?<\/\1>|<[^>]*>/gis, ' ')
    .replace(/\s+/g, ' ')
}

/** The answer, if its status is one of `expected`. @throws {Broken} that says what it means */
export function expect(
  answer: Answer,
  expected: readonly number[],
  sent: string,
): Answer {
  if (expected.includes(answer.status)) return answer
  throw new Broken(unexpected(answer, sent))
}

/** What an answer means that should not have come. `sent` begins with the method. */
export function unexpected(answer: Answer, sent: string): Omit<Finding, 'level'> {
  const found = { sent, got: describe(answer) }
  const problem = problemOf(answer)
  if (problem) return { ...found, ...ofOurs(problem) }
  if (!isOurs(answer)) {
    const known = byStatus(answer, sent.split(' ', 1).join(''))
    if (known) return { ...found, ...known }
  }
  return {
    ...found,
    code: 'UNEXPECTED_ANSWER',
    message: `This is not what Carcosa answers to ${sent.split(' ', 1)}.`,
    mend: {
      nginx: 'proxy_pass http://<carcosa>;  # for every path below the public URL',
    },
  }
}

type Meaning = Pick<Finding, 'code' | 'message' | 'mend'>

/** Headers whose loss Carcosa notices, by the code of its refusal. */
const needed: Readonly<Record<string, string>> = {
  TUS_VERSION_UNSUPPORTED: 'Tus-Resumable',
  LENGTH_INVALID: 'Upload-Length',
  CONTENT_TYPE_UNSUPPORTED: 'Content-Type',
  HEADER_INVALID: 'Upload-Offset',
}

function ofOurs({ code, detail }: Problem): Meaning {
  const header = needed[code]
  if (header) return headerLost(header)
  if (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN') return credentialRefused(code)
  if (code === 'INPUT_INVALID') {
    return {
      code: 'INPUT_NEEDED',
      message: 'The route asks for an input. Give one that it takes.',
      mend: { carcosa: `carcosa doctor --input '{ … }'` },
    }
  }
  if (code === 'MOUNT_MISMATCH') return wrongPrefix(detail)
  return { code: 'REFUSED', message: `Carcosa refuses: ${detail}` }
}

export function headerLost(header: string): Meaning {
  const variable = header.toLowerCase().replaceAll('-', '_')
  return {
    code: 'HEADER_LOST',
    message: `The request header ${header} does not reach Carcosa.`,
    mend: {
      nginx: `proxy_set_header ${header} $http_${variable};  # and no line that sets it to ""; proxy_pass_request_headers on;`,
      caddy: `remove "header_up -${header}" from reverse_proxy`,
      cloudflare: `Rules > Transform Rules: delete the one that removes ${header}`,
    },
  }
}

export function headerHidden(header: string): Meaning {
  return {
    code: 'HEADER_HIDDEN',
    message: `The answer comes without its header ${header}.`,
    mend: {
      nginx: `proxy_pass_header ${header};  # and remove "proxy_hide_header ${header};"`,
      caddy: `remove "header_down -${header}" from reverse_proxy`,
      cloudflare: `Rules > Transform Rules: delete the one that removes ${header}`,
    },
  }
}

function credentialRefused(code: string): Meaning {
  return {
    code: 'CREDENTIAL_REFUSED',
    message: `Carcosa answers ${code}: it needs a credential, got a wrong one, or did not get the header it is in.`,
    mend: {
      carcosa:
        'carcosa doctor --header "Authorization: Bearer …", or a route that is public()',
      nginx:
        'proxy_set_header Authorization $http_authorization; underscores_in_headers on;  # the second for headers such as X_Api_Key',
      caddy: 'remove "header_up -Authorization"; basic_auth takes the header for itself',
      cloudflare: 'Zero Trust > Access takes the header for itself: use a service token',
    },
  }
}

export function wrongPrefix(detail: string): Meaning {
  return {
    code: 'WRONG_PREFIX',
    message: `The path that reaches Carcosa is not the one it expects: ${detail}`,
    mend: {
      carcosa:
        '--base-path /<prefix> (CARCOSA_BASE_PATH) where the proxy keeps the prefix',
      nginx:
        'proxy_pass http://<carcosa>;  # without a path or slash behind it: the prefix is kept',
      caddy: 'handle /<prefix>/* { reverse_proxy … }  # not handle_path, which strips it',
    },
  }
}

export const bodyLimit = {
  code: 'BODY_LIMIT',
  mend: {
    nginx: 'client_max_body_size 0;',
    caddy: 'request_body { max_size 100GB }  # or no request_body at all',
    cloudflare:
      'bodies end at 100 MB (Free, Pro), 200 MB (Business), 500 MB (Enterprise): give clients a chunkSize below, or a DNS record without proxy',
    carcosa: `createClient({ chunkSize: … }) where the limit cannot be lifted`,
  },
} as const

export function headerLimit(): Meaning {
  return {
    code: 'HEADER_LIMIT',
    message: 'Headers of this length are refused by what is in front of Carcosa.',
    mend: {
      nginx: 'large_client_header_buffers 4 16k;',
      caddy: 'servers { max_header_size 32KB }',
      cloudflare:
        'takes 16 KB for a header and 128 KB for all: look at the proxy behind it',
    },
  }
}

export function methodBlocked(method: string): Meaning {
  return {
    code: 'METHOD_BLOCKED',
    message: `${method} does not reach Carcosa.`,
    mend: {
      nginx: `limit_except GET POST PATCH DELETE OPTIONS { deny all; }  # GET stands for HEAD too; or no limit_except`,
      caddy: `remove the matcher "not method ${method}", or add ${method} to it`,
      cloudflare: `Security > WAF: skip rules that block ${method} below the public URL`,
    },
  }
}

export function redirected(answer: Answer): Meaning {
  const to = answer.headers.location ?? ''
  return {
    code: 'REDIRECTED',
    message: `Requests are sent on to ${to || 'somewhere else'}. Clients follow with GET and lose body and method, or do not follow.`,
    mend: {
      carcosa: `give clients (and publicUrl) the URL it leads to: --public-url ${to.replace(/\/(healthz|routes|uploads|files).*$/, '') || '…'}`,
      nginx:
        'return 308 https://$host$request_uri;  # keeps the method, where an old URL must go on',
      caddy: 'redir https://{host}{uri} 308',
      cloudflare:
        'SSL/TLS > Overview: Full (strict); Flexible makes servers that redirect to HTTPS loop',
    },
  }
}

export const bodyTimeout = {
  code: 'BODY_TIMEOUT',
  mend: {
    nginx: 'client_body_timeout 75s; proxy_send_timeout 120s;',
    caddy: 'servers { timeouts { read_body 0 } }',
    cloudflare: 'ends a body that is silent for long; nothing to set: clients resume',
  },
} as const

export const answerTimeout = {
  code: 'ANSWER_TIMEOUT',
  mend: {
    nginx: 'proxy_read_timeout 120s;',
    caddy: 'reverse_proxy { transport http { response_header_timeout 120s } }',
    cloudflare: '524 comes after 100 s; Enterprise: proxy_read_timeout in Cache Rules',
  },
} as const satisfies { code: string; mend: Mend }

function byStatus(answer: Answer, method: string): Meaning | null {
  const { status, headers } = answer
  const text = withoutTags(answer.body)
  if (status >= 300 && status < 400 && status !== 304) return redirected(answer)
  if (headers['cf-mitigated'] !== undefined) return challenged()
  if (status === 401 || status === 407)
    return credentialRefused(`${status} (not Carcosa)`)
  if (status === 408) {
    return { ...bodyTimeout, message: 'A body that pauses is given up too early.' }
  }
  if (status === 413) {
    return { ...bodyLimit, message: 'Bodies of this length are refused.' }
  }
  if (status === 414 || status === 431 || /header.*too large/i.test(text))
    return headerLimit()
  if (status === 403 || status === 405 || status === 501) return methodBlocked(method)
  if (status === 429 || (status === 503 && /nginx/i.test(headers.server ?? ''))) {
    return rateLimited()
  }
  if (status === 504 || status === 524) {
    return { ...answerTimeout, message: 'The proxy gave up waiting for Carcosa.' }
  }
  return status >= 502 && status <= 530 ? upstreamDown() : null
}

function challenged(): Meaning {
  return {
    code: 'CHALLENGED',
    message: 'Cloudflare wants to see a browser solve a challenge. Programs cannot.',
    mend: {
      cloudflare:
        'Security > WAF > Custom rules: Skip (all managed rules, Bot Fight Mode, Browser Integrity Check) for the public URL',
    },
  }
}

function rateLimited(): Meaning {
  return {
    code: 'RATE_LIMITED',
    message:
      'The proxy refuses requests because there are too many. An upload is made of several in a row.',
    mend: {
      nginx:
        'limit_req zone=… burst=100 nodelay;  # or none for this location; limit_req_status 429; limit_conn alike',
      caddy: 'raise events and window of rate_limit',
      cloudflare: 'Security > WAF > Rate limiting rules: leave out the public URL',
    },
  }
}

function upstreamDown(): Meaning {
  return {
    code: 'UPSTREAM_DOWN',
    message: 'The proxy answers, but does not reach Carcosa behind it.',
    mend: {
      nginx: 'proxy_pass http://<host:port where carcosa start listens>;',
      caddy: 'reverse_proxy <host:port where carcosa start listens>',
      cloudflare:
        '521 to 523: open the port of the origin to the addresses of Cloudflare',
      carcosa:
        'carcosa start --host 0.0.0.0 where the proxy runs on another machine or in a container',
    },
  }
}

/** What it means that no answer came at all. */
export function noAnswer({ code, message }: NoAnswer): Omit<Finding, 'level'> {
  const isTls = /CERT|TLS|SSL|SELF_SIGNED|ISSUER/.test(code)
  return {
    code: isTls ? 'TLS_INVALID' : 'NO_ANSWER',
    message: isTls
      ? 'The certificate is not one that clients accept.'
      : 'The connection ended, or could not be made, before an answer came.',
    got: `${code}: ${message}`,
    mend: isTls
      ? {
          nginx: 'ssl_certificate fullchain.pem;  # with the intermediate certificates',
          caddy: 'remove "tls internal"',
          cloudflare: 'SSL/TLS > Edge Certificates: must cover the host name',
        }
      : {
          nginx: 'proxy_read_timeout 120s; client_body_timeout 75s; lingering_close on;',
          carcosa: 'is the server running, and --to right?',
        },
  }
}
