import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { file } from '../../stores/file.ts'
import { memory } from '../../stores/memory.ts'
import { type StoreTests, testStore } from '../../stores/testing.ts'
import { partService, partStore } from '../support/part-store.ts'

const base = mkdtempSync(join(tmpdir(), 'carcosa-contract-'))
process.on('exit', () => rmSync(base, { recursive: true, force: true }))
let places = 0

contract('file', {
  create() {
    const directory = join(base, String(places++))
    return { store: file({ directory }), reopen: () => file({ directory }) }
  },
  options: { refusesOccupied: true },
})

contract('memory', {
  create: () => memory(),
  options: { capabilities: ['offset', 'list', 'copy'], refusesOccupied: true },
})

const partSize = 100_000
for (const equal of [false, true]) {
  contract(equal ? 'equal parts' : 'parts', {
    create() {
      const service = partService()
      const open = () => partStore(service, { partSize, equal })
      return { store: open(), reopen: open }
    },
    options: { partSize, capabilities: ['list', 'listUnfinished'] },
  })
}

function contract(name: string, given: Omit<StoreTests, 'test'>): void {
  const tests = suite(`the contract of a store: ${name}`)
  testStore({ ...given, test: tests })
  tests.run()
}
