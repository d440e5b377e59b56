/** `carcosa.api.files.update`, custom ids, tags, and what an upload brings of them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createRouter,
  type FileEdit,
  type ProgramUpload,
  renamedFiles,
  route,
  type UploadItem,
} from '../../src/index.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { begin, eventsOf, upload } from '../support/lifecycle.ts'
import { metadataHeader } from '../support/records.ts'
import { png } from '../support/samples.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** Labels its files by their names. */
const labelling = route({ blob: { maxFileCount: 3 } })
  .public()
  .middleware(({ files }) => ({
    [renamedFiles]: files.map(({ name }) => ({
      name,
      customId: name,
      ...(name !== 'bare' && { tags: ['by', name] }),
    })),
  }))
const router = createRouter({
  any: route({ blob: { maxFileSize: '1KB' } }).public(),
  labelling,
  split: route({
    image: { acl: 'public-read', contentDisposition: 'inline' },
    pdf: { acl: 'private', contentDisposition: 'attachment' },
  }).public(),
})
const unknown = 'AAAAAAAAAAAAAAAAAAAAAAAA'

/** On Postgres, and on PGlite, which has one connection. */
function on(kind: 'postgres' | 'pglite') {
  const test = suite(`editing files on ${kind}`)
  let server: TestServer
  test.before(async () => {
    server = await startServer({
      router,
      ...(kind === 'pglite' && { database: 'memory://' }),
    })
  })
  test.after(() => server.close())

  const files = () => server.carcosa.api.files
  const put = (options: Partial<ProgramUpload> = {}) =>
    files().upload('content', { route: 'any', ...options })
  const statusOf = async (id: string) =>
    (await server.doors.http({ method: 'GET', path: `/files/${id}` })).status

  test('name, tags, acl and custom id change together, with one event', async () => {
    const { id, revision } = await put({ filename: 'a', tags: ['old', 'both'] })
    const edit = {
      filename: 'b',
      tags: ['both', 'new'],
      acl: 'public-read',
      customId: 'x1',
    }
    const edited = await files().update(id, edit as FileEdit)
    assert.equal(
      { ...edit },
      {
        filename: edited.filename,
        tags: edited.tags,
        acl: edited.acl,
        customId: edited.customId,
      },
    )
    assert.is(edited.revision, revision + 1)
    assert.equal(await files().get(id), edited)
    assert.equal(await files().get({ customId: 'x1' }), edited)
    const listed = async (tag: string) => (await files().list({ tag })).files.length
    assert.equal(
      [await listed('old'), await listed('both'), await listed('new')],
      [0, 1, 1],
    )
    assert.equal((await eventsOf(server, { id, url: '' })).slice(3), ['file.updated'])
    const events = await server.carcosa.api.events.list()
    const { data } = events.at(-1) ?? {}
    assert.equal(data?.changed, ['filename', 'tags', 'acl', 'customId'])
    assert.equal([data?.tags, data?.customId], [['both', 'new'], 'x1'])
  })

  test('who may read a file changes with the next request', async () => {
    const { id } = await put()
    assert.is(await statusOf(id), 404)
    await files().update(id, { acl: 'public-read' })
    assert.is(await statusOf(id), 200)
    assert.is(await files().url(id), `/files/${id}`)
    await files().update(id, { acl: 'private' })
    assert.is(await statusOf(id), 404)
    assert.match(await files().url(id), /signature=/)
  })

  test('of ten who change the same revision at once, one does', async () => {
    const { id, revision } = await put()
    const edits = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        refusal(files().update(id, { filename: `n${i}` }, { ifMatch: revision })),
      ),
    )
    assert.is(edits.filter((code) => code === 'nothing').length, 1)
    assert.is(edits.filter((code) => code === 'PRECONDITION_FAILED').length, 9)
    assert.is((await files().get(id))?.revision, revision + 1)
  })

  test('tags that are changed by many at once are those of the last', async () => {
    const { id } = await put({ tags: ['t0', 'left'] })
    const tags = Array.from({ length: 10 }, (_, i) => [`t${i}`, 'all'])
    await Promise.all(tags.map((some) => files().update(id, { tags: some })))
    const now = (await files().get(id))?.tags ?? []
    for (let i = 0; i < 10; i++) {
      const found = (await files().list({ tag: `t${i}` })).files.map((file) => file.id)
      assert.equal(found, now.includes(`t${i}`) ? [id] : [], `t${i} of ${now}`)
    }
    assert.is((await files().list({ tag: 'all' })).files.length, 1)
    assert.is((await files().list({ tag: 'left' })).files.length, 0)
  })

  test('a custom id is of one file of the project, until that has ended', async () => {
    const first = await put({ customId: 'only' })
    assert.is(await refusal(put({ customId: 'only' })), 'CUSTOM_ID_TAKEN')
    const other = await put({ customId: 'another' })
    assert.is(
      await refusal(files().update(other.id, { customId: 'only', filename: 'no' })),
      'CUSTOM_ID_TAKEN',
    )
    assert.is((await files().get(other.id))?.filename, null)
    await files().update(first.id, { customId: 'only' })
    assert.ok(await files().delete({ customId: 'only' }))
    assert.is(await files().get({ customId: 'only' }), null)
    assert.is((await files().get(first.id))?.customId, 'only')
    const second = await put({ customId: 'only' })
    assert.is((await files().get({ customId: 'only' }))?.id, second.id)
    await files().update(second.id, { customId: null })
    assert.is((await put({ customId: 'only' })).customId, 'only')
  })

  test('of ten uploads with one custom id at once one is made, and nothing is left', async () => {
    const made = await Promise.all(
      Array.from({ length: 10 }, () =>
        refusal(put({ customId: 'raced', ownerId: 'raced' })),
      ),
    )
    assert.is(made.filter((code) => code === 'nothing').length, 1)
    assert.is(made.filter((code) => code === 'CUSTOM_ID_TAKEN').length, 9)
    const { files: left } = await files().list({
      ownerId: 'raced',
      states: ['created', 'receiving', 'ready', 'failed', 'removed'],
    })
    assert.is(left.length, 1)
  })

  test('every call that names a file takes a custom id', async () => {
    await put({ customId: 'named', tags: ['a', 'a'], filename: 'n' })
    const named = { customId: 'named' }
    assert.equal((await files().get(named))?.tags, ['a'])
    assert.match(await files().sign(named), /^\/files\/.*signature=/)
    assert.is((await files().rename(named, 'm')).filename, 'm')
    const [signed, none] = await files().signMany([named, { customId: 'nobody' }])
    assert.match(signed ?? '', /signature=/)
    assert.is(none, null)
    const outcomes = await files().updateMany([
      { file: named, filename: 'o' },
      { file: unknown, filename: 'o' },
      { file: named, filename: '' },
    ])
    assert.equal(
      outcomes.map(({ data, error }) => data?.filename ?? error?.code),
      ['o', 'FILE_NOT_FOUND', 'BAD_REQUEST'],
    )
    assert.ok(await files().delete(named))
  })

  test('an upload that goes on may be named and tagged; its acl is not decided yet', async () => {
    const { id } = await begin(server, 'any', { length: 10 })
    assert.is((await files().update(id, { tags: ['early'] })).state, 'created')
    assert.is(
      await refusal(files().update(id, { acl: 'public-read' })),
      'UPLOAD_INCOMPLETE',
    )
  })

  test('what does not exist, or has ended, is not changed', async () => {
    const { id } = await put()
    await files().delete(id)
    for (const file of [
      id,
      unknown,
      '',
      '\0',
      { customId: '\0' },
      { customId: 'x'.repeat(999) },
    ]) {
      assert.is(await refusal(files().update(file, { tags: [] })), 'FILE_NOT_FOUND')
    }
    // What a program without types can pass.
    const odd = [null, undefined, 5, {}, [], { customId: 5 }] as unknown as string[]
    for (const file of odd) {
      assert.is(await files().get(file), null)
      assert.is(await files().delete(file), false)
    }
  })

  const wrong: [edit: Record<string, unknown>, ifMatch?: unknown][] = [
    [{}],
    [{ name: 'x' }],
    [{ filename: '' }],
    [{ filename: null }],
    [{ acl: 'public' }],
    [{ acl: null }],
    [{ tags: 'a' }],
    [{ tags: [''] }],
    [{ tags: [5] }],
    [{ tags: ['x'.repeat(101)] }],
    [{ tags: ['\0'] }],
    [{ tags: Array.from({ length: 33 }, (_, i) => `${i}`) }],
    [{ tags: null }],
    [{ customId: '' }],
    [{ customId: 'x'.repeat(257) }],
    [{ customId: '\uD800' }],
    [{ customId: 7 }],
    [{ filename: 'x' }, '1'],
    [{ filename: 'x' }, -1],
    [{ filename: 'x' }, 2 ** 31],
  ]
  for (const [edit, ifMatch] of wrong) {
    test(`${JSON.stringify(edit).slice(0, 50)} ${ifMatch ?? ''} is no edit`, async () => {
      const { id } = await put()
      const condition = ifMatch === undefined ? {} : { ifMatch: ifMatch as number }
      assert.is(
        await refusal(files().update(id, edit as FileEdit, condition)),
        'BAD_REQUEST',
      )
      assert.is((await files().get(id))?.revision, 0)
    })
  }

  test('acl and disposition of an upload are as given, whatever its bytes turn out to be', async () => {
    const as = { route: 'split', type: 'application/pdf' } as const
    const judged = await files().upload(png, as)
    assert.equal([judged.acl, judged.contentDisposition], ['public-read', 'inline'])
    const chosen = { acl: 'private', contentDisposition: 'attachment' } as const
    const given = await files().upload(png, { ...as, ...chosen })
    assert.equal([given.acl, given.contentDisposition], ['private', 'attachment'])
    const [streamed] = await files().upload(
      [{ body: new Blob([png]).stream(), acl: 'private' }],
      as,
    )
    assert.is(streamed?.data?.acl, 'private')
    assert.is(streamed?.data?.contentDisposition, 'inline')
    const bad = { ...as, acl: 'all' } as unknown as ProgramUpload
    assert.is(await refusal(files().upload('x', bad)), 'BAD_REQUEST')
  })

  test('several are uploaded, each for itself; a File brings its name', async () => {
    const named = Object.assign(
      new File(['of a file'], 'f.txt', { type: 'text/plain' }),
      {
        customId: 'ut',
      },
    )
    const bodies: UploadItem[] = [
      named,
      { body: 'described', filename: 'd.bin', tags: ['own'] },
      'too large'.repeat(200),
      Buffer.from('bytes'),
    ]
    const common = { route: 'any', filename: 'common', tags: ['all'], concurrency: 2 }
    const outcomes = await files().upload(bodies, common)
    assert.equal(
      outcomes.map(({ data, error }) => [
        data?.filename ?? error?.code,
        data?.tags,
        data?.customId,
      ]),
      [
        ['common', ['all'], 'ut'],
        ['d.bin', ['own'], null],
        ['FILE_TOO_LARGE', undefined, undefined],
        ['common', ['all'], null],
      ],
    )
    const file = await files().upload(new File(['x'], 'g.txt'), { route: 'any' })
    assert.is(file.filename, 'g.txt')
    assert.equal(await files().upload([], { route: 'any' }), [])
    for (const concurrency of [0, 26, 1.5, '2']) {
      // What a program without types can pass.
      const options = { route: 'any', concurrency: concurrency as number }
      assert.is(await refusal(files().upload(['x'], options)), 'BAD_REQUEST')
    }
    const many = Array.from({ length: 501 }, () => 'x')
    assert.is(await refusal(files().upload(many, { route: 'any' })), 'BAD_REQUEST')
  })

  test('a signal ends an upload, which leaves nothing', async () => {
    const control = new AbortController()
    const reason = new Error('enough')
    const body = new ReadableStream<Uint8Array>({
      start: (to) => to.enqueue(Buffer.from('some')),
    })
    const options = { route: 'any', ownerId: 'ended', signal: control.signal }
    const uploading = files()
      .upload(body, options)
      .catch((error) => error)
    setTimeout(() => control.abort(reason), 100)
    assert.is(await uploading, reason)
    assert.is(
      await files()
        .upload('x', options)
        .catch((error) => error),
      reason,
    )
    assert.equal((await files().list({ ownerId: 'ended' })).files, [])
    const { files: all } = await files().list({ ownerId: 'ended', states: ['removed'] })
    assert.ok(all.every(({ purgedAt }) => purgedAt !== null))
  })

  test('many are deleted, each for itself', async () => {
    const ids = await Promise.all(
      Array.from({ length: 12 }, async () => (await put()).id),
    )
    await put({ customId: 'doomed' })
    const again = [...ids, ids[0] ?? '', unknown, '\0', { customId: 'doomed' }]
    const outcomes = await files().deleteMany(again)
    assert.equal(
      outcomes.map(({ file }) => file),
      again,
    )
    assert.is(outcomes.filter(({ deleted }) => deleted).length, 13)
    assert.ok(outcomes.every(({ error }) => error === null))
    const tooMany = Array.from({ length: 501 }, () => unknown)
    assert.is(await refusal(files().deleteMany(tooMany)), 'BAD_REQUEST')
  })

  test('middleware gives custom ids and tags, with a ticket and without', async () => {
    const send = (name: string) =>
      server.doors.http({
        method: 'POST',
        path: '/uploads/labelling',
        headers: {
          'Tus-Resumable': '1.0.0',
          'Upload-Length': '1',
          'Upload-Metadata': metadataHeader({ filename: name }),
          'Content-Type': 'application/offset+octet-stream',
        },
        body: 'x',
      })
    assert.is((await send('plain')).status, 201)
    const plain = await files().get({ customId: 'plain' })
    assert.equal([plain?.state, plain?.tags], ['ready', ['by', 'plain']])
    assert.is((await send('bare')).status, 201)
    assert.equal((await files().get({ customId: 'bare' }))?.tags, [])
    const taken = await send('plain')
    assert.equal([taken.status, taken.json().code], [409, 'CUSTOM_ID_TAKEN'])
    const wrong = await send('x'.repeat(300))
    assert.equal([wrong.status, wrong.json().code], [500, 'MIDDLEWARE_FAILED'])

    const prepared = await server.doors.http({
      method: 'POST',
      path: '/uploads/labelling/prepare',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ files: [{ name: 'ticketed', size: 1, type: '' }] }),
    })
    const [{ ticket }] = prepared.json().files as [{ ticket: string }]
    for (let twice = 0; twice < 2; twice++) {
      const made = await server.doors.http({
        method: 'POST',
        path: '/uploads/labelling',
        headers: {
          'Tus-Resumable': '1.0.0',
          'Upload-Length': '1',
          'Upload-Ticket': ticket,
        },
      })
      assert.is(made.status, 201, made.text)
    }
    assert.equal((await files().get({ customId: 'ticketed' }))?.tags, ['by', 'ticketed'])
  })

  test('tags of a file whose bytes are deleted are not found any more', async () => {
    const made = await upload(server, 'any', 'content')
    await files().update(made.id, { tags: ['gone'] })
    await files().delete(made.id)
    assert.equal((await files().list({ tag: 'gone' })).files, [])
    assert.is((await files().list({ tag: 'gone', states: ['removed'] })).files.length, 1)
  })

  test.run()
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

on('postgres')
on('pglite')
