import { CarcosaError } from '../shared/errors.ts'
import type { NamedRoute } from './definition.ts'
import type { SchemaIssue } from './standard-schema.ts'

/** A schema may find as many things wrong as the input is long; the answer stays short. */
const maxIssues = 20

/**
 * What the schema of the route makes of a client's input. A route without a schema takes no
 * input: undefined, whatever came.
 *
 * @throws CarcosaError INPUT_INVALID with `details.issues`, each with `path` and `message`.
 * Whatever the schema itself throws is a bug of it and passes through.
 */
export async function parseInput(route: NamedRoute, input: unknown): Promise<unknown> {
  if (!route.inputSchema) return undefined
  const result = await route.inputSchema['~standard'].validate(input)
  if (!result.issues) return result.value

  const issues = result.issues.slice(0, maxIssues).map(describeIssue)
  const list = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message))
  const more = result.issues.length - issues.length
  throw new CarcosaError('INPUT_INVALID', {
    message: `The input does not fit the route "${route.name}". ${list.join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
    details: { route: route.name, issues },
  })
}

function describeIssue({ path = [], message }: SchemaIssue) {
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return { path: keys.join('.'), message }
}
