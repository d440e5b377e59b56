import { Broken, type Check, ok } from '../check.ts'
import { describe, expect, headerLost, problemOf } from '../explain.ts'
import { fitting } from '../sample.ts'
import { routeOf, tryCreate } from '../tus.ts'

/** Whether the permission of a batch arrives: one that is wrong must be refused. */
export const check: Check = {
  name: 'ticket',
  needs: ['create', 'errors'],
  async run(patient) {
    const size = fitting(routeOf(patient).sample, 100)
    const headers = { 'Upload-Ticket': 'carcosa-doctor' }
    const answer = await tryCreate(patient, { size, headers })
    if (problemOf(answer)?.code === 'TICKET_INVALID') return ok('Upload-Ticket arrives')
    const sent = 'POST with an Upload-Ticket that is wrong'
    expect(answer, [201], sent)
    throw new Broken({ sent, got: describe(answer), ...headerLost('Upload-Ticket') })
  },
}
