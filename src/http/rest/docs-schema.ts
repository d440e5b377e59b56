import { escapeHtml, phrase } from './html.ts'

/** A schema of the document, as far as the page looks into it. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly description?: string
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

/** One line of a table of fields. */
export interface Field {
  readonly name: string
  readonly schema: Schema
  readonly isRequired: boolean
}

/** The members of an object; empty for what is none. */
export function fieldsOf(schema: Schema): Field[] {
  const { properties = {}, required = [], allOf = [] } = schema
  const own = Object.entries(properties).map(([name, member]) => ({
    name,
    schema: member,
    isRequired: required.includes(name),
  }))
  return [...allOf.flatMap(fieldsOf), ...own]
}

/** A table of fields; `marks` says which of them must be there. */
export function fieldTable(fields: readonly Field[], marks: boolean): string {
  const rows = fields.map(({ name, schema, isRequired }) => {
    const mark = marks && isRequired ? ' <span class="required">required</span>' : ''
    const about = [schema.description && phrase(schema.description), boundsOf(schema)]
    return `<tr><th scope="row"><code>${escapeHtml(name)}</code>${mark}</th><td>${typeOf(schema)}</td><td>${about.filter(Boolean).join(' ')}</td></tr>`
  })
  return `<div class="table"><table><tbody>${rows.join('')}</tbody></table></div>`
}

/** What a value may be, with links to schemas that have a name. */
export function typeOf(schema: Schema): string {
  const { $ref, type, items, anyOf, oneOf, allOf } = schema
  if ($ref) return linkTo($ref)
  const choice = anyOf ?? oneOf
  if (choice) return choice.map(typeOf).join(' or ')
  if (allOf)
    return (
      allOf
        .filter((part) => part.$ref)
        .map(typeOf)
        .join(' and ') || 'object'
    )
  if (schema.const !== undefined) return code(schema.const)
  if (schema.enum) return schema.enum.map(code).join(' <span class="or">or</span> ')
  const types = typeof type === 'string' ? [type] : (type ?? ['any'])
  return types
    .map((name) => {
      if (name === 'array' && items) return `list of ${typeOf(items)}`
      return escapeHtml(name === 'string' && schema.format ? schema.format : name)
    })
    .join(' or ')
}

function linkTo(ref: string): string {
  const name = ref.split('/').pop() ?? ''
  return `<a href="#${anchorOf(name)}">${escapeHtml(name)}</a>`
}

export function anchorOf(name: string): string {
  return `schema-${encodeURIComponent(name)}`
}

function boundsOf(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema
  const bounds = [
    range(minimum, maximum, ''),
    range(minLength, maxLength, ' characters'),
    range(minItems, maxItems, ' of them'),
    schema.default === undefined ? '' : `Default ${code(schema.default)}.`,
  ]
  const said = bounds.filter(Boolean).join(' ')
  return said && `<span class="bounds">${said}</span>`
}

function range(
  least: number | undefined,
  most: number | undefined,
  unit: string,
): string {
  // What zod says of an integer without bounds of its own.
  const isBound = most !== undefined && most < Number.MAX_SAFE_INTEGER
  if (isBound) return `${least ?? 0} to ${most.toLocaleString('en')}${unit}.`
  return least !== undefined && least > 0 ? `At least ${least}${unit}.` : ''
}

function code(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `<code>${escapeHtml(text)}</code>`
}
