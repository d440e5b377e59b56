/** `GET /uploads/:route/:id`: the state of an upload as JSON, held until the outcome if asked. */
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../../src/index.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { created, expectAnswer, metadataHeader, patch } from '../../support/records.ts'
import { doors, startServer, type TestServer } from '../../support/server.ts'

const blob = { blob: { maxFileSize: '1MB' } } as const
const open = { blob: { maxFileSize: '1MB', acl: 'public-read' } } as const

const router = createRouter({
  demo: route(open).public(),
  private: route(blob).public(),
  mine: route(blob),
  slow: route(open)
    .public()
    .onUploadComplete(async ({ file }) => {
      await wait(300)
      return { length: file.size, url: file.url }
    }),
  refusing: route(open)
    .public()
    .onUploadComplete(() => {
      throw new CarcosaError('UPLOAD_REJECTED', { message: 'Not this one.' })
    }),
})

const test = suite('protocol/get-status')
let server: TestServer
test.before(async () => {
  server = await startServer({ router })
})
test.after(() => server.close())

const ann = { Authorization: 'Bearer ann' }

for (const door of doors) {
  const get = (path: string, headers: Record<string, string> = {}) =>
    server.doors[door]({
      method: 'GET',
      path,
      headers: { 'Tus-Resumable': null, ...headers },
    })

  test(`an unfinished upload tells where it stands (${door})`, async () => {
    const url = await created(server.doors[door], {
      bytes: 'hello',
      headers: {
        'Upload-Metadata': metadataHeader({ filename: 'a.txt', filetype: 'text/plain' }),
      },
    })
    const answer = await get(url)
    expectAnswer(answer, { status: 200, headers: { 'Cache-Control': 'no-store' } })
    const { id, createdAt, expiresAt, ...rest } = answer.json()
    assert.is(id, url.split('/').pop())
    assert.ok(Date.parse(String(expiresAt)) > Date.parse(String(createdAt)))
    assert.equal(rest, {
      route: 'demo',
      state: 'receiving',
      name: 'a.txt',
      size: 10,
      offset: 5,
      type: 'text/plain',
      sha256: null,
      url: null,
      serverData: null,
      failure: null,
    })
  })

  test(`a finished public upload tells its digest and where it is served (${door})`, async () => {
    const url = await created(server.doors[door], { bytes: 'helloworld' })
    const status = (await get(url)).json()
    assert.is(status.state, 'ready')
    assert.is(
      status.sha256,
      '936a185caaa266bb9cbe981e9e05cb78cd732b0b3280eb944412bb6f8f8f07af',
    )
    assert.is((await get(String(status.url))).text, 'helloworld')
  })

  test(`a finished private upload links to its file for its owner only (${door})`, async () => {
    const mine = await created(server.doors[door], {
      route: 'mine',
      bytes: 'helloworld',
      headers: ann,
    })
    const { url } = (await get(mine, ann)).json()
    assert.match(String(url), /signature=/)
    assert.is((await get(String(url))).text, 'helloworld')
    expectAnswer(await get(mine), { status: 404, code: 'UPLOAD_NOT_FOUND' })
    const bob = await get(mine, { Authorization: 'Bearer bob' })
    expectAnswer(bob, { status: 404, code: 'UPLOAD_NOT_FOUND' })
  })

  test(`the id of a private upload of nobody is not turned into a link (${door})`, async () => {
    const url = await created(server.doors[door], {
      route: 'private',
      bytes: 'helloworld',
    })
    const status = (await get(url)).json()
    assert.is(status.state, 'ready')
    assert.is(status.url, null)
  })

  test(`wait holds the answer until the callback ran, and tells what it returned (${door})`, async () => {
    const url = await created(server.doors[door], { route: 'slow', bytes: 'helloworld' })
    assert.is((await get(url)).json().state, 'stored')
    const status = (await get(`${url}?wait=10`)).json()
    assert.is(status.state, 'ready')
    const { id } = status
    assert.equal(status.serverData, { length: 10, url: `/files/${id}` })
  })

  test(`wait ends with the time asked for (${door})`, async () => {
    const url = await created(server.doors[door])
    const started = Date.now()
    const status = (await get(`${url}?wait=1`)).json()
    const took = Date.now() - started
    assert.is(status.state, 'created')
    assert.ok(took >= 950 && took < 3_000, `${took} ms`)
  })

  test(`what the callback refuses is told, and is gone (${door})`, async () => {
    const url = await created(server.doors[door], {
      route: 'refusing',
      bytes: 'helloworld',
    })
    const status = (await get(`${url}?wait=10`)).json()
    assert.is(status.state, 'rejected')
    assert.equal(status.failure, { code: 'UPLOAD_REJECTED', message: 'Not this one.' })
    assert.is(status.url, null)
    const head = await server.doors[door]({ method: 'HEAD', path: url })
    assert.is(head.status, 410)
    const more = await patch(server.doors[door], url, { offset: 10, body: '' })
    expectAnswer(more, { status: 410, code: 'UPLOAD_GONE' })
    assert.is((await get(`/files/${status.id}`)).status, 404)
  })

  for (const wish of ['x', '-1', '1.5', '99999', '1e3', ' 1']) {
    test(`wait=${wish} is refused (${door})`, async () => {
      const url = await created(server.doors[door])
      const answer = await get(`${url}?wait=${encodeURIComponent(wish)}`)
      expectAnswer(answer, { status: 400, code: 'BAD_REQUEST' })
    })
  }

  for (const [what, path] of [
    ['an unknown upload', '/uploads/demo/AAAAAAAAAAAAAAAAAAAAAAAA'],
    ['what is no id', '/uploads/demo/..%2f..%2fetc%2fpasswd'],
  ] as const) {
    test(`${what} is 404 (${door})`, async () => {
      expectAnswer(await get(path), { status: 404, code: 'UPLOAD_NOT_FOUND' })
    })
  }

  test(`an unknown route is 404 (${door})`, async () => {
    const answer = await get('/uploads/nothing/AAAAAAAAAAAAAAAAAAAAAAAA')
    expectAnswer(answer, { status: 404, code: 'ROUTE_NOT_FOUND' })
  })

  test(`GET of the creation URL is not allowed (${door})`, async () => {
    expectAnswer(await get('/uploads/demo'), { status: 405, code: 'METHOD_NOT_ALLOWED' })
  })
}

test.run()
