import { type Check, ok, skipped } from '../check.ts'
import { describe, isOurs, jsonOf } from '../explain.ts'
import { send } from '../patient.ts'

/** What the server says of its own database, queue and stores. */
export const check: Check = {
  name: 'ready',
  needs: ['reach'],
  async run(patient) {
    const answer = await send(patient, 'GET', { to: '/readyz' })
    if (answer.status === 404) return skipped('GET /readyz is not there')
    if (answer.status === 200)
      return ok('GET /readyz: all that the server needs is there')
    const { failing } = jsonOf(answer.body) ?? {}
    const named = Array.isArray(failing) ? failing.join(', ') : describe(answer)
    return {
      level: 'broken',
      code: 'NOT_READY',
      message: `The server is not ready: ${named}`,
      sent: 'GET /readyz',
      got: `${answer.status} from ${isOurs(answer) ? 'Carcosa' : 'the proxy'}`,
      mend: {
        carcosa:
          'its log says why; carcosa doctor --local beside it looks at the database',
      },
    }
  },
}
