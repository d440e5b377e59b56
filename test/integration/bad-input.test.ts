/** Whatever is wrong: a stable code, and a sentence that says what to do. One table over it all. */
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import {
  CarcosaError,
  type CarcosaOptions,
  createCarcosa,
  createRouter,
  file,
  route,
} from '../../src/index.ts'
import { type ErrorCode, errorCodes } from '../../src/shared/errors.ts'
import type { Asked } from '../support/exchange.ts'
import { upload } from '../support/lifecycle.ts'
import { created, metadataHeader, offsetStream } from '../support/records.ts'
import { doors, startServer, type TestServer } from '../support/server.ts'

const test = suite('bad input')

const router = createRouter({
  demo: route({
    blob: {
      maxFileSize: '1KB',
      minFileSize: '2B',
      maxFileCount: 2,
      minFileCount: 1,
      acl: 'public-read',
    },
  }).public(),
  mine: route({ blob: {} }),
  picture: route({ image: { maxFileSize: '1KB' } }).public(),
  album: route({ blob: {} })
    .public()
    .input(z.object({ album: z.string() })),
  pair: route({ blob: { minFileCount: 2, maxFileCount: 2 } }).public(),
})

let server: TestServer
let unfinished = ''
let finished = { url: '', id: '' }
const base = mkdtempSync(join(tmpdir(), 'carcosa-bad-'))
test.before(async () => {
  server = await startServer({ router })
  unfinished = await created(server.doors.http, { bytes: 'hello' })
  finished = await upload(server, 'demo', 'content')
})
test.after(async () => {
  await server.close()
  rmSync(base, { recursive: true })
})

/** What is asked, what it is answered with, and what the sentence must say. */
type Row = [what: string, asked: () => Partial<Asked>, code: ErrorCode, says: RegExp]

const post = (headers: Record<string, string | null>): Partial<Asked> => ({
  method: 'POST',
  path: '/uploads/demo',
  headers: { 'Upload-Length': '10', ...headers },
})
const patch =
  (headers: Record<string, string | null>, body = '') =>
  (): Partial<Asked> => ({
    method: 'PATCH',
    path: unfinished,
    headers: { 'Upload-Offset': '5', 'Content-Type': offsetStream, ...headers },
    body,
  })
const prepare = (body: unknown, name = 'demo'): Partial<Asked> => ({
  method: 'POST',
  path: `/uploads/${name}/prepare`,
  headers: { 'Content-Type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const metadata = (values: Record<string, string>) => ({
  'Upload-Metadata': metadataHeader(values),
})

const requests: Row[] = [
  // Headers.
  [
    'no Tus-Resumable',
    () => post({ 'Tus-Resumable': null }),
    'TUS_VERSION_UNSUPPORTED',
    /proxy.*let it pass/,
  ],
  [
    'another version',
    () => post({ 'Tus-Resumable': '0.1' }),
    'TUS_VERSION_UNSUPPORTED',
    /speaks tus 1\.0\.0/,
  ],
  [
    'no length',
    () => post({ 'Upload-Length': null }),
    'LENGTH_INVALID',
    /either Upload-Length/,
  ],
  [
    'a length in words',
    () => post({ 'Upload-Length': 'ten' }),
    'LENGTH_INVALID',
    /whole number of bytes/,
  ],
  [
    'a negative length',
    () => post({ 'Upload-Length': '-1' }),
    'LENGTH_INVALID',
    /whole number/,
  ],
  [
    'an enormous length',
    () => post({ 'Upload-Length': '9'.repeat(30) }),
    'LENGTH_INVALID',
    /9007199254740991/,
  ],
  [
    'a deferred length of 2',
    () => post({ 'Upload-Length': null, 'Upload-Defer-Length': '2' }),
    'LENGTH_INVALID',
    /must be 1/,
  ],
  [
    'no offset',
    patch({ 'Upload-Offset': null }),
    'HEADER_INVALID',
    /offset that HEAD answers/,
  ],
  [
    'an offset in words',
    patch({ 'Upload-Offset': '5 bytes' }),
    'HEADER_INVALID',
    /whole number/,
  ],
  [
    'another offset',
    patch({ 'Upload-Offset': '4' }, 'x'),
    'OFFSET_MISMATCH',
    /stands at 5.*Continue from there/,
  ],
  [
    'another media type',
    patch({ 'Content-Type': 'text/plain' }, 'x'),
    'CONTENT_TYPE_UNSUPPORTED',
    /offset\+octet-stream/,
  ],
  [
    'a body longer than the upload',
    patch({}, 'x'.repeat(6)),
    'LENGTH_EXCEEDED',
    /HEAD|no more/,
  ],
  [
    'a checksum',
    patch({ 'Upload-Checksum': 'md5 x' }, 'x'),
    'EXTENSION_UNSUPPORTED',
    /without upload-checksum/,
  ],
  [
    'a form',
    () => ({ ...post({ 'Content-Type': 'multipart/form-data' }), body: 'x' }),
    'CONTENT_TYPE_UNSUPPORTED',
    /prepare/,
  ],
  [
    'GET of the creation URL',
    () => ({ method: 'GET', path: '/uploads/demo' }),
    'METHOD_NOT_ALLOWED',
    /use one of/,
  ],
  [
    'PUT of an upload',
    () => ({ method: 'PUT', path: unfinished }),
    'METHOD_NOT_ALLOWED',
    /use one of/,
  ],
  [
    'POST of a file',
    () => ({ method: 'POST', path: `/files/${finished.id}` }),
    'METHOD_NOT_ALLOWED',
    /GET or HEAD/,
  ],
  [
    'a range outside the file',
    () => ({
      method: 'GET',
      path: `/files/${finished.id}`,
      headers: { Range: 'bytes=99-' },
    }),
    'RANGE_NOT_SATISFIABLE',
    /./,
  ],
  [
    'a precondition that fails',
    () => ({
      method: 'GET',
      path: `/files/${finished.id}`,
      headers: { 'If-Match': '"other"' },
    }),
    'PRECONDITION_FAILED',
    /./,
  ],

  // Metadata and what it says of the file.
  [
    'metadata that is no base64',
    () => post({ 'Upload-Metadata': 'name %%%' }),
    'METADATA_INVALID',
    /name/,
  ],
  [
    'metadata with a key twice',
    () => post({ 'Upload-Metadata': 'a,a' }),
    'METADATA_INVALID',
    /twice/,
  ],
  [
    'metadata with an empty pair',
    () => post({ 'Upload-Metadata': 'a,,b' }),
    'METADATA_INVALID',
    /./,
  ],
  [
    'a file too large',
    () => post({ 'Upload-Length': '1025' }),
    'FILE_TOO_LARGE',
    /1025|1024|1 ?kB|KB/i,
  ],
  ['a file too small', () => post({ 'Upload-Length': '1' }), 'FILE_TOO_SMALL', /./],
  [
    'a type the route does not take',
    () => ({ ...post(metadata({ filetype: 'text/html' })), path: '/uploads/picture' }),
    'TYPE_NOT_ALLOWED',
    /image/,
  ],
  ['no input', () => ({ ...post({}), path: '/uploads/album' }), 'INPUT_INVALID', /./],
  [
    'an input that is no JSON',
    () => ({ ...post(metadata({ input: '{' })), path: '/uploads/album' }),
    'INPUT_INVALID',
    /must hold JSON/,
  ],
  [
    'an input of another shape',
    () => ({ ...post(metadata({ input: '{"album":1}' })), path: '/uploads/album' }),
    'INPUT_INVALID',
    /album/,
  ],
  [
    'one file of a pair',
    () => ({ ...post({}), path: '/uploads/pair' }),
    'TOO_FEW_FILES',
    /2/,
  ],

  // Ids, routes, tickets, credentials.
  [
    'an id that cannot be',
    () => ({ method: 'GET', path: '/uploads/demo/x' }),
    'UPLOAD_NOT_FOUND',
    /Create one with POST/,
  ],
  [
    'an id nobody has',
    () => ({ method: 'DELETE', path: '/uploads/demo/AAAAAAAAAAAAAAAAAAAAAAAA' }),
    'UPLOAD_NOT_FOUND',
    /Create one with POST/,
  ],
  [
    'a file nobody has',
    () => ({ method: 'GET', path: '/files/AAAAAAAAAAAAAAAAAAAAAAAA' }),
    'FILE_NOT_FOUND',
    /./,
  ],
  [
    'a route nobody declared',
    () => ({ ...post({}), path: '/uploads/avatar' }),
    'ROUTE_NOT_FOUND',
    /GET \/routes/,
  ],
  [
    'a path of nobody',
    () => ({ method: 'GET', path: '/nothing' }),
    'NOT_FOUND',
    /\/uploads.*\/files/,
  ],
  [
    'a prefix nobody configured',
    () => ({ ...post({}), path: '/media/uploads/demo' }),
    'MOUNT_MISMATCH',
    /basePath: '\/media'/,
  ],
  [
    'no credential',
    () => ({ ...post({}), path: '/uploads/mine' }),
    'UNAUTHENTICATED',
    /send a credential.*\.public\(\)/,
  ],
  [
    'a ticket of nobody',
    () => post({ 'Upload-Ticket': 'x.y.z' }),
    'TICKET_INVALID',
    /prepare/,
  ],
  [
    'a signature of nobody',
    () => ({ method: 'GET', path: `/files/${finished.id}?expires=1&signature=x` }),
    'SIGNATURE_INVALID',
    /./,
  ],
  [
    'DELETE of a finished file of nobody',
    () => ({ method: 'DELETE', path: finished.url }),
    'FORBIDDEN',
    /Upload-Ticket/,
  ],
  [
    'a wait that is no number',
    () => ({ method: 'GET', path: `${unfinished}?wait=long` }),
    'BAD_REQUEST',
    /whole number of seconds/,
  ],

  // Batches.
  ['a batch that is no JSON', () => prepare('{'), 'BAD_REQUEST', /not JSON/],
  ['a batch that is a list', () => prepare([]), 'BAD_REQUEST', /\{ files/],
  ['a batch of nothing', () => prepare({ files: [] }), 'BAD_REQUEST', /1 to 1000/],
  ['a batch of text', () => prepare({ files: ['a'] }), 'BAD_REQUEST', /files\[0\]/],
  [
    'a file without a name',
    () => prepare({ files: [{ size: 1 }] }),
    'BAD_REQUEST',
    /files\[0\]\.name/,
  ],
  [
    'a file of half a byte',
    () => prepare({ files: [{ name: 'a', size: 0.5 }] }),
    'BAD_REQUEST',
    /files\[0\]\.size/,
  ],
  [
    'a batch as a form',
    () => ({ ...prepare('{}'), headers: { 'Content-Type': 'text/plain' } }),
    'CONTENT_TYPE_UNSUPPORTED',
    /application\/json/,
  ],
]

for (const door of doors) {
  for (const [what, asked, code, says] of requests) {
    test(`${what} is answered with ${code} (${door})`, async () => {
      const answer = await server.doors[door]({ method: 'GET', path: '/', ...asked() })
      const problem = answer.json()
      assert.is(problem.code, code, answer.text)
      assert.match(String(problem.detail), says)
      assert.is(answer.status, new CarcosaError(code).status)
      assert.is(answer.headers['content-type'], 'application/problem+json')
      assert.is(problem.type, `urn:carcosa:error:${code}`)
      assert.is(problem.status, answer.status)
      assert.ok(String(problem.title).length > 0)
    })
  }
}

test('none of it harmed the upload it was about', async () => {
  const { offset, state } = await server.row(unfinished)
  assert.equal({ offset, state }, { offset: 5, state: 'receiving' })
})

// What is wrong before the first request.

const inTheWay = join(base, 'file')
writeFileSync(inTheWay, 'not a directory')
// Nobody may write here, not even the superuser.
const readOnly = process.getuid?.() === 0 ? '/sys/carcosa' : join(base, 'read-only', 'x')
if (process.getuid?.() !== 0) mkdirSync(join(base, 'read-only'), { mode: 0o500 })

/** Options a program can give, also one without types. */
type Setup = [
  what: string,
  options: Record<string, unknown>,
  code: ErrorCode,
  says: RegExp,
]

const setups: Setup[] = [
  ['no router', { router: undefined }, 'CONFIG_INVALID', /router.*createRouter/],
  ['a router that is none', { router: {} }, 'CONFIG_INVALID', /router/],
  [
    'an option that does not exist',
    { dataDirectory: 'x' },
    'CONFIG_INVALID',
    /dataDirectory/,
  ],
  ['a short secret', { secret: 'hunter2' }, 'CONFIG_INVALID', /32 characters/],
  ['a base path without a slash', { basePath: 'media' }, 'CONFIG_INVALID', /basePath/],
  [
    'a public URL without a scheme',
    { publicUrl: 'example.com' },
    'CONFIG_INVALID',
    /publicUrl/,
  ],
  ['a time without a unit', { expiresIn: '5' }, 'CONFIG_INVALID', /expiresIn/],
  ['another digest', { digest: 'md5' }, 'CONFIG_INVALID', /sha-256/],
  ['a store that is none', { store: 'disk' }, 'CONFIG_INVALID', /store/],
  [
    'a database of another kind',
    { database: 'mysql://u:hunter2@db/app' },
    'CONFIG_INVALID',
    /postgres:\/\//,
  ],
  [
    'a database that does not answer',
    { database: 'postgres://u:hunter2@127.0.0.1:1/app' },
    'DATABASE_UNAVAILABLE',
    /127\.0\.0\.1:1/,
  ],
  [
    'a database directory that is a file',
    { database: inTheWay },
    'CONFIG_INVALID',
    /director|writ/i,
  ],
  [
    'a data directory below a file',
    { dataDir: join(inTheWay, 'x') },
    'CONFIG_INVALID',
    /file|director/i,
  ],
  [
    'a data directory it may not write',
    { dataDir: readOnly },
    'CONFIG_INVALID',
    /writ|permission/i,
  ],
  [
    'a store it may not write',
    { store: file({ directory: readOnly }) },
    'STORAGE_UNAVAILABLE',
    /permission/,
  ],
]

for (const [what, options, code, says] of setups) {
  test(`${what} is refused at the start with ${code}`, async () => {
    const all = { router, dataDir: join(base, 'data'), database: 'memory://', ...options }
    // A program without types can give anything.
    const error = await createCarcosa(all as unknown as CarcosaOptions).then(
      async (carcosa) => {
        await carcosa.close()
        return new Error('it started')
      },
      (caught: unknown) => caught,
    )
    assert.instance(error, CarcosaError, String(error))
    const { code: found, message } = error as CarcosaError
    assert.is(found, code, message)
    assert.match(message, says)
    assert.not.match(message, 'hunter2')
  })
}

// The codes themselves.

/** Thrown by the programs of others: what a callback or middleware refuses with. */
const forOthers: readonly ErrorCode[] = ['UPLOAD_REJECTED']

const root = join(import.meta.dirname, '../..')
const textOf = (pattern: string, but: RegExp) =>
  globSync(pattern, { cwd: root })
    .filter((path) => !but.test(path))
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n')
const sources = textOf('{src,stores}/**/*.ts', /generated|shared\/errors\.ts/)
const tests = textOf('test/**/*.test.ts', /bad-input/)
const here = new Set([...requests, ...setups].map(([, , code]) => code))

for (const code of errorCodes) {
  test(`${code} is thrown somewhere, and some test sees it`, () => {
    const thrown = new RegExp(`'${code}'`).test(sources)
    assert.ok(thrown || forOthers.includes(code), 'no source names it')
    assert.ok(
      here.has(code) || new RegExp(`\\b${code}\\b`).test(tests),
      'no test names it',
    )
  })
}

test('each code has a status of its kind, and a title', () => {
  for (const code of errorCodes) {
    const { status, title, detail } = new CarcosaError(code).toProblem()
    assert.ok(status >= 400 && status < 600, code)
    assert.ok(title.length > 10 && !title.endsWith('.'), code)
    assert.ok(detail.endsWith('.'), code)
  }
})

test.run()
