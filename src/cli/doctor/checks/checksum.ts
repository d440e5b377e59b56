import { Broken, type Check, ok } from '../check.ts'
import { describe, expect, headerLost, problemOf } from '../explain.ts'
import { fitting } from '../sample.ts'
import { create, openPatch, routeOf } from '../tus.ts'

/** Whether Upload-Checksum arrives: a wrong one must be refused, whatever the reason. */
export const check: Check = {
  name: 'checksum',
  needs: ['patch', 'errors'],
  async run(patient) {
    const { sample } = routeOf(patient)
    const size = fitting(sample, 100)
    const upload = await create(patient, { size })
    const length = Math.max(size - 1, 0)
    const headers = { 'Upload-Checksum': `sha1 ${Buffer.alloc(20).toString('base64')}` }
    const open = openPatch(patient, upload, { offset: 0, length, headers })
    open.end(sample.bytes(size).subarray(0, length))
    const answer = await open.answer
    if (problemOf(answer)) return ok('Upload-Checksum arrives')
    const sent = 'PATCH with an Upload-Checksum that is wrong'
    expect(answer, [204, 200], sent)
    throw new Broken({ sent, got: describe(answer), ...headerLost('Upload-Checksum') })
  },
}
