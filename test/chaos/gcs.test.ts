/** P1, P2, P3 on Google Cloud Storage, as far as that can be had on one machine. */
import { suite } from 'uvu'
import { type Campaign, startCampaign } from '../support/chaos/campaign.ts'
import { gcsServerPlace } from '../support/chaos/place.ts'
import { planRun } from '../support/chaos/plan.ts'
import { chaosRun } from '../support/chaos/run.ts'
import { type GcsServer, gcsServer } from '../support/gcs-server.ts'
import { requires } from '../support/requirements.ts'

const MiB = 1024 ** 2
const sizes = { least: 40 * MiB, most: 80 * MiB }

const chaos = requires('postgres', suite('an upload to GCS'))
let campaign: Campaign

chaos.before(async () => {
  campaign = await startCampaign('gcs', sizes)
})
chaos.after(() => campaign?.stop())

for (const seed of [4, 8, 15]) {
  chaos(`survives everything at once: seed ${seed}`, async () => {
    await campaign.run(seed)
  })
}

chaos.run()

const server = requires(
  'fake-gcs-server',
  requires('postgres', suite('an upload to fake-gcs-server')),
)
let gcs: GcsServer

server.before(async () => {
  gcs = await gcsServer()
})
server.after(() => gcs?.stop())

// It cannot say where a session stands, so nothing may happen that one must be asked for.
server('is whole in pieces, and leaves nothing behind', async () => {
  const plan = { ...planRun(16, sizes), faultRate: 0, disturbances: 0 }
  const place = await gcsServerPlace(gcs, plan)
  try {
    await chaosRun(plan, place)
  } finally {
    await place.close()
  }
})

server.run()
