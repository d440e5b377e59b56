import { run } from '../support/experiment.ts'
import type { CaseReport } from '../support/report.ts'
import { smallBytes, smallConnections, smallSteps } from '../support/small-uploads.ts'
import { transferSteps } from '../support/transfer.ts'
import { carcosa, reference } from '../support/variants.ts'
import { type Comparison, ratios } from '../support/verdict.ts'
import {
  type Bench,
  type Case,
  common,
  loadColumns,
  phasesOf,
  transferColumns,
} from './case.ts'

/** The same server alone and within Express 5: one large upload, then many small ones. */
export const mounted: Case = async (bench) => [
  await largeUpload(bench),
  await smallUploads(bench),
]

async function largeUpload(bench: Bench): Promise<CaseReport> {
  const bytes = bench.options.sizes.large
  const variants = [false, true].flatMap((express) => [
    reference('naive', { express, extra: true }),
    reference('tuned', { express, extra: true }),
    reference('bare', { express }),
    carcosa({ express }),
  ])
  const phases = phasesOf(bench, 'fresh')
  bench.workspace.expectRoom(variants.length * 2 * bytes)
  const results = await run({
    ...common(bench, 'mounted-large', variants),
    processesPer: 'round',
    ...transferSteps({ parallel: 1, bytes, compare: 1 }),
  })
  return {
    name: 'mounted-large',
    title: `Mounted in Express 5: one upload of ${bytes / 2 ** 20} MiB in one PATCH`,
    phases,
    columns: transferColumns,
    results,
    verdicts: ratios({ results, phases }, [
      ...['naive', 'tuned', 'bare'].map((name) => comparison(name, 'throughput')),
      { ...comparison('carcosa', 'throughput'), target: { atLeast: 0.95 } },
    ]),
    notes: [],
  }
}

async function smallUploads(bench: Bench): Promise<CaseReport> {
  const uploads = bench.options.sizes.small
  const postgres = await bench.postgres()
  const alone = await postgres.createDatabase('alone')
  const inExpress = await postgres.createDatabase('express')
  const variants = [
    reference('bare', { extra: true }),
    reference('bare', { express: true, extra: true }),
    carcosa({ label: 'postgres', database: alone, extra: true }),
    carcosa({ label: 'postgres', database: inExpress, express: true }),
  ]
  const phases = phasesOf(bench, 'busy')
  const results = await run({
    ...common(bench, 'mounted-small', variants),
    processesPer: 'run',
    ...smallSteps({ uploads, compare: 10 }),
  })
  return {
    name: 'mounted-small',
    title: `Mounted in Express 5: ${uploads} uploads of ${smallBytes / 1024} KiB by creation-with-upload, ${smallConnections} at a time`,
    phases,
    columns: loadColumns.filter(({ figure }) => figure !== 'databaseCpu'),
    results,
    verdicts: ratios({ results, phases }, [
      comparison('bare', 'rate'),
      {
        title: 'carcosa express postgres / carcosa postgres, rate',
        figure: 'rate',
        of: 'carcosa express postgres',
        against: 'carcosa postgres',
      },
    ]),
    notes: [],
  }
}

function comparison(name: string, figure: string): Comparison {
  const of = `${name} express`
  return { title: `${of} / ${name}, ${figure}`, figure, of, against: name }
}
