import { Broken, type Check, ok } from '../check.ts'
import { expect, jsonOf, unexpected } from '../explain.ts'
import { send } from '../patient.ts'

/** Whether the public URL leads to Carcosa at all, and straight. */
export const check: Check = {
  name: 'reach',
  needs: [],
  async run(patient) {
    const answer = await send(patient, 'GET', { to: '/healthz' })
    expect(answer, [200], 'GET /healthz')
    if (jsonOf(answer.body) === null) throw new Broken(unexpected(answer, 'GET /healthz'))
    return ok(`GET /healthz is answered in ${answer.ms} ms`)
  },
}
