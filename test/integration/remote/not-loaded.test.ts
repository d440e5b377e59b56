import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('what a program elsewhere loads')
const run = promisify(execFile)
const root = new URL('../../../', import.meta.url)

const program = `
import { registerHooks } from 'node:module'
const urls = []
registerHooks({
  load(url, context, next) {
    urls.push(url)
    return next(url, context)
  },
})
const { createRemoteApi } = await import('carcosa/remote')
const network = async () => Response.json({ id: 'x', projectId: 'default' })
const api = createRemoteApi({ url: 'http://localhost', apiKey: 'k', fetch: network })
await api.me.get()
console.log(JSON.stringify(urls))
`

test('nothing but its own files and those that run anywhere: no package, nothing of Node', async () => {
  const args = ['--input-type=module', '--eval', program]
  const { stdout } = await run(process.execPath, args, { cwd: fileURLToPath(root) })
  const urls: string[] = JSON.parse(stdout)
  assert.ok(urls.some((url) => url.endsWith('/src/remote/remote.ts')))
  const own = [new URL('src/remote/', root).href, new URL('src/shared/', root).href]
  const others = urls.filter((url) => !own.some((folder) => url.startsWith(folder)))
  assert.equal(others, [])
})

test.run()
