import { setTimeout as wait } from 'node:timers/promises'
import { type Check, type Finding, ok } from '../check.ts'
import { NoAnswer } from '../exchange.ts'
import { answerTimeout, bodyTimeout, describe, isOurs } from '../explain.ts'
import type { Patient } from '../patient.ts'
import { fitting } from '../sample.ts'
import { create, openPatch, routeOf, status } from '../tus.ts'

/** Longest that Carcosa holds an answer, in seconds. */
const longestWait = 50

/** Whether silence is survived: of a client that pauses, and of a server that is waited for. */
export const check: Check = {
  name: 'pause',
  needs: ['vanish'],
  async run(patient) {
    const seconds = patient.wishes.pause / 1_000
    const findings = await Promise.all([pausing(patient), waiting(patient)])
    const broken = findings.filter((finding) => finding !== null)
    if (broken.length > 0) return broken
    return ok(`${seconds} s of silence are survived, in a body and before an answer`)
  },
}

async function pausing(patient: Patient): Promise<Finding | null> {
  const { sample } = routeOf(patient)
  const { pause } = patient.wishes
  const size = fitting(sample, 20_000)
  const upload = await create(patient, { size })
  const content = sample.bytes(size)
  const half = Math.floor(size / 2)
  const open = openPatch(patient, upload, {
    offset: 0,
    length: size - 1,
    patience: pause + 30_000,
  })
  open.write(content.subarray(0, half))
  await wait(pause, undefined, { signal: patient.signal })
  open.end(content.subarray(half, size - 1))
  const got = await told(open.answer)
  if (got === null) return null
  return {
    level: 'broken',
    ...bodyTimeout,
    message: `A PATCH that pauses for ${pause / 1_000} s is cut off.`,
    sent: `PATCH: half of its body, ${pause / 1_000} s of silence, the rest`,
    got,
  }
}

async function waiting(patient: Patient): Promise<Finding | null> {
  const size = fitting(routeOf(patient).sample, 100)
  const upload = await create(patient, { size })
  const seconds = Math.min(
    Math.max(Math.ceil(patient.wishes.pause / 1_000), 1),
    longestWait,
  )
  const patience = seconds * 1_000 + 30_000
  const got = await told(status(patient, upload, { wait: seconds, patience }))
  if (got === null) return null
  return {
    level: 'broken',
    ...answerTimeout,
    message: `An answer that takes ${seconds} s does not get through.`,
    sent: `GET of an unfinished upload with ?wait=${seconds}`,
    got,
  }
}

/** Null for an answer as it should be. */
async function told(answer: ReturnType<typeof status>): Promise<string | null> {
  try {
    const came = await answer
    return came.status < 300 || isOurs(came) ? null : describe(came)
  } catch (error) {
    if (!(error instanceof NoAnswer) || error.code === 'ABORT_ERR') throw error
    return `${error.code}: ${error.message}`
  }
}
