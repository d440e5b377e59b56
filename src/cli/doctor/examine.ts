import { setTimeout as wait } from 'node:timers/promises'
import { Broken, type Check, type Finding, skipped } from './check.ts'
import { NoAnswer } from './exchange.ts'
import { noAnswer } from './explain.ts'
import type { Patient } from './patient.ts'
import { removeAll } from './tus.ts'

/** What a check found, with its name. */
export interface Diagnosis {
  readonly check: string
  readonly finding: Finding
}

/**
 * Makes the checks one after the other and tells each finding as it comes. Deletes whatever
 * was created, also if `patient.signal` ends it.
 */
export async function* examine(
  patient: Patient,
  checks: readonly Check[],
): AsyncGenerator<Diagnosis> {
  const failed = new Set<string>()
  try {
    for (const check of checks) {
      const cause = check.needs.find((need) => failed.has(need))
      const findings = cause
        ? [skipped(`because of ${cause}`)]
        : await findingsOf(check, patient)
      if (patient.signal.aborted) return
      if (cause || findings.some(({ level }) => level === 'broken'))
        failed.add(check.name)
      for (const finding of findings) yield { check: check.name, finding }
    }
  } finally {
    await removeAll(patient)
    // What was refused a moment ago may be let through again: limits of requests, and proxies
    // that take the server for dead.
    for (let tries = 0; tries < 2 && patient.uploads.size > 0; tries++) {
      await wait(3_000)
      await removeAll(patient)
    }
  }
  if (patient.uploads.size > 0) yield { check: 'delete', finding: leftBehind(patient) }
}

async function findingsOf(check: Check, patient: Patient): Promise<readonly Finding[]> {
  try {
    const found = await check.run(patient)
    return 'level' in found ? [found] : found
  } catch (error) {
    if (patient.signal.aborted) return []
    if (error instanceof Broken) return [error.finding]
    if (error instanceof NoAnswer) return [{ level: 'broken', ...noAnswer(error) }]
    throw error
  } finally {
    await removeAll(patient)
  }
}

function leftBehind({ uploads }: Patient): Finding {
  const urls = [...uploads].map(({ url }) => url.href)
  return {
    level: 'warning',
    code: 'LEFT_BEHIND',
    message: `What the doctor created could not be deleted; unfinished uploads expire by themselves: ${urls.join(' ')}`,
  }
}
