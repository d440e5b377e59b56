import { fieldsOf, fieldTable, type Schema, typeOf } from './docs-schema.ts'
import { escapeHtml, phrase, prose } from './html.ts'

type Content = Readonly<Record<string, { schema?: Schema }>>

/** An operation of the document, as far as the page looks into it. */
export interface DescribedOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { content: Content }
  readonly responses: Readonly<Record<string, { description: string; content?: Content }>>
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: Schema
}

/** Where an operation is, and what it is. */
export interface Placed {
  readonly method: string
  readonly path: string
  readonly operation: DescribedOperation
}

/** One operation, folded up. */
export function operationSection({ method, path, operation }: Placed): string {
  const { operationId, summary, description = '' } = operation
  return `<details><summary>${methodBadge(method)}<code class="path">${pathText(path)}</code><span class="what">${phrase(summary)}</span></summary><div class="inside" id="${escapeHtml(operationId)}">${prose(description)}${parameters(operation)}${body(operation)}${example(method, path, operation)}${answers(operation)}</div></details>`
}

export function methodBadge(method: string): string {
  return `<span class="method ${escapeHtml(method)}">${escapeHtml(method.toUpperCase())}</span>`
}

/** Long paths may break before a slash. */
export function pathText(path: string): string {
  return escapeHtml(path)
    .replaceAll('/', '<wbr>/')
    .replace(/\{(\w+)\}/g, '<var>{$1}</var>')
}

const places: readonly [place: string, title: string][] = [
  ['path', 'Path'],
  ['query', 'Query'],
  ['header', 'Headers'],
]

function parameters({ parameters: all = [] }: DescribedOperation): string {
  return places
    .map(([place, title]) => {
      const fields = all
        .filter((one) => one.in === place)
        .map(({ name, schema, required = false }) => ({
          name,
          schema,
          isRequired: required,
        }))
      return fields.length > 0 ? `<h4>${title}</h4>${fieldTable(fields, true)}` : ''
    })
    .join('')
}

function body({ requestBody }: DescribedOperation): string {
  const schema = schemaIn(requestBody?.content)
  if (!schema) return ''
  const fields = fieldsOf(schema)
  const said = fields.length > 0 ? fieldTable(fields, true) : `<p>${typeOf(schema)}</p>`
  return `<h4>Body</h4>${said}`
}

/** How it is asked for from a shell. */
function example(method: string, path: string, operation: DescribedOperation): string {
  const flags = method === 'get' ? '' : `-X ${method.toUpperCase()} `
  const schema = schemaIn(operation.requestBody?.content)
  const needed = schema ? fieldsOf(schema).filter(({ isRequired }) => isRequired) : []
  const members = needed.map(({ name, schema: own }) => [name, sampleOf(own)])
  const data = schema
    ? ` \\\n  --json '${JSON.stringify(Object.fromEntries(members))}'`
    : ''
  const command = `curl ${flags}"$CARCOSA_URL/api/v1${path}" \\\n  -H "Authorization: Bearer $CARCOSA_API_KEY"${data}`
  return `<h4>Example</h4><pre><code>${escapeHtml(command)}</code></pre>`
}

function sampleOf({ type, enum: choice, items }: Schema): unknown {
  if (choice) return choice[0]
  if (type === 'array') return items ? [sampleOf(items)] : []
  if (type === 'integer' || type === 'number') return 1
  if (type === 'boolean') return true
  return type === 'object' ? {} : '…'
}

function answers({ responses }: DescribedOperation): string {
  const rows = Object.entries(responses).map(([status, { description, content }]) => {
    const schema = Number(status) < 400 ? schemaIn(content) : undefined
    const inline = schema && !schema.$ref ? fieldsOf(schema) : []
    const said = schema?.$ref
      ? typeOf(schema)
      : phrase(description).replaceAll('. <code>', '.<br><code>')
    const fields = inline.length > 0 ? fieldTable(inline, false) : ''
    return `<tr><th scope="row">${escapeHtml(status)}</th><td>${said}${fields}</td></tr>`
  })
  return `<h4>Answers</h4><div class="table"><table class="answers"><tbody>${rows.join('')}</tbody></table></div>`
}

function schemaIn(content: Content | undefined): Schema | undefined {
  return content && Object.values(content)[0]?.schema
}
