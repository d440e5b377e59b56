/** P1, P2, P3 on S3: part failures, lost answers, kills, and a fight over the upload. */
import { suite } from 'uvu'
import { type Campaign, startCampaign } from '../support/chaos/campaign.ts'
import { requires } from '../support/requirements.ts'

const MiB = 1024 ** 2
const seeds = [3, 8, 13, 21, 34]

const chaos = requires('versitygw', requires('postgres', suite('an upload to S3')))
let campaign: Campaign

chaos.before(async () => {
  campaign = await startCampaign('s3', { least: 40 * MiB, most: 120 * MiB })
})
chaos.after(() => campaign?.stop())

for (const seed of seeds) {
  chaos(`survives everything at once: seed ${seed}`, async () => {
    await campaign.run(seed)
  })
}

chaos.run()
