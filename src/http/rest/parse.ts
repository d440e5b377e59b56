import type { z } from '@hono/zod-openapi'
import { CarcosaError } from '../../shared/errors.ts'

/** A request as it came. */
export interface RawRequest {
  readonly params: Readonly<Record<string, string>>
  /** With the question mark. */
  readonly search: string
  /** The body as JSON; undefined if there is none. */
  readonly body: unknown
}

/** What a request has to look like. */
export interface RequestSchemas<Params, Query, Body> {
  readonly params: z.ZodType<Params>
  readonly query: z.ZodType<Query>
  readonly body: z.ZodType<Body> | null
}

/** What is wrong with a request, in one place of it. */
interface Flaw {
  in: 'path' | 'query' | 'body'
  /** Dotted; empty for the whole. */
  path: string
  message: string
}

/**
 * Reads a request.
 * @throws {CarcosaError} BAD_REQUEST that names everything that is wrong at once
 */
export function parseRequest<Params, Query, Body>(
  schemas: RequestSchemas<Params, Query, Body>,
  { params, search, body }: RawRequest,
): { params: Params; query: Query; body: Body } {
  const flaws: Flaw[] = []
  const read = <T>(where: Flaw['in'], schema: z.ZodType<T>, value: unknown) => {
    const result = schema.safeParse(value)
    if (!result.success) flaws.push(...flawsOf(where, result.error))
    return result.data
  }
  const parsed = {
    params: read('path', schemas.params, params),
    query: read('query', schemas.query, queryOf(search)),
    body: schemas.body ? read('body', schemas.body, body) : undefined,
  }
  if (!schemas.body && body !== undefined) {
    flaws.push({ in: 'body', path: '', message: 'Unexpected: this takes no body' })
  }
  if (flaws.length > 0) throw invalid(flaws)
  // Each has been read, or there would be a flaw; without a schema the type of a body is undefined.
  return parsed as { params: Params; query: Query; body: Body }
}

/** The project may be named by any request, and is read by who finds out who asks. */
const readElsewhere = 'project'

function queryOf(search: string): Record<string, string | string[]> {
  const query = new URLSearchParams(search)
  query.delete(readElsewhere)
  const names = [...new Set(query.keys())]
  const entries = names.map((name) => {
    const [first = '', ...others] = query.getAll(name)
    return [name, others.length === 0 ? first : [first, ...others]] as const
  })
  return Object.fromEntries(entries)
}

const mostFlaws = 20

function flawsOf(where: Flaw['in'], { issues }: z.ZodError): Flaw[] {
  return issues.slice(0, mostFlaws).map(({ path, message }) => ({
    in: where,
    path: path.map(String).join('.').slice(0, 200),
    message: message.slice(0, 300),
  }))
}

function invalid(flaws: Flaw[]): CarcosaError {
  const list = flaws.map(({ in: where, path, message }) => {
    return `${where}${path && ` ${JSON.stringify(path)}`}: ${message}`
  })
  return new CarcosaError('BAD_REQUEST', {
    message: `The request is not understood. ${list.slice(0, 5).join('; ')}.`,
    details: { problems: flaws },
  })
}
