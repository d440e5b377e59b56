import type { Carcosa } from '../../carcosa.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { printable } from '../printable.ts'
import type { ParsedArgs } from '../verb.ts'

/**
 * The project that `--project` names, or the default project.
 * @throws {CarcosaError} PROJECT_NOT_FOUND
 */
export async function projectIn(
  { project = 'default' }: ParsedArgs['flags'],
  api: Carcosa['api'],
): Promise<string> {
  const found = await api.projects.get(String(project))
  if (found) return found.id
  throw new CarcosaError('PROJECT_NOT_FOUND', {
    message: `There is no project "${printable(String(project))}".`,
  })
}
