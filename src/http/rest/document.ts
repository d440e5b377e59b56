import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi'
import { CarcosaError, type ErrorCode, errorCodes } from '../../shared/errors.ts'
import { jsonReply, type Reply, withHeaders } from '../../shared/reply.ts'
import type { Located } from '../incoming.ts'
import { etagOf } from './etag.ts'
import type { Operation } from './operation.ts'

/** The OpenAPI document, as far as we look into it. */
export type ApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>

/** Describes operations as OpenAPI 3.1. */
export function describeApi(operations: readonly Operation[]): ApiDocument {
  const { openAPIRegistry: registry, ...app } = described()
  for (const [name, scheme] of Object.entries(securitySchemes)) {
    registry.registerComponent('securitySchemes', name, scheme)
  }
  for (const operation of operations) registry.registerPath(routeOf(operation))
  return app.document([...new Set(operations.map(({ tag }) => tag))])
}

/** `GET /api/v1/openapi.json`, with the URL under which this server was asked. */
export function documentReply(document: ApiDocument, located: Located): Reply {
  const servers = [{ url: `${located.prefix}/api/v1` }]
  const reply = jsonReply(200, { ...document, servers })
  return withHeaders(reply, { ETag: etagOf(String(reply.body)) })
}

function described() {
  const app = new OpenAPIHono()
  return {
    openAPIRegistry: app.openAPIRegistry,
    document: (tags: readonly string[]) =>
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: { title: 'Carcosa', version: '1', description },
        servers: [{ url: '/api/v1' }],
        security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
        tags: tags.map((name) => ({ name })),
      }),
  }
}

const description = `The management API of an upload server.

Everything is JSON. Times are text as in RFC 3339, byte counts are whole numbers.

**Lists** are pages, newest first. \`nextCursor\` leads to the next one, as does the header \`Link\`.

**Errors** are problem details (RFC 9457) with a stable \`code\`. What is not there and what is not for you are answered alike.

**ETags**: whoever sends \`If-Match\` with \`PATCH\` or \`DELETE\` changes nothing that somebody else has changed since.

**Once**: a \`POST\` with an \`Idempotency-Key\` (a random UUID; at least 16 characters) is done once, however often it is sent. For 24 hours a repetition is answered as the first one was, with \`Idempotency-Replayed: true\`.`

/** Who asks is found out by the auth providers of the server; these are those that it brings along. */
const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'An API key (`ck_live_…`), or a JWT of a provider that the server knows.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'carcosa.session_token',
    description:
      'The session of a person who is logged in, where the server has accounts.',
  },
} as const

/** What any operation may be refused with. */
const anyCodes: readonly ErrorCode[] = [
  ...(['BAD_REQUEST', 'UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED'] as const),
  ...(['CONTENT_TYPE_UNSUPPORTED', 'URL_TOO_LONG', 'HEADERS_TOO_LARGE'] as const),
  ...(['AUTH_UNAVAILABLE'] as const),
  ...(['DATABASE_UNAVAILABLE', 'SHUTTING_DOWN', 'INTERNAL'] as const),
]

/** What a request with an `Idempotency-Key` may be refused with besides. */
const ofKeys: readonly ErrorCode[] = [
  ...(['HEADER_INVALID', 'IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_IN_PROGRESS'] as const),
]

function codesOf({ codes, asks, method }: Operation): ErrorCode[] {
  return [
    ...anyCodes,
    ...codes,
    ...(method === 'get' ? [] : (['STORAGE_FULL'] as const)),
    ...(method === 'post' ? ofKeys : []),
    ...(asks.of === 'one' ? (['PRECONDITION_FAILED'] as const) : []),
  ]
}

const problem = z
  .object({
    type: z.string().openapi({ example: 'urn:carcosa:error:FILE_NOT_FOUND' }),
    title: z.string(),
    status: z.int(),
    code: z.enum(errorCodes).openapi({ description: 'Stable: for programs.' }),
    detail: z
      .string()
      .openapi({ description: 'What is wrong and what to do: for people.' }),
    details: z.record(z.string(), z.unknown()).optional(),
    requestId: z.string().optional(),
  })
  .openapi('Problem')

function routeOf(operation: Operation): RouteConfig {
  const { id, method, path, tag, summary: what, description: more, body } = operation
  return {
    ...{ method, path, operationId: id, tags: [tag], summary: what },
    ...(operation.asks.action && { 'x-permission': operation.asks.action }),
    description: [more, permissionOf(operation)].filter(Boolean).join('\n\n'),
    request: {
      params: operation.params,
      query: operation.query,
      ...(headersOf(operation) && { headers: headersOf(operation) }),
      ...(body && {
        body: {
          required: !body.safeParse({}).success,
          content: { 'application/json': { schema: body } },
        },
      }),
    },
    responses: { ...success(operation), ...failures(codesOf(operation)) },
  }
}

function permissionOf({ asks: { action, of } }: Operation): string {
  if (action === null) return 'Needs a credential, and no permission.'
  const whose = {
    one: 'for this one',
    list: 'for what is listed',
    project: '',
    oneself: '',
  }
  return `Needs the permission \`${action}\` ${whose[of]}`.trim().concat('.')
}

function headersOf({ asks, method }: Operation) {
  const names = [
    ...(asks.of === 'one' ? [method === 'get' ? 'If-None-Match' : 'If-Match'] : []),
    ...(method === 'post' ? ['Idempotency-Key'] : []),
  ]
  if (names.length === 0) return undefined
  return z.object(Object.fromEntries(names.map((name) => [name, z.string().optional()])))
}

function success(operation: Operation): RouteConfig['responses'] {
  const { answer, status, asks } = operation
  if (answer === null) return { [status]: { description: 'Done.' } }
  const etag = { ETag: { schema: { type: 'string' as const } } }
  return {
    [status]: {
      description: 'Done.',
      content: { 'application/json': { schema: answer } },
      ...(answer === asks.schema && { headers: etag }),
    },
    ...(answer === asks.schema &&
      operation.method === 'get' && {
        304: { description: 'It is as If-None-Match says.' },
      }),
  }
}

/** One answer for each status, with its codes. */
function failures(codes: readonly ErrorCode[]): RouteConfig['responses'] {
  const byStatus = Map.groupBy(new Set(codes), (code) => new CarcosaError(code).status)
  return Object.fromEntries(
    [...byStatus].map(([status, own]) => [
      status,
      {
        description: own.map((code) => `\`${code}\`: ${titleOf(code)}.`).join(' '),
        content: {
          'application/problem+json': {
            schema: problem.extend({ code: z.enum(own) }),
          },
        },
      },
    ]),
  )
}

function titleOf(code: ErrorCode): string {
  return new CarcosaError(code).toProblem().title
}
