import { Broken, type Check, type Finding, ok, skipped } from '../check.ts'
import type { Answer } from '../exchange.ts'
import { describe } from '../explain.ts'
import { type Patient, send } from '../patient.ts'
import { creationPath } from '../tus.ts'

const asked = 'tus-resumable,upload-length,upload-offset,upload-metadata,content-type'

/** Whether a page of another origin may upload, as browsers judge it. */
export const check: Check = {
  name: 'cors',
  needs: ['options'],
  async run(patient) {
    const origin = patient.wishes.origin ?? 'https://app.example.com'
    const preflight = await askFirst(patient, origin)
    const sent = `OPTIONS with Origin: ${origin}, Access-Control-Request-Method: PATCH`
    const found = { sent, got: tell(preflight) }
    const allowed = preflight.headers['access-control-allow-origin']
    if (allowed?.includes(',')) throw new Broken({ ...found, ...doubled(allowed) })
    if (allowed === undefined) return missing(patient, preflight, found)
    if (preflight.status > 299)
      throw new Broken({ ...found, ...refused(preflight.status) })
    const lacking = lackingIn(preflight)
    if (lacking) throw new Broken({ ...found, ...incomplete(lacking) })
    return (await hidden(patient, origin)) ?? ok(`pages of ${origin} may upload`)
  },
}

function askFirst(patient: Patient, origin: string): Promise<Answer> {
  return send(patient, 'OPTIONS', {
    to: creationPath(patient),
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': asked,
    },
  })
}

function tell(answer: Answer): string {
  const cors = Object.entries(answer.headers)
    .filter(([name]) => name.startsWith('access-control-'))
    .map(([name, value]) => `${name}: ${value.slice(0, 80)}`)
  return [describe(answer), ...cors].join(', ')
}

/** What the preflight does not allow. */
function lackingIn({ headers }: Answer): string | null {
  const methods = listOf(headers['access-control-allow-methods'])
  if (!methods.includes('patch') && !methods.includes('*')) return 'PATCH'
  const names = listOf(headers['access-control-allow-headers'])
  if (names.includes('*')) return null
  return asked.split(',').find((name) => !names.includes(name)) ?? null
}

function listOf(value = ''): string[] {
  return value.split(',').map((item) => item.trim().toLowerCase())
}

/** An answer to a page: it must be allowed to read what tus needs. */
async function hidden(patient: Patient, origin: string): Promise<Finding | null> {
  const answer = await send(patient, 'GET', {
    to: '/healthz',
    headers: { Origin: origin },
  })
  const allowed = answer.headers['access-control-allow-origin'] ?? ''
  const found = { sent: `GET /healthz with Origin: ${origin}`, got: tell(answer) }
  if (allowed.includes(',')) return { level: 'broken', ...found, ...doubled(allowed) }
  const exposed = listOf(answer.headers['access-control-expose-headers'])
  const lacking = ['location', 'upload-offset'].find((name) => !exposed.includes(name))
  if (!lacking) return null
  return {
    level: 'broken',
    ...found,
    code: 'CORS_INCOMPLETE',
    message: `A page may not read the header ${lacking} of an answer.`,
    mend: lines('Access-Control-Expose-Headers'),
  }
}

function missing(
  { wishes }: Patient,
  { headers }: Answer,
  found: Pick<Finding, 'sent' | 'got'>,
): Finding {
  const isOurs = headers['access-control-allow-methods'] !== undefined
  if (isOurs && wishes.origin === null) {
    return skipped('the server takes chosen origins only: name one of them by --origin')
  }
  return {
    level: 'broken',
    ...found,
    code: 'CORS_MISSING',
    message: isOurs
      ? `Pages of ${wishes.origin} may not upload.`
      : 'The answer to a preflight is not that of Carcosa: no page of another origin may upload.',
    mend: {
      ...lines('Access-Control-Allow-Origin'),
      carcosa: '--cors https://app.example.com',
    },
  }
}

function doubled(allowed: string): Pick<Finding, 'code' | 'message' | 'mend'> {
  return {
    code: 'CORS_DOUBLED',
    message: `Access-Control-Allow-Origin is there twice ("${allowed}"): Carcosa sends it, and the proxy adds another. Browsers refuse that.`,
    mend: lines('Access-Control-Allow-Origin'),
  }
}

function refused(status: number): Pick<Finding, 'code' | 'message' | 'mend'> {
  return {
    code: 'CORS_MISSING',
    message: `The preflight is answered with ${status}; browsers want 2xx.`,
    mend: lines('Access-Control-Allow-Origin'),
  }
}

function incomplete(what: string): Pick<Finding, 'code' | 'message' | 'mend'> {
  return {
    code: 'CORS_INCOMPLETE',
    message: `The preflight does not allow ${what}.`,
    mend: lines('Access-Control-Allow-Methods'),
  }
}

/** Carcosa does it right where nobody helps. */
function lines(header: string) {
  return {
    nginx: `remove "add_header ${header} …;" and "proxy_hide_header ${header};": Carcosa sends it`,
    caddy: `remove "header ${header} …": Carcosa sends it`,
    cloudflare: `Rules > Transform Rules: no response header ${header}`,
  }
}
