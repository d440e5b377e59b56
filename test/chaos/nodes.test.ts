/** Two nodes on one Postgres and one S3, of which neither is spared; and the database is not. */
import { suite } from 'uvu'
import { fleetRun } from '../support/chaos/fleet-run.ts'
import { requires } from '../support/requirements.ts'

const chaos = requires('versitygw', requires('postgres', suite('two nodes')))

chaos('lose, mix up and finish twice nothing of uploads that alternate', async () => {
  await fleetRun({
    seed: 5,
    nodes: 2,
    uploads: 24,
    parallel: 12,
    everyMs: 2_000,
    freezeMs: 10_000,
  })
})

chaos.run()
