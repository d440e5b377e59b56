import { z } from '@hono/zod-openapi'
import type { Api } from '../../api/api.ts'
import type { Access } from '../../auth/permissions.ts'
import type { Principal } from '../../auth/principal.ts'
import type { ProjectGate } from '../../auth/project-gate.ts'
import type { Router } from '../../routes/router.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import type { RateLimits } from '../../shared/rate-limits.ts'
import type { Asks, Given } from './asks.ts'
import { parseRequest, type RawRequest } from './parse.ts'
import { pathParams } from './schemas.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** What every operation gets to know of its request. */
export interface RestContext {
  readonly api: Api
  readonly access: Access
  /** Whether projects are open. */
  readonly projects: ProjectGate
  /** Who asks; always somebody. */
  readonly principal: Principal
  /** The project it is about: the one `principal` acts in. */
  readonly projectId: string
  /** What stands in the path in place of `{id}` and the like. */
  readonly params: Readonly<Record<string, string>>
  /**
   * Whether something is to be changed only as long as it is as the client knows it, by `If-Match`.
   * That it was so when the request came has been checked; who changes it has to make sure that it
   * still is, by a condition of the statement that does it.
   */
  readonly isConditional: boolean
  /** What is in front of the URLs told to clients. */
  readonly prefix: string
  readonly settings: ServerSettings
  readonly isPublicRoute: (route: string) => boolean
}

/** What the server was told, as far as operations go by it. Nothing in it is secret. */
export interface ServerSettings {
  readonly router: Router
  readonly digest: 'sha-256' | 'none'
  /** How long an unfinished upload lives, in ms. */
  readonly expiresIn: number
  /** Milliseconds. */
  readonly maxSignedUrlAge: number
  /** Milliseconds. */
  readonly eventRetention: number
  readonly rateLimits: RateLimits
}

/** The names in braces in a path. */
type ParamNames<Path extends string> =
  Path extends `${string}{${infer Name}}${infer Rest}` ? Name | ParamNames<Rest> : never

type Shape = Record<string, z.ZodType>

/** One operation as a resource writes it down. */
export interface Definition<
  Path extends string,
  Query extends Shape,
  Body,
  Answer extends z.ZodType,
  Gives extends Given,
> {
  /** `listFiles`: the `operationId` of the document, for good. */
  readonly id: string
  readonly method: Method
  /** Below `/api/v1`, e.g. `/files/{id}`. */
  readonly path: Path
  /** The noun, as a heading: `Files`. */
  readonly tag: string
  readonly summary: string
  /** What one should know beside the summary, as Markdown. Default nothing. */
  readonly description?: string
  /** Who may: one of the functions of asks.ts. */
  readonly asks: Asks<Gives>
  /** Parameters of the query, by name. Others are refused. Default none. */
  readonly query?: Query
  /** The JSON body. Default none: one that is sent is refused. */
  readonly body?: z.ZodType<Body>
  /** What is answered, or null for 204 without a body. */
  readonly answer: Answer | null
  /** Of the answer. Default 200, or 204 where there is none. */
  readonly status?: 200 | 201 | 202
  /** What it may be refused with beside what any operation may. */
  readonly codes?: readonly ErrorCode[]
  handle(
    context: RestContext &
      Gives & {
        readonly params: Readonly<Record<ParamNames<Path>, string>>
        readonly query: z.output<z.ZodObject<Query>>
        readonly body: Body
      },
  ): Promise<z.input<Answer>>
}

/** One operation as the server uses it. */
export interface Operation {
  readonly id: string
  readonly method: Method
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description: string | undefined
  readonly asks: Asks<Given>
  readonly params: z.ZodObject
  readonly query: z.ZodObject
  readonly body: z.ZodType | null
  readonly answer: z.ZodType | null
  readonly status: number
  readonly codes: readonly ErrorCode[]
  /**
   * Reads the request and asks whether it may be done.
   * @throws {CarcosaError} BAD_REQUEST, and what `asks` refuses with
   */
  prepare(context: Omit<RestContext, 'params'>, raw: RawRequest): Promise<Prepared>
}

/** A request that may be done. */
export interface Prepared {
  /** What it is about as it is now, as `GET` shows it; absent where it is about nothing in particular. */
  readonly shown: unknown
  /** Whatever the answer is, as it goes into JSON. */
  handle(isConditional: boolean): Promise<unknown>
}

/**
 * Writes down an operation. Its check of permission, the parsing of its request, its entry in the
 * OpenAPI document, rate limit, problems, ETags and idempotency follow from it.
 */
export function operation<
  Path extends string,
  Answer extends z.ZodType,
  Gives extends Given,
  Query extends Shape = Record<never, never>,
  Body = undefined,
>(definition: Definition<Path, Query, Body, Answer, Gives>): Operation {
  const { asks, handle, answer, description } = definition
  const params = pathParams(definition.path)
  const query = z.strictObject(definition.query ?? ({} as Query))
  const { body = null } = definition
  const schemas = { params, query, body }
  return {
    ...definition,
    description,
    ...schemas,
    status: definition.status ?? (answer === null ? 204 : 200),
    codes: [...asks.codes, ...(definition.codes ?? [])],
    async prepare(base, raw) {
      const input = parseRequest(schemas, raw)
      // Its members are the names in the path.
      const params = input.params as Record<ParamNames<Path>, string>
      const context = { ...base, params: input.params }
      const gives = await asks.check(context)
      return {
        shown: asks.show?.(gives, context),
        handle: (isConditional) =>
          handle({ ...context, ...gives, ...input, params, isConditional }),
      }
    },
  }
}
