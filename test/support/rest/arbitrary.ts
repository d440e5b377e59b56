import fc, { type Arbitrary } from 'fast-check'

interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  allOf?: Schema[]
  minimum?: number
  maximum?: number
}

/** Values that a schema asks for, and in places others. */
export function arbitraryOf(
  schema: object,
  document: Record<string, unknown>,
): Arbitrary<unknown> {
  // The document is JSON Schema.
  return valuesOf(schema as Schema, document)
}

function valuesOf(schema: Schema, document: Record<string, unknown>): Arbitrary<unknown> {
  const right = rightOf(schema, document)
  return fc.oneof(
    { weight: 9, arbitrary: right },
    { weight: 1, arbitrary: fc.jsonValue() },
  )
}

function rightOf(schema: Schema, document: Record<string, unknown>): Arbitrary<unknown> {
  const { $ref, anyOf, allOf, items, properties = {} } = schema
  if ($ref) return valuesOf(resolve($ref, document), document)
  const choice = anyOf ?? allOf
  if (choice) return fc.oneof(...choice.map((one) => valuesOf(one, document)))
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const [type] = [schema.type ?? 'object'].flat()
  if (type === 'string') return fc.string({ unit: 'binary', maxLength: 40 })
  if (type === 'boolean') return fc.boolean()
  if (type === 'array' && items)
    return fc.array(valuesOf(items, document), { maxLength: 3 })
  if (type === 'integer' || type === 'number') {
    const { minimum = -1_000, maximum = 1_000 } = schema
    return fc.oneof(fc.double(), fc.integer(boundsOf(minimum, maximum)))
  }
  const members: Record<string, Arbitrary<unknown>> = Object.fromEntries(
    Object.entries(properties).map(([name, one]) => [name, valuesOf(one, document)]),
  )
  return fc.record(members, { requiredKeys: schema.required ?? [] })
}

function boundsOf(minimum: number, maximum: number) {
  const min = Math.max(minimum, -(2 ** 31))
  return { min, max: Math.max(min, Math.min(maximum, 2 ** 31 - 1)) }
}

function resolve(ref: string, document: Record<string, unknown>): Schema {
  const parts = ref.replace(/^#\//, '').split('/')
  // The reference was made with the document.
  return parts.reduce<unknown>(
    (at, part) => (at as Record<string, unknown>)[part],
    document,
  ) as Schema
}
