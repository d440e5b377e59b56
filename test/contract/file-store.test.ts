import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { file } from '../../stores/file.ts'
import type { NewObject } from '../../stores/store.ts'
import { testStore } from '../../stores/testing.ts'

const base = mkdtempSync(join(tmpdir(), 'carcosa-contract-file-'))
process.on('exit', () => rmSync(base, { recursive: true, force: true }))
let places = 0

const safely = ({ id, filename }: NewObject) =>
  `by-name/${id}/${(filename ?? '').replace(/[^\w.]/g, '_').slice(0, 200)}.bin`

for (const [name, options] of [
  ['on disk', { durability: 'disk' }],
  ['with keys of its own', { key: safely }],
] as const) {
  const test = suite(`the contract of a store: file, ${name}`)
  testStore({
    test,
    create() {
      const directory = join(base, String(places++))
      const store = file({ directory, ...options })
      return { store, reopen: () => file({ directory, ...options }) }
    },
  })
  test.run()
}
