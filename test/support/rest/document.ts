import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { RestWorld } from './world.ts'

/** An operation as the document describes it. */
export interface DescribedOperation {
  readonly id: string
  readonly method: string
  readonly path: string
  /** The permission it needs; null if none. */
  readonly permission: string | null
  readonly hasBody: boolean
  /** The schema of its body; null if it takes none. */
  readonly body: object | null
  readonly parameters: readonly { name: string; in: string }[]
  /** Media type and schema of each answer, by status; null for one without a body. */
  readonly answers: Readonly<Record<string, { type: string; schema: object } | null>>
}

type Json = Record<string, unknown>

export async function fetchDocument(world: RestWorld): Promise<Json> {
  const answered = await world.ask({ path: '/openapi.json', headers: {} })
  return answered.json()
}

export function describedOperations(document: Json): DescribedOperation[] {
  const paths = document.paths as Record<string, Record<string, Json>>
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: String(operation.operationId),
      method: method.toUpperCase(),
      path,
      permission: (operation['x-permission'] as string) ?? null,
      hasBody: operation.requestBody !== undefined,
      body: bodyOf(operation.requestBody),
      parameters: (operation.parameters ?? []) as DescribedOperation['parameters'],
      answers: answersOf(operation.responses as Record<string, Json>),
    })),
  )
}

function bodyOf(requestBody: unknown): object | null {
  const { content = {} } = (requestBody ?? {}) as {
    content?: Record<string, { schema: object }>
  }
  return Object.values(content)[0]?.schema ?? null
}

function answersOf(responses: Record<string, Json>): DescribedOperation['answers'] {
  const entries = Object.entries(responses).map(([status, { content }]) => {
    const [first] = Object.entries((content ?? {}) as Record<string, { schema: object }>)
    return [status, first ? { type: first[0], schema: first[1].schema } : null]
  })
  return Object.fromEntries(entries)
}

/** Says what is wrong with a value by a schema of the document; null if nothing is. */
export function createJudge(
  document: Json,
): (schema: object, value: unknown) => string | null {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  // A CommonJS module whose types say that it has a default of a default.
  ;(formats as unknown as (ajv: Ajv2020) => void)(ajv)
  return (schema, value) => {
    const validate = ajv.compile({ ...schema, components: document.components })
    return validate(value) ? null : ajv.errorsText(validate.errors)
  }
}
