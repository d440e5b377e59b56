import { formatSize } from '../../../shared/sizes.ts'
import { Broken, type Check, ok } from '../check.ts'
import { NoAnswer } from '../exchange.ts'
import { bodyLimit, describe, expect, isOurs } from '../explain.ts'
import type { Patient } from '../patient.ts'
import { fitting } from '../sample.ts'
import { create, patch, routeOf } from '../tus.ts'

const kibibyte = 1_024

/** Whether one PATCH may carry as much as a route allows, tried with growing bodies. */
export const check: Check = {
  name: 'body-limit',
  needs: ['patch'],
  async run(patient) {
    const largest = fitting(routeOf(patient).sample, patient.wishes.maxBody) - 1
    const whole = await tryBody(patient, largest)
    if (whole === null) return ok(`a PATCH may carry ${formatSize(largest)}`)
    let passed = 0
    let refusal = { size: largest, got: whole }
    for (const size of sizesBelow(largest)) {
      const got = await tryBody(patient, size)
      if (got !== null) {
        refusal = { size, got }
        break
      }
      passed = size
    }
    throw new Broken({
      ...bodyLimit,
      sent: `PATCH with ${formatSize(refusal.size)}`,
      got: refusal.got,
      message: `A body of ${formatSize(passed)} gets through, one of ${formatSize(refusal.size)} does not.`,
    })
  },
}

/** One byte more than the limits that people set. */
function sizesBelow(largest: number): number[] {
  const sizes: number[] = []
  for (let size = 64 * kibibyte; size < largest; size *= 2) sizes.push(size + 1)
  return sizes.filter((size) => size < largest)
}

/** Null if it got through, else what came back. The upload is never complete. */
async function tryBody(patient: Patient, size: number): Promise<string | null> {
  const { sample } = routeOf(patient)
  const upload = await create(patient, { size: size + 1 })
  try {
    const body = sample.bytes(size)
    const answer = await patch(patient, upload, { offset: 0, body })
    // Some say 413, others that something went wrong behind them.
    if (answer.status >= 400 && !isOurs(answer)) return describe(answer)
    expect(answer, [204, 200], `PATCH with ${formatSize(size)}`)
    return null
  } catch (error) {
    // Who refuses a body while it is sent may break the connection before the answer is read.
    if (!(error instanceof NoAnswer) || error.code === 'ABORT_ERR') throw error
    return `${error.code}: ${error.message}`
  }
}
