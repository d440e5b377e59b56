/** `carcosa usage`, `carcosa quota` and `carcosa files` for single files, beside a server that runs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { directory } from '../support/command.ts'
import { mainIn } from '../support/main.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

const test = suite('carcosa usage, quota and files')
const root = join(import.meta.dirname, '../..')
let database: TestDatabase
let server: TestServer
let cwd: string

test.before(async () => {
  database = await postgres()
  cwd = directory()
  server = await startServer({ database: database.url, deleteGrace: '1d' })
  const source = `
    import { createRouter, defineConfig, route } from '${root}/src/index.ts'
    export default defineConfig({
      router: createRouter({ mine: route(['blob']) }),
      database: '${database.url}',
      deleteGrace: '1d',
    })`
  writeFileSync(join(cwd, 'carcosa.config.ts'), source)
})
test.after(async () => {
  await server.close()
  await database.drop()
})

const carcosa = (...args: string[]) => mainIn(cwd, args)

async function works(...args: string[]): Promise<string> {
  const { code, out, err } = await carcosa(...args)
  assert.is(code, 0, err)
  return out
}

function stored(text: string, filename: string) {
  return server.carcosa.api.files.upload(text, { route: 'mine', filename })
}

test('a quota is set, shown and lifted', async () => {
  assert.is(await works('quota', 'show'), 'Nothing is limited.\n')
  const limits = 'bytes=1GB,files=100,perOwner.files=10'
  assert.match(await works('quota', 'set', limits), /bytes +0 B +1 GB +any\n/)
  assert.match(await works('quota', 'show'), /files +0 +100 +10\n/)
  await stored('cassilda', 'song.txt')
  assert.match(await works('quota', 'show'), /bytes +8 B +1 GB/)
  const shown = JSON.parse(await works('quota', 'show', '--json'))
  assert.is(shown.bytes, 1024 ** 3)
  assert.is(await works('quota', 'set', 'off'), 'Nothing is limited.\n')
})

test('usage is shown by day and by route', async () => {
  await stored('camilla', 'mask.txt')
  assert.match(await works('usage'), /^default stores \d+ files?, \d+ B\.\n\nDAY +STORED/)
  assert.match(await works('usage', '--by', 'route'), /ROUTE .*\nmine +\d+ +\d+ B +0/)
  assert.match(
    await works('usage', '--from', '2001-01-01', '--to', '2001-01-02'),
    'Nothing',
  )
  assert.is(JSON.parse(await works('usage', '--json')).projectId, 'default')
})

test('a file is listed, looked at, tagged, linked, deleted and restored', async () => {
  const { id } = await stored('the yellow sign', 'sign.txt')
  await works('files', 'tag', id, '--add', 'yellow, old')
  assert.match(await works('files', 'tag', id, '--remove', 'old'), /tags +yellow\n/)
  assert.match(await works('files', 'list', '--tag', 'yellow'), `${id}  ready`)
  assert.match(await works('files', 'get', id), /filename +sign\.txt\n/)
  assert.is(JSON.parse(await works('files', 'get', id, '--json')).id, id)

  const first = await carcosa('files', 'list', '--limit', '1')
  assert.match(first.err, '--cursor ')
  assert.is(first.out.split('\n').length, 3)

  assert.match(
    await works('files', 'sign', id, '--for', '5m'),
    new RegExp(`/files/${id}\\?`),
  )
  assert.match(await works('files', 'delete', id), `${id} is deleted.`)
  assert.is(await works('files', 'list', '--tag', 'yellow'), 'Nothing.\n')
  assert.match(await works('files', 'list', '--states', 'removed'), id)
  assert.match(await works('files', 'restore', id), /state +ready\n/)
  const two = await carcosa('files', 'delete', id, 'none')
  assert.is(two.code, 1)
  assert.match(two.err, 'none: There is no such file.')
})

const wrong: [args: string[], code: number, says: string][] = [
  [['quota'], 2, 'There are: show, set'],
  [['quota', 'sett'], 2, 'Did you mean'],
  [['quota', 'set'], 2, 'bytes=100GB'],
  [['quota', 'set', 'much'], 2, 'no quota'],
  [['quota', 'set', 'bytes=much'], 2, 'Invalid size'],
  [['quota', 'show', '--project', 'none'], 1, 'no project'],
  [['usage', '--by', 'moon'], 1, 'by'],
  [['usage', '--from', 'once'], 1, 'from'],
  [['usage', '--project', 'none'], 1, 'no project'],
  [['files', 'get'], 2, 'The id of the file'],
  [['files', 'get', 'none'], 1, 'no file'],
  [['files', 'sign', 'none'], 1, 'no readable file'],
  [['files', 'tag', 'none'], 2, '--add'],
  [['files', 'restore', 'none'], 1, 'FILE_NOT_FOUND'],
  [['files', 'list', '--states', 'gone'], 1, 'gone'],
  [['files', 'list', '--limit', 'all'], 2, '--limit'],
]
for (const [args, code, says] of wrong) {
  test(`carcosa ${args.join(' ')} exits with ${code} and says why`, async () => {
    const ended = await carcosa(...args)
    assert.is(ended.code, code, ended.err)
    assert.match(ended.err, says)
    assert.is(ended.out, '')
  })
}

test.run()
