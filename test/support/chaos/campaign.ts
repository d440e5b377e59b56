import { startGcsFake } from '../gcs-fake.ts'
import { s3Server } from '../s3-server.ts'
import { gcsFakePlace, type Place, s3Place } from './place.ts'
import { describePlan, type Plan, planRun, type Sizes } from './plan.ts'
import { chaosRun, type Report } from './run.ts'

/** Many runs on one store, one after the other. */
export interface Campaign {
  /** Does one run. @throws what went wrong, and how to see it again */
  run(seed: number): Promise<Report>
  stop(): Promise<void>
}

export const kinds = ['s3', 'gcs'] as const
export type Kind = (typeof kinds)[number]

export async function startCampaign(kind: Kind, sizes: Sizes): Promise<Campaign> {
  const ground = await grounds[kind]()
  return {
    async run(seed) {
      const plan = planRun(seed, sizes)
      const place = await ground.place(plan)
      try {
        return await chaosRun(plan, place)
      } catch (cause) {
        const again = `npm run chaos -- --store ${kind} --runs 1 --seed ${seed} --least ${sizes.least} --most ${sizes.most}`
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`${describePlan(plan)}\nAgain: ${again}\n${why}`, { cause })
      } finally {
        await place.close()
      }
    },
    stop: () => ground.stop(),
  }
}

interface Ground {
  place(plan: Plan): Promise<Place>
  stop(): Promise<void>
}

const grounds: Record<Kind, () => Promise<Ground>> = {
  async s3() {
    const server = await s3Server()
    return { place: (plan) => s3Place(server, plan), stop: () => server.stop() }
  },
  // fake-gcs-server makes an object of a session that is only asked where it stands.
  async gcs() {
    const fake = await startGcsFake()
    return { place: (plan) => gcsFakePlace(fake, plan), stop: () => fake.close() }
  },
}
