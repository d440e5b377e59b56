import type { Experiment } from '../support/experiment.ts'
import { type S3Backend, startBackend } from '../support/s3-backend.ts'
import { carcosa, type Variant } from '../support/variants.ts'
import { type Bench, loadColumns, transferColumns } from './case.ts'

/** Runs `work` with a backend of its own. */
export async function withBackend<T>(
  { workspace }: Bench,
  name: string,
  work: (backend: S3Backend) => Promise<T>,
): Promise<T> {
  const backend = await startBackend(`${workspace.directory}/${name}-backend`)
  try {
    return await work(backend)
  } finally {
    await backend.stop()
  }
}

/** `createCarcosa()` with its records in Postgres and its files in the backend. */
export async function carcosaOnS3(
  bench: Bench,
  name: string,
  { endpoint }: S3Backend,
): Promise<Variant> {
  const database = await (await bench.postgres()).createDatabase(name)
  return carcosa({ label: 'postgres', database, s3: endpoint })
}

/** Lib-storage in a process that has all of Carcosa in it, so that memory can be compared. */
export async function libStorageWithin(
  bench: Bench,
  name: string,
  { endpoint }: S3Backend,
): Promise<Variant> {
  const database = await (await bench.postgres()).createDatabase(name)
  return carcosa({ label: 'lib-storage', database, s3: endpoint, libStorage: true })
}

/** Adds the backend's CPU to the figures, and takes it off what nobody accounts for. */
export function accounting(
  backend: S3Backend,
  measure: Experiment['measure'],
): Experiment['measure'] {
  return async (subject) => {
    const before = backend.cpuSeconds()
    const figures = await measure(subject)
    const used = backend.cpuSeconds() - before
    const { others = Number.NaN, seconds = Number.NaN } = figures
    return { ...figures, backend: used, others: Math.max(others - used / seconds, 0) }
  }
}

const backendColumn = { figure: 'backend', title: 'backend CPU s', digits: 2 }

/** The columns of a case that moves bytes to the backend. */
export const s3TransferColumns = [...transferColumns, backendColumn]

/** The columns of a case that sends the backend many small objects. */
export const s3LoadColumns = [...loadColumns, backendColumn]
