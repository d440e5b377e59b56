import type { ReferenceName } from '../references/index.ts'
import { uploadsPath } from '../references/reference.ts'
import type { S3ReferenceName } from '../references/s3/index.ts'
import type { CarcosaOptions } from '../servers/carcosa.ts'
import { type Credential, readCredential } from '../servers/credential.ts'
import type { ReferenceOptions } from '../servers/reference.ts'
import type { S3ReferenceOptions } from '../servers/s3-reference.ts'
import { type Api, keptBy, keptIn, plainApi, servedBelow, tusApi } from './api.ts'

/** A server to measure: how it is started and how it is spoken to. */
export interface Variant {
  /** The name in tables and ratios. */
  readonly name: string
  /** Left out of a smoke run, which has the same code in another variant. */
  readonly extra: boolean
  /** Flags of Node beyond those every server gets. */
  readonly flags: readonly string[]
  /** Script and arguments for a server that keeps its files below `directory`. */
  command(directory: string, port: number): string[]
  api(directory: string, port: number): Api
}

/** Starts V8 with room, so that it does not collect garbage at every few megabytes. */
export const oldSpace = '--initial-old-space-size=256'

/** A reference; `express` puts it behind Express 5. */
export function reference(name: ReferenceName, setup: Setup = {}): Variant {
  const express = setup.express ?? false
  return {
    name: label(name, setup),
    extra: setup.extra ?? false,
    flags: setup.flags ?? [],
    command: (directory, port) => {
      const options: ReferenceOptions = { reference: name, directory, port, express }
      return [script('reference.ts'), JSON.stringify(options)]
    },
    api: (directory) =>
      (name === 'bare' ? tusApi : plainApi)(uploadsPath, keptIn(directory)),
  }
}

/** A reference of uploads to the S3 at `endpoint`. */
export function s3Reference(
  name: S3ReferenceName,
  setup: Pick<Setup, 'extra'> & { endpoint: string },
): Variant {
  const { endpoint, extra = false } = setup
  return {
    name,
    extra,
    flags: [],
    command: (_directory, port) => {
      const options: S3ReferenceOptions = { reference: name, endpoint, port }
      return [script('s3-reference.ts'), JSON.stringify(options)]
    },
    api: () => (name === 'bare-s3' ? tusApi : plainApi)(uploadsPath, keptBy(endpoint)),
  }
}

/** The standalone server, `carcosa start`, which gives itself the `old-space` flag. */
export function carcosaStart(
  setup: Setup & Pick<CarcosaSetup, 'digest' | 'database'> = {},
): Variant {
  return {
    name: label('carcosa start', setup),
    extra: setup.extra ?? false,
    flags: setup.flags ?? [],
    command: (directory, port) => [
      new URL('../../bin/carcosa.ts', import.meta.url).pathname,
      'start',
      `--port=${port}`,
      `--data-dir=${directory}`,
      `--database=${setup.database ?? `${directory}/db`}`,
      `--digest=${setup.digest ?? 'none'}`,
    ],
    api: (_directory, port) =>
      tusApi('/uploads/demo', servedBelow(port, '/files'), '/files'),
  }
}

/** Carcosa through `createCarcosa()`, without a digest and with the embedded database by default. */
export function carcosa(setup: Setup & CarcosaSetup = {}): Variant {
  const express = setup.express ?? false
  const mount = express ? '/media' : ''
  return {
    name: label('carcosa', setup),
    extra: setup.extra ?? false,
    flags: setup.flags ?? [],
    command: (directory, port) => {
      const options: CarcosaOptions = {
        directory,
        port,
        express,
        mount,
        digest: setup.digest ?? 'none',
        callback: setup.callback ?? false,
        database: setup.database ?? null,
        s3: setup.s3 ?? null,
        files: setup.files ?? null,
        libStorage: setup.libStorage ?? false,
        limited: setup.limited ?? true,
        credential: setup.credential ?? null,
      }
      return [script('carcosa.ts'), JSON.stringify(options)]
    },
    api: (directory, port) => {
      const files = `${mount}/files`
      const check = setup.s3 ? keptBy(setup.s3) : servedBelow(port, files)
      if (setup.libStorage) return plainApi(uploadsPath, check)
      const credential = () => `Authorization: Bearer ${readCredential(directory)}\r\n`
      const authorized = setup.credential ? credential : undefined
      return tusApi(`${mount}/uploads/any`, check, files, authorized)
    },
  }
}

interface Setup {
  express?: boolean
  flags?: readonly string[]
  extra?: boolean
  /** Appended to the name. */
  label?: string
}

interface CarcosaSetup {
  digest?: 'sha-256' | 'none'
  callback?: boolean
  /** A postgres:// URL; without one the embedded database. */
  database?: string
  /** A directory of files that it shares with others; without one its own. */
  files?: string
  /** The URL of an S3 to keep the files in; without one they are in the directory. */
  s3?: string
  /** Whether creations are counted for rate limits; by default they are. */
  limited?: boolean
  /** What creations are authorized by; by default anybody may. */
  credential?: Credential
  /** Lib-storage takes the uploads to `s3` instead, in a process that has all of Carcosa in it. */
  libStorage?: boolean
}

function label(name: string, setup: Setup): string {
  const parts = [name, setup.express ? 'express' : '', setup.label ?? '']
  return parts.filter((part) => part !== '').join(' ')
}

function script(name: string): string {
  return new URL(`../servers/${name}`, import.meta.url).pathname
}
