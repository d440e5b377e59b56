/** A file that is refused when its last bytes are sent by whoever asks for it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { created, patch } from '../../support/records.ts'
import { withOurS3 } from '../../support/s3/ours.ts'
import { html } from '../../support/samples.ts'

const test = suite('an upload to S3 whose bytes all wait in the database')

test('is refused for what they are, by a HEAD of another process', () =>
  withOurS3({}, async ({ fake, server, head, events }) => {
    const { http } = server.doors
    const headers = { 'Upload-Metadata': `filetype ${btoa('image/png')}` }
    const path = await created(http, { route: 'image', length: null, headers })
    const sent = await patch(http, path, { offset: 0, body: html })
    assert.is(sent.status, 204, sent.text)
    // As after a crash: the length is declared, and nobody remembers what the bytes were.
    const { id } = await server.row(path)
    server.uploads.tails.drop(id)
    await server.uploads.db.query(
      { name: 'declare', sql: 'UPDATE carcosa.file SET size = "offset" WHERE id = $1' },
      [id],
    )
    assert.is((await head(path)).status, 415)
    assert.is((await head(path)).status, 410)
    assert.equal(await events(path), ['file.created', 'file.rejected'])
    assert.is(fake.objects.size, 0)
  }))

test.run()
