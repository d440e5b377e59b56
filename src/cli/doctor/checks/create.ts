import { Broken, type Check, type Finding, ok } from '../check.ts'
import { describe, headerHidden } from '../explain.ts'
import type { Patient } from '../patient.ts'
import { fitting } from '../sample.ts'
import { create, creationPath, routeOf, sentBy, type Upload } from '../tus.ts'

/** Whether an upload can be created, and Location is where clients find it. */
export const check: Check = {
  name: 'create',
  needs: ['routes'],
  async run(patient) {
    const creation = { size: fitting(routeOf(patient).sample, 100) }
    const upload = await create(patient, creation)
    const wrong = misplaced(patient, upload)
    const sent = sentBy(patient, creation)
    if (wrong) throw new Broken({ sent, ...wrong })
    if (upload.created.headers['tus-resumable'] === undefined) {
      const got = describe(upload.created)
      throw new Broken({ sent, got, ...headerHidden('Tus-Resumable') })
    }
    return ok(`POST creates an upload at ${upload.location}`)
  },
}

type Wrong = Omit<Finding, 'level'>

function misplaced(patient: Patient, { url, location }: Upload): Wrong | null {
  const asked = new URL(patient.base + creationPath(patient))
  const told = URL.canParse(location, asked) ? new URL(location, asked) : null
  if (told?.href === url.href) return null
  return {
    got: `201 with Location: ${location}`,
    code: 'LOCATION_WRONG',
    message: `Location leads to another place than the public URL: ${differenceOf(url, told)}. Clients send their bytes there.`,
    mend: {
      carcosa: `--public-url ${patient.base} where the proxy strips the prefix; else --public-url ${asked.origin} --base-path ${new URL(patient.base).pathname.replace(/\/$/, '') || "''"}`,
      nginx:
        'proxy_redirect off;  # Location is told by Carcosa; and proxy_pass without a path keeps the prefix',
      caddy: 'handle, not handle_path; remove "header_down Location …"',
      cloudflare: 'Rules: no rewrite of paths, no Flexible SSL',
    },
  }
}

function differenceOf(expected: URL, told: URL | null): string {
  if (!told) return 'it is no URL'
  if (told.protocol !== expected.protocol)
    return `${told.protocol} instead of ${expected.protocol}`
  if (told.host !== expected.host) return `${told.host} instead of ${expected.host}`
  const prefix = expected.pathname.replace(/\/uploads\/.*$/, '')
  if (prefix && told.pathname.startsWith(prefix + prefix))
    return `the prefix ${prefix} is doubled`
  if (prefix && !told.pathname.startsWith(`${prefix}/`))
    return `the prefix ${prefix} is missing`
  return `${told.pathname} instead of ${expected.pathname}`
}
