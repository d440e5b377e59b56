import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { file } from '../../stores/file.ts'
import { memoryStore } from '../support/memory-store.ts'
import { testStore } from './store.ts'

const base = mkdtempSync(join(tmpdir(), 'carcosa-contract-'))
process.on('exit', () => rmSync(base, { recursive: true, force: true }))
let stores = 0

testStore('file', () => file({ directory: join(base, String(stores++)) }))
testStore('memory', () => memoryStore())
