import { Broken, type Check, ok } from '../check.ts'
import { describe, expect } from '../explain.ts'
import { fitting } from '../sample.ts'
import { create, head, remove, routeOf } from '../tus.ts'

/** Whether an upload can be given up. */
export const check: Check = {
  name: 'delete',
  needs: ['head'],
  async run(patient) {
    const upload = await create(patient, { size: fitting(routeOf(patient).sample, 100) })
    expect(await remove(patient, upload), [204], 'DELETE of an upload')
    const after = await head(patient, upload)
    if (after.status === 404 || after.status === 410)
      return ok('DELETE removes an upload')
    throw new Broken({
      code: 'NOT_DELETED',
      message: 'DELETE was answered well, but the upload is still there.',
      sent: 'DELETE, then HEAD',
      got: describe(after),
    })
  },
}
