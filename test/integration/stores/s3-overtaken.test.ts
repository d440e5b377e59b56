/** A writer that lost its lease while parts of its were on their way to S3. */
import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/raw-http.ts'
import { offsetOf, patch } from '../../support/records.ts'
import { requires } from '../../support/requirements.ts'
import {
  file,
  rest,
  type Scene,
  type SceneServer,
  startScene,
} from '../../support/s3-scene.ts'

const MiB = 1024 ** 2
const partSize = 5 * MiB

const overtaken = requires('postgres', suite('an upload to S3'))
let scene: Scene
let second: SceneServer

overtaken.before(async () => {
  scene = await startScene()
  second = await scene.start({ database: scene.server.database })
})
overtaken.after(async () => {
  await second?.close()
  await scene?.close()
})

overtaken(
  'is not harmed by a part that arrives when its writer was overtaken',
  async () => {
    const { fake, server } = scene
    const upload = await scene.begun(0)
    const late = Promise.withResolvers<void>()
    let held = 0
    fake.faults.before = ({ operation, partNumber }) =>
      operation === 'UploadPart' && partNumber === 2 && held++ === 0
        ? late.promise
        : undefined

    // The second part holds what the client does not send again: its arrival would be noticed.
    const wrong = Buffer.concat([file.subarray(0, partSize), randomBytes(partSize)])
    const first = patch(server.doors.http, upload.url, { offset: 0, body: wrong })
    await eventually(
      () => server.row(upload.url),
      ({ offset }) => offset === partSize,
    )
    // From here on the first process reaches nobody, and its lease runs out.
    const { query } = server.uploads.db
    const unreachable = async () => Promise.reject(new Error('no way to the database'))
    Object.assign(server.uploads.db, { query: unreachable })
    await second.uploads.db.executeSql(
      `UPDATE carcosa.file SET lease_expires_at = now() - interval '1 ms' WHERE lease_holder IS NOT NULL`,
    )

    const offset = await offsetOf(second.doors.http, upload.url)
    assert.is(offset, partSize)
    const more = file.subarray(offset, offset + partSize)
    const sent = await patch(second.doors.http, upload.url, { offset, body: more })
    assert.is(sent.status, 204, sent.text)
    late.resolve()
    assert.is.not((await first).status, 204)
    Object.assign(server.uploads.db, { query })

    const end = await patch(second.doors.http, upload.url, rest(offset + partSize))
    assert.is(end.status, 204, end.text)
    await scene.expectFinished(upload)
  },
)

overtaken.run()
