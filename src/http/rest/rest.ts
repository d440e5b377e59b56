import { OpenAPIHono } from '@hono/zod-openapi'
import { CarcosaError, toCarcosaError } from '../../shared/errors.ts'
import type { Logger } from '../../shared/logger.ts'
import { type Reply, withHeaders } from '../../shared/reply.ts'
import type { Located } from '../incoming.ts'
import { refuse } from '../refuse.ts'
import { operations } from '../resources/list.ts'
import { answer, type RestDeps } from './answer.ts'
import { docsReply } from './docs.ts'
import { type ApiDocument, describeApi, documentReply } from './document.ts'
import type { Operation } from './operation.ts'

/**
 * Answers a request below `/api/v1`, or for `/docs`; null if there is nothing and somebody else may
 * have something. Never rejects.
 */
export type Rest = (located: Located) => Promise<Reply | null>

/** What Hono passes on to who handles a request. */
interface Env {
  Bindings: { located: Located }
}

/** Puts the REST API together from its list of operations. */
export function createRest(deps: RestDeps, log: Logger): Rest {
  const app = new OpenAPIHono<Env>()
  for (const operation of operations) {
    app.on(operation.method, routed(operation.path), async ({ env: { located }, req }) =>
      toResponse(await answer(deps, { located, operation, params: req.param() })),
    )
  }
  let described: ApiDocument | undefined
  // It takes longer than all else here, and few ask for it.
  const document = () => {
    described ??= describeApi(operations)
    return described
  }
  app.get(documentPath, ({ env }) => toResponse(documentReply(document(), env.located)))
  app.onError((error) => {
    throw error
  })
  app.notFound(({ env: { located } }) => {
    throw nothingFor(located)
  })

  return async (located) => {
    try {
      if (located.segments[0] === 'docs')
        return secured(docsReply(document(), located.prefix))
      if (located.mayDecline && allowedAt(pathOf(located)).length === 0) return null
      const { method, headers } = located
      const request = new Request(`http://carcosa${pathOf(located)}`, { method, headers })
      return secured(await toReply(await app.fetch(request, { located })))
    } catch (error) {
      return secured(refuse(log, located, withChallenge(toCarcosaError(error))))
    }
  }
}

const documentPath = '/openapi.json'

/** Behind `/api/v1`. */
function pathOf({ segments }: Located): string {
  return `/${segments.slice(2).join('/')}`
}

/** `/files/{id}` as Hono says it. */
function routed(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

const patterns: readonly [RegExp, Operation['method']][] = [
  [/^\/openapi\.json$/, 'get'],
  ...operations.map(({ path, method }): [RegExp, Operation['method']] => [
    new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    method,
  ]),
]

/** The methods that there are at a path; none if there is nothing at all. */
function allowedAt(path: string): string[] {
  const methods = patterns.flatMap(([pattern, method]) =>
    pattern.test(path) ? [method.toUpperCase()] : [],
  )
  return methods.includes('GET') ? [...methods, 'HEAD'] : methods
}

function nothingFor(located: Located): CarcosaError {
  const path = pathOf(located)
  const allowed = allowedAt(path)
  if (allowed.length === 0) {
    return new CarcosaError('NOT_FOUND', {
      message: `There is nothing at /api/v1${path.slice(0, 200)}. GET /api/v1/openapi.json says what there is, and /docs for people.`,
    })
  }
  return new CarcosaError('METHOD_NOT_ALLOWED', {
    message: `${located.method.slice(0, 20)} is not allowed here; use ${allowed.join(' or ')}.`,
    headers: { Allow: [...allowed, 'OPTIONS'].join(', ') },
  })
}

/** RFC 9110 §11.6.1: whoever is refused for want of a credential is told which. */
function withChallenge(error: CarcosaError): CarcosaError {
  if (error.status === 401) error.headers['WWW-Authenticate'] ??= 'Bearer realm="carcosa"'
  return error
}

/** Nothing of the API is to be shown in a page, or taken for anything but what it is. */
function secured(reply: Reply): Reply {
  return withHeaders(
    {
      ...reply,
      headers: {
        'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
        ...reply.headers,
      },
    },
    { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' },
  )
}

function toResponse({ status, headers, body }: Reply): Response {
  // Nothing here is answered with a stream.
  return new Response(body as string | null, { status, headers })
}

async function toReply(response: Response): Promise<Reply> {
  const headers = Object.fromEntries(response.headers)
  const body = response.body ? await response.text() : null
  return { status: response.status, headers, body }
}
