/** Answers of Google's service that break off, wherever they do. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { gcs } from '../../../stores/gcs.ts'
import type { Store } from '../../../stores/store.ts'
import { type GcsFake, startGcsFake } from '../../support/gcs-fake.ts'
import { startLine } from '../../support/line.ts'

const breaks = suite('an answer of GCS that breaks off')
let fake: GcsFake

breaks.before(async () => {
  fake = await startGcsFake()
  fake.putObject('carcosa/one', 'bytes')
})
breaks.after(() => fake.close())

const calls: Record<string, (store: Store) => Promise<unknown>> = {
  start: (store) => store.start(),
  async list(store) {
    for await (const _ of store.list?.() ?? []);
  },
  stat: (store) => store.stat('one'),
  copy: async (store) => store.copy?.('one', 'other'),
  remove: (store) => store.remove('none'),
}

for (const [name, call] of Object.entries(calls)) {
  breaks(`leaves no call of ${name}() waiting for ever`, async () => {
    const bytes = Array.from({ length: 12 }, (_, i) => 40 * i)
    const outcomes = await Promise.all(bytes.map((after) => outcomeOf(call, after)))
    assert.equal(
      bytes.filter((_, i) => outcomes[i] === 'waits'),
      [],
    )
  })
}

breaks.run()

/** How the call ends if all answers together are cut after so many bytes. */
async function outcomeOf(call: (store: Store) => Promise<unknown>, after: number) {
  const line = await startLine(fake.endpoint)
  line.breakAfter(after)
  const { bucket } = fake
  const ended = call(gcs({ bucket, apiEndpoint: line.endpoint })).then(
    () => 'ends',
    () => 'fails',
  )
  const outcome = await Promise.race([ended, sleep(15_000, 'waits', { ref: false })])
  await line.close()
  return outcome
}
