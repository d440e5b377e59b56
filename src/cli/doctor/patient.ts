import type { Config } from '../../config.ts'
import {
  type Answer,
  type Asked,
  ask,
  type OpenRequest,
  openRequest,
} from './exchange.ts'
import type { Sample } from './sample.ts'
import type { Upload } from './tus.ts'

/** The server as it is seen from outside, and what the doctor may do to it. */
export interface Patient {
  /** Where clients find it, without a slash at the end. */
  readonly base: string
  readonly wishes: Wishes
  /** The configuration it runs with, where the doctor was started beside it. */
  readonly local: Config | null
  /** The route that is used; known once `routes` was checked. */
  route: Route | null
  /** Aborted by Ctrl-C: every request ends. */
  readonly signal: AbortSignal
  /** What was created and not deleted yet. */
  readonly uploads: Set<Upload>
}

/** What the command line asked for. */
export interface Wishes {
  readonly route: string | null
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>
  /** The input of the route. */
  readonly input: unknown
  /** For the questions of a browser. */
  readonly origin: string | null
  /** Bytes of the largest body that is tried. */
  readonly maxBody: number
  /** Milliseconds of silence that must be survived. */
  readonly pause: number
}

/** A route, and a file it takes. */
export interface Route {
  readonly name: string
  readonly sample: Sample
}

/** A request of the doctor; `to` is a path below the base, or a whole URL. */
export type Wanted = Omit<Asked, 'method' | 'url'> & { to: string | URL }

/** @throws {NoAnswer} */
export function send(patient: Patient, method: string, wanted: Wanted): Promise<Answer> {
  return ask(complete(patient, method, wanted))
}

/** The same with the body left to the caller. */
export function begin(patient: Patient, method: string, wanted: Wanted): OpenRequest {
  return openRequest(complete(patient, method, wanted))
}

function complete(patient: Patient, method: string, { to, ...rest }: Wanted): Asked {
  const { base, wishes, signal } = patient
  const url = typeof to === 'string' ? new URL(`${base}${to}`) : to
  const headers = { 'User-Agent': 'carcosa-doctor', ...wishes.headers, ...rest.headers }
  return { signal, ...rest, method, url, headers }
}
