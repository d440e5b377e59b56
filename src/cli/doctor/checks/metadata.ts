import { Broken, type Check, type Finding, ok } from '../check.ts'
import { describe, expect, headerLimit, isOurs } from '../explain.ts'
import type { Patient } from '../patient.ts'
import { fitting } from '../sample.ts'
import { metadataFor, routeOf, tryCreate } from '../tus.ts'

/** What Carcosa takes: 8192 characters. */
const longest = 8_192

/** Whether Upload-Metadata may be as long as Carcosa lets it be. */
export const check: Check = {
  name: 'metadata',
  needs: ['create'],
  async run(patient) {
    const refusal = await tryLength(patient, longest)
    if (!refusal) return ok(`Upload-Metadata of ${longest} characters gets through`)
    const smaller = await tryLength(patient, longest / 2)
    // Names, types and the input of a route need less; half of it is where it hurts.
    throw new Broken(smaller ?? refusal, smaller ? 'broken' : 'warning')
  },
}

async function tryLength(
  patient: Patient,
  length: number,
): Promise<Omit<Finding, 'level'> | null> {
  const short = `${metadataFor(patient)},padding `
  // Base64 comes in fours.
  const padding = 'A'.repeat(Math.floor((length - short.length) / 4) * 4)
  const size = fitting(routeOf(patient).sample, 100)
  const answer = await tryCreate(patient, { size, metadata: short + padding })
  if (answer.status === 201) return null
  const sent = `POST with Upload-Metadata of ${length} characters`
  if (isOurs(answer) && answer.status !== 431) expect(answer, [201], sent)
  return { sent, got: describe(answer), ...headerLimit() }
}
