import { type Check, type Finding, ok } from '../check.ts'
import { jsonOf } from '../explain.ts'
import { fitting } from '../sample.ts'
import { create, routeOf, status } from '../tus.ts'

/** Milliseconds; tokens and signatures forgive about as much. */
const tolerated = 30_000
/** From here on services such as S3 and most tokens refuse. */
const harmful = 5 * 60_000

/** Whether the clocks agree: of this machine, of the proxy (Date), of the server (createdAt). */
export const check: Check = {
  name: 'clock',
  needs: ['create'],
  async run(patient) {
    const before = Date.now()
    const upload = await create(patient, { size: fitting(routeOf(patient).sample, 100) })
    const after = Date.now()
    const { createdAt } = jsonOf((await status(patient, upload)).body) ?? {}
    const clocks: [string, number][] = [
      ['the server (createdAt)', Date.parse(String(createdAt))],
      [
        'the proxy, or else the server (Date)',
        Date.parse(upload.created.headers.date ?? ''),
      ],
    ]
    const findings = clocks.flatMap(([whose, time]) => {
      const skew = time < before ? time - before : Math.max(time - after, 0)
      return Math.abs(skew) > tolerated ? [wrong(whose, skew)] : []
    })
    return findings.length > 0 ? findings : ok('the clocks agree')
  },
}

function wrong(whose: string, skew: number): Finding {
  const seconds = Math.round(Math.abs(skew) / 1_000)
  return {
    level: Math.abs(skew) > harmful ? 'broken' : 'warning',
    code: 'CLOCK_SKEW',
    message: `The clock of ${whose} is ${seconds} s ${skew < 0 ? 'behind' : 'ahead of'} the one here: tickets, signed URLs and tokens end too early or too late, and S3 refuses more than 15 minutes.`,
    sent: 'POST, then the time it was created at',
    got: `${skew < 0 ? '−' : '+'}${seconds} s`,
    mend: { carcosa: 'timedatectl set-ntp true  # on the machine whose clock is wrong' },
  }
}
