import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { main } from '../../../src/cli/main.ts'

const root = join(import.meta.dirname, '../../..')
const directory = mkdtempSync(join(tmpdir(), 'carcosa-routes-'))

async function routes(cwd: string, ...args: string[]): Promise<string> {
  let out = ''
  const stdout = { write: (text: string) => (out += text) }
  assert.is(
    await main(['routes', ...args], { stdout, stderr: stdout, env: {}, cwd }),
    0,
    out,
  )
  return out
}

const test = suite('carcosa routes')

test('prints the demo where there is no configuration', async () => {
  const out = await routes(directory)
  assert.match(out, 'built-in demo')
  assert.match(out, /demo {2}\/uploads\/demo {2}anyone/)
})

test('prints each route with its path, who may use it, types and limits', async () => {
  writeFileSync(
    join(directory, 'mine.ts'),
    `import { route } from '${root}/src/routes/route.ts'
     import { createRouter } from '${root}/src/routes/router.ts'
     export default {
       basePath: '/media',
       router: createRouter({ avatar: route({
         image: { maxFileSize: '4MB', maxFileCount: 1 },
         'application/pdf': { maxFileSize: '16MB', maxFileCount: 3, acl: 'public-read' },
       }) }),
     }`,
  )
  const out = await routes(directory, '--config', 'mine.ts')
  assert.match(out, /avatar {2}\/media\/uploads\/avatar {2}needs a credential/)
  assert.match(out, /image +up to 1 file of 4 ?MB, private/)
  assert.match(out, /application\/pdf +up to 3 files of 16 ?MB, public-read/)
})

test.after(() => rmSync(directory, { recursive: true }))
test.run()
