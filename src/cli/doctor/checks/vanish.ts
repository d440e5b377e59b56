import { setTimeout as wait } from 'node:timers/promises'
import { Broken, type Check, ok } from '../check.ts'
import { describe, isOurs } from '../explain.ts'
import { fitting } from '../sample.ts'
import { create, head, openPatch, routeOf } from '../tus.ts'

/** How long a proxy needs to pass on what happened, in milliseconds. */
const notice = 500

/** Whether the proxy blames the server when a client vanishes, which mobile ones do all day. */
export const check: Check = {
  name: 'vanish',
  needs: ['patch'],
  async run(patient) {
    const { sample } = routeOf(patient)
    const size = fitting(sample, 64 * 1_024)
    const upload = await create(patient, { size })
    const open = openPatch(patient, upload, { offset: 0, length: size })
    open.write(sample.bytes(size).subarray(0, Math.floor(size / 2)))
    await wait(notice, undefined, { signal: patient.signal })
    open.cut()
    await open.answer.catch(() => {})
    await wait(notice, undefined, { signal: patient.signal })
    const answer = await head(patient, upload)
    if (answer.status < 500 || isOurs(answer)) {
      return ok('a client that vanishes does no harm to others')
    }
    throw new Broken({
      code: 'COUNTED_OUT',
      message:
        'After one client broke off, the proxy takes the server for dead and sends nothing to it for a while: all uploads stop.',
      sent: 'half of a PATCH, broken off; then HEAD',
      got: describe(answer),
      mend: {
        nginx: 'server <host:port> max_fails=0;  # in upstream',
        caddy:
          'remove fail_duration from reverse_proxy; health_uri /readyz looks instead',
      },
    })
  },
}
