/** Nothing but can() asks who somebody is. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = join(import.meta.dirname, '../../..')

/** Comparing owners, or looking at kind, role or scopes of a principal. */
const asking = [
  /ownerId\s*[!=]==(?!\s*(null|undefined))/,
  /[!=]==?\s*\w+\.ownerId/,
  /principal\??\.\s*(kind|role|scopes)\b/,
]

/** What may, and why. */
const excused: Record<string, string> = {
  'src/auth/event-permission.ts': 'the default of an option that programs replace',
}

const test = suite('who somebody is')

test('is asked in src/auth alone', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).filter(
    (file) => !/^src\/(auth|db\/generated)\//.test(file),
  )
  assert.ok(files.length > 100)
  const found = files.filter((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    return asking.some((pattern) => pattern.test(text))
  })
  assert.equal(found, [])
})

test('is asked in src/auth by permissions.ts, and by what is excused', () => {
  const files = globSync('src/auth/*.ts', { cwd: root })
  const found = files.filter((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    return (
      asking.some((pattern) => pattern.test(text)) || / kind === 'service'/.test(text)
    )
  })
  assert.equal(found.sort(), ['src/auth/permissions.ts', ...Object.keys(excused)].sort())
})

test.run()
