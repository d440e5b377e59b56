import { setTimeout as wait } from 'node:timers/promises'
import { Broken, type Check, ok } from '../check.ts'
import { describe, expect } from '../explain.ts'
import { fitting } from '../sample.ts'
import { create, openPatch, routeOf } from '../tus.ts'

/** curl waits a second, then sends all the same. */
const patience = 3_000

/** Whether a client that asks before it sends is told to go on. */
export const check: Check = {
  name: 'expect',
  needs: ['patch'],
  async run(patient) {
    const { sample } = routeOf(patient)
    const size = fitting(sample, 10_000)
    const upload = await create(patient, { size })
    const headers = { Expect: '100-continue' }
    const open = openPatch(patient, upload, { offset: 0, length: size - 1, headers })
    const sent = 'PATCH with Expect: 100-continue'
    const late = wait(patience, 'late' as const, { ref: false })
    const first = await Promise.race([
      open.continued.then(() => 'continue' as const),
      open.answer,
      late,
    ])
    if (typeof first === 'object') {
      const got = describe(first)
      throw new Broken({
        sent,
        got,
        ...refused(),
        message: 'It is refused: curl sends it with every large body.',
      })
    }
    open.end(sample.bytes(size).subarray(0, size - 1))
    expect(await open.answer, [204, 200], sent)
    if (first === 'continue') return ok('100 Continue comes before a body is sent')
    throw new Broken(
      {
        sent,
        got: `nothing for ${patience / 1_000} s, then the answer to the body`,
        ...refused(),
        message:
          'Clients that ask before they send wait in vain, and send what will be refused.',
      },
      'warning',
    )
  },
}

function refused() {
  return {
    code: 'EXPECT_IGNORED',
    mend: {
      nginx: 'remove "proxy_set_header Expect …;": nginx answers 100 Continue itself',
      caddy: 'reverse_proxy { transport http { expect_continue_timeout 5s } }',
      cloudflare: 'answers itself: look at the proxy behind it',
    },
  }
}
