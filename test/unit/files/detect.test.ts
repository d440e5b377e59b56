import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDetector } from '../../../src/files/detect.ts'

const png = Buffer.from(
  '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489',
  'hex',
)
const detect = suite('the detector')

detect('names what it recognises and says null to the rest', async () => {
  const detector = createDetector()
  assert.is(await detector.detect(png), 'image/png')
  assert.is(await detector.detect(Buffer.from('just text')), null)
  assert.is(await detector.detect(Buffer.alloc(0)), null)
  await detector.close()
})

detect(
  'SEC-25: gives up on a file that makes it loop, and goes on with the next',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'carcosa-detect-'))
    const worker = join(directory, 'worker.mjs')
    await writeFile(
      worker,
      `import { parentPort } from 'node:worker_threads'
    parentPort.postMessage('ready')
    parentPort.on('message', ({ id, head }) => {
      while (head[0] === 1) {}
      parentPort.postMessage({ id, mime: 'x/' + head[0] })
    })`,
    )
    const detector = createDetector({ timeoutMs: 300, workerUrl: pathToFileURL(worker) })
    const looping = detector.detect(Buffer.from([1]))
    assert.is(await looping, null)
    assert.is(await detector.detect(Buffer.from([2])), 'x/2')
    await detector.close()
    await rm(directory, { recursive: true })
  },
)

detect('answers null when its thread dies', async () => {
  const workerUrl = new URL('data:text/javascript,throw new Error("broken")')
  const detector = createDetector({ workerUrl })
  assert.is(await detector.detect(png), null)
  await detector.close()
})

detect.run()
