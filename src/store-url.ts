import type { Store } from '../stores/store.ts'
import { CarcosaError } from './shared/errors.ts'

/**
 * The store a URL names, for configurations that are text. Credentials are found where the
 * SDKs look for them, never in the URL, which is shown and logged.
 *
 * - `file:/var/lib/carcosa`, `file:relative?durability=disk`
 * - `s3://bucket/prefix/?region=…&endpoint=…&pathStyle=true`
 * - `minio://bucket?endpoint=…`, and so on for each preset of stores/presets.ts
 * - `r2://bucket/prefix/?account=…&jurisdiction=eu`
 * - `gs://bucket/prefix/`
 *
 * Parameters are options of the store; those not known are refused.
 *
 * @throws {CarcosaError} CONFIG_INVALID
 */
export async function storeFromUrl(text: string): Promise<Store> {
  const scheme = text.slice(0, text.indexOf(':'))
  const make = makers[scheme]
  if (make) return make(text)
  throw invalid(text, `there is no store "${scheme}:"; use ${schemes.join(', ')}`)
}

type Maker = (text: string) => Promise<Store>

/** Each loads its store only when it is asked for. */
const makers: Readonly<Record<string, Maker>> = {
  async file(text) {
    const { file } = await import('../stores/file.ts')
    const [path = '', query] = text.slice('file:'.length).split('?')
    const { durability, ...rest } = Object.fromEntries(new URLSearchParams(query))
    refuseOthers(text, rest, ['durability'])
    if (durability !== undefined && durability !== 'disk' && durability !== 'process')
      throw invalid(text, 'durability is process or disk')
    const directory = decodeURIComponent(path.replace(/^\/\/(?=\/)/, ''))
    return file({ directory, ...(durability && { durability }) })
  },
  async s3(text) {
    const { s3 } = await import('../stores/s3.ts')
    return s3(s3Options(text))
  },
  async r2(text) {
    const { r2 } = await import('../stores/r2.ts')
    const { account, jurisdiction, ...rest } = s3Options(text, [
      'account',
      'jurisdiction',
    ])
    if (jurisdiction !== undefined && jurisdiction !== 'eu' && jurisdiction !== 'fedramp')
      throw invalid(text, 'jurisdiction is eu or fedramp')
    return r2({
      ...rest,
      ...(account && { accountId: account }),
      ...(jurisdiction && { jurisdiction }),
    })
  },
  async gs(text) {
    const { gcs } = await import('../stores/gcs.ts')
    const { bucket, prefix, parameters } = parse(text)
    const { endpoint, ...rest } = parameters
    refuseOthers(text, rest, ['endpoint'])
    return gcs({ bucket, ...prefix, ...(endpoint && { apiEndpoint: endpoint }) })
  },
  backblaze: (text) => fromPreset(text, 'backblaze'),
  ceph: (text) => fromPreset(text, 'ceph'),
  digitalocean: (text) => fromPreset(text, 'digitalocean'),
  garage: (text) => fromPreset(text, 'garage'),
  minio: (text) => fromPreset(text, 'minio'),
  scaleway: (text) => fromPreset(text, 'scaleway'),
  wasabi: (text) => fromPreset(text, 'wasabi'),
}

const schemes = Object.keys(makers).map((scheme) => `${scheme}:`)

async function fromPreset(
  text: string,
  name: keyof typeof import('../stores/presets.ts'),
): Promise<Store> {
  const presets = await import('../stores/presets.ts')
  const { region, endpoint, ...rest } = s3Options(text)
  if (!region && !endpoint) throw invalid(text, 'it needs region or endpoint')
  const options = { ...rest, ...(region && { region }), ...(endpoint && { endpoint }) }
  // Each preset asks for one of the two; a service that lacks it is told so by its client.
  return presets[name](options as typeof options & { region: string; endpoint: string })
}

/** Parameters as they stand in the URL, beside bucket and prefix. */
interface UrlOptions {
  bucket: string
  prefix?: string
  region?: string
  endpoint?: string
  publicEndpoint?: string
  partSize?: string
  forcePathStyle?: boolean
  account?: string
  jurisdiction?: string
}

const s3Parameters = ['region', 'endpoint', 'publicEndpoint', 'pathStyle', 'partSize']

function s3Options(text: string, more: readonly string[] = []): UrlOptions {
  const { bucket, prefix, parameters } = parse(text)
  refuseOthers(text, parameters, [...s3Parameters, ...more])
  const { pathStyle, ...rest } = parameters
  return {
    ...rest,
    bucket,
    ...prefix,
    ...(pathStyle && { forcePathStyle: pathStyle === 'true' }),
  }
}

function parse(text: string) {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url?.hostname || url.username || url.password)
    throw invalid(
      text,
      'write it as scheme://bucket/prefix/?name=value, without a password',
    )
  const path = decodeURIComponent(url.pathname.slice(1))
  return {
    bucket: url.hostname,
    prefix: path && { prefix: path.endsWith('/') ? path : `${path}/` },
    parameters: Object.fromEntries(url.searchParams) as Record<string, string>,
  }
}

function refuseOthers(text: string, given: object, known: readonly string[]): void {
  const other = Object.keys(given).find((name) => !known.includes(name))
  if (other) throw invalid(text, `"${other}" is not one of ${known.join(', ')}`)
}

function invalid(text: string, why: string): CarcosaError {
  const shown = text.replace(/\/\/[^/@]*@/, '//…@')
  return new CarcosaError('CONFIG_INVALID', {
    message: `The store ${JSON.stringify(shown)} cannot be used: ${why}.`,
  })
}
