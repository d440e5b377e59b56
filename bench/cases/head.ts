import { expectStatus, header } from '../support/answer.ts'
import { run, type Subject } from '../support/experiment.ts'
import { sendLoad } from '../support/requests.ts'
import { sendHalves, smallBytes } from '../support/small-uploads.ts'
import { carcosa, reference } from '../support/variants.ts'
import { ratios } from '../support/verdict.ts'
import { type Case, common, loadColumns, phasesOf } from './case.ts'

const uploads = 256
const connections = 32

/** HEAD of unfinished uploads: the question a client asks before it resumes. */
export const head: Case = async (bench) => {
  const requests = bench.options.sizes.head
  const postgres = await bench.postgres()
  const database = await postgres.createDatabase('head')
  const variants = [
    reference('bare'),
    carcosa({ label: 'postgres', database }),
    carcosa({ extra: true }),
  ]
  const phases = phasesOf(bench, 'busy')
  const results = await run({
    ...common(bench, 'head', variants),
    processesPer: 'run',
    ...steps(requests),
  })
  return [
    {
      name: 'head',
      title: `HEAD of ${uploads} half-sent uploads, ${requests} requests, ${connections} at a time`,
      phases,
      columns: loadColumns.filter(({ figure }) => figure !== 'databaseCpu'),
      results,
      verdicts: ratios({ results, phases }, comparisons),
      notes: [],
    },
  ]
}

function steps(requests: number) {
  const halves = new Map<Subject, string[]>()
  const ask = (subject: Subject) => {
    const paths = halves.get(subject) ?? []
    const heads = paths.map((path) => subject.api.head(path))
    return sendLoad(subject, {
      requests,
      connections,
      request: (index) => heads[index % heads.length] ?? Buffer.alloc(0),
      accept: (answer) => {
        const offset = header(expectStatus(answer, 200), 'upload-offset')
        if (offset !== `${smallBytes / 2}`) throw new Error(`Upload-Offset: ${offset}`)
      },
    })
  }
  return {
    prepare: async (subject: Subject) => {
      halves.set(subject, await sendHalves(subject, uploads))
      await ask(subject)
    },
    measure: ask,
    check: async () => {},
  }
}

const comparisons = ['carcosa postgres', 'carcosa'].map((of) => ({
  title: `${of} / bare, HEAD per second`,
  figure: 'rate',
  of,
  against: 'bare',
  target: of === 'carcosa postgres' ? { atLeast: 0.5 } : undefined,
}))
