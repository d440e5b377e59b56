import { cached } from '../cached.ts'
import { Broken, type Check, ok } from '../check.ts'
import { describe, expect, headerHidden, jsonOf } from '../explain.ts'
import type { Patient } from '../patient.ts'
import { fitting } from '../sample.ts'
import { create, offsetOf, patch, routeOf, status, type Upload } from '../tus.ts'

/** Whether bytes arrive in several requests, and every offset told is the true one. */
export const check: Check = {
  name: 'patch',
  needs: ['head'],
  async run(patient) {
    const { sample } = routeOf(patient)
    const size = fitting(sample, 30_000)
    const upload = await create(patient, { size })
    const content = sample.bytes(size)
    // The last byte is not sent: what is complete runs the callback of the route.
    const ends = [...new Set([0.3, 0.6, 1].map((part) => Math.floor((size - 1) * part)))]
    let offset = 0
    for (const end of ends) {
      const body = content.subarray(offset, end)
      const sent = `PATCH with bytes ${offset} to ${end}`
      const answer = expect(
        await patch(patient, upload, { offset, body }),
        [204, 200],
        sent,
      )
      const told = answer.headers['upload-offset']
      if (told === undefined) {
        throw new Broken({
          sent,
          got: describe(answer),
          ...headerHidden('Upload-Offset'),
        })
      }
      await confirm(patient, upload, { before: offset, now: Number(told), end })
      offset = end
    }
    return ok(`${ends.length} PATCHes arrive, and HEAD tells each offset`)
  },
}

async function confirm(
  patient: Patient,
  upload: Upload,
  { before, now, end }: { before: number; now: number; end: number },
): Promise<void> {
  const byHead = await offsetOf(patient, upload)
  const json = jsonOf((await status(patient, upload)).body)
  const got = `PATCH told ${now}, HEAD ${byHead}, GET ${json?.offset}`
  if (now === end && byHead === end && json?.offset === end) return
  const sent = `PATCH up to byte ${end}, then HEAD and GET`
  const isOld = now === end && (byHead <= before || Number(json?.offset) <= before)
  if (isOld) throw new Broken({ sent, got, ...cached() })
  throw new Broken({
    sent,
    got,
    code: 'OFFSET_WRONG',
    message:
      'The offsets told are not what was sent: bytes are lost or doubled on the way.',
    mend: {
      nginx:
        'proxy_next_upstream error timeout;  # never non_idempotent, which sends a PATCH twice',
    },
  })
}
