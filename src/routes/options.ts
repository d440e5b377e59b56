import { type Duration, parseDuration } from '../shared/durations.ts'
import type { RouteDefinition } from './definition.ts'
import type { FileInfo } from './hooks.ts'
import { invalid, namedOptions, oneOf, parsed } from './invalid.ts'

/** Options of a whole route, with UploadThing's names where it has one. */
export interface RouteOptions {
  /**
   * Whether the client waits for what `.onUploadComplete()` returns. With `false` its
   * `serverData` is null, and typed so. Default true.
   */
  readonly awaitServerData?: boolean
  /**
   * How long after a pre-flight an upload may be begun with its ticket; a number is
   * milliseconds. Default `1h`.
   */
  readonly ticketTTL?: Duration
  /** UploadThing's name for `ticketTTL`; here a number is *seconds*, as it is there. */
  readonly presignedURLTTL?: Duration
  /**
   * Which type wins when the bytes of a file say another one than the client: `detected`
   * (default) checks them against the route and serves the file as what it is, `declared`
   * believes the client.
   */
  readonly trustedType?: 'detected' | 'declared'
  /** @deprecated No meaning here: ids are random and never made from what a file is. */
  readonly getFileHashParts?: (file: FileInfo) => unknown[]
  /** @deprecated No meaning here: ids are random and never made from what a file is. */
  readonly hashFn?: (parts: string) => number | number[]
}

const optionNames = [
  'awaitServerData',
  'ticketTTL',
  'presignedURLTTL',
  'trustedType',
  'getFileHashParts',
  'hashFn',
] as const satisfies (keyof RouteOptions)[]

/**
 * Fills in defaults and checks every value, once, when the route is declared.
 *
 * @throws TypeError that names the option, the value given and what is allowed.
 */
export function parseOptions(
  options: RouteOptions,
): Pick<RouteDefinition, 'awaitServerData' | 'ticketTTL' | 'trustedType'> {
  const given = namedOptions(options, optionNames, 'its options')
  return {
    awaitServerData: oneOf(
      given.awaitServerData ?? true,
      [true, false],
      'the option "awaitServerData"',
    ),
    ticketTTL: parseTTL(given),
    trustedType: oneOf(
      given.trustedType ?? 'detected',
      ['detected', 'declared'],
      'the option "trustedType"',
    ),
  }
}

/**
 * Milliseconds of a lifetime that cannot be nothing.
 *
 * @throws TypeError that names `what`.
 */
export function parseLifetime(value: unknown, what: string): number {
  const ms = parsed(parseDuration, value, what)
  if (ms < 1) throw invalid(what, value, 'more than 0')
  return ms
}

function parseTTL(given: Readonly<Record<string, unknown>>): number {
  const { ticketTTL, presignedURLTTL } = given
  if (presignedURLTTL === undefined) {
    return parseLifetime(ticketTTL ?? '1h', 'the option "ticketTTL"')
  }
  if (ticketTTL !== undefined) {
    throw invalid('"presignedURLTTL" beside "ticketTTL"', presignedURLTTL, 'one of them')
  }
  const value =
    typeof presignedURLTTL === 'number' ? presignedURLTTL * 1000 : presignedURLTTL
  return parseLifetime(value, 'the option "presignedURLTTL"')
}
