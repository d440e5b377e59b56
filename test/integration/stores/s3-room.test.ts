/** P7: whatever clients send at once, the bytes on their way to S3 take the room they are given. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { begin } from '../../support/lifecycle.ts'
import { patch } from '../../support/records.ts'
import { requires } from '../../support/requirements.ts'
import { file, rest, type Scene, startScene } from '../../support/s3-scene.ts'

const MiB = 1024 ** 2

const room = requires('postgres', suite('40 uploads at once to S3'))
let scene: Scene

room.before(async () => {
  scene = await startScene()
})
room.after(() => scene?.close())
room.before.each(() => scene.fake.reset())

const ceilings = {
  '16 MiB of memory': { memory: 16 * MiB, disk: 0 },
  '10 MiB of disk': { memory: 0, disk: 10 * MiB },
  '16 MiB of memory and 32 MiB of disk': { memory: 16 * MiB, disk: 32 * MiB },
}

for (const [title, staging] of Object.entries(ceilings)) {
  room(`do with ${title}`, async () => {
    const { fake } = scene
    const server = await scene.start({ staging })
    fake.faults.delayMs = () => 10
    const most = { memory: 0, disk: 0 }
    const watch = setInterval(() => {
      const { memory, disk } = server.staging.used
      most.memory = Math.max(most.memory, memory)
      most.disk = Math.max(most.disk, disk)
    }, 5)
    try {
      const uploads = await Promise.all(
        Array.from({ length: 40 }, () => begin(server, 'demo', { length: file.length })),
      )
      const sent = await Promise.all(
        uploads.map(({ url }) => patch(server.doors.http, url, rest(0))),
      )
      const answers = sent.map(({ status, text }) => `${status} ${text}`)
      assert.equal([...new Set(answers)], ['204 '])
      for (const upload of uploads) {
        assert.ok(fake.objects.get(scene.keyOf(upload))?.bytes.equals(file))
      }
      assert.ok(most.memory <= staging.memory, `${most.memory} bytes of memory`)
      assert.ok(most.disk <= staging.disk, `${most.disk} bytes of disk`)
      // Files are closed a moment later.
      await sleep(100)
      assert.equal(server.staging.used, { memory: 0, disk: 0 })
    } finally {
      clearInterval(watch)
      await server.close()
    }
  })
}

room.run()
