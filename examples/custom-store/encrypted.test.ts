/** The tests that every store must pass: `node --test examples/custom-store/encrypted.test.ts` */
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { memory } from 'carcosa/stores/memory'
import { testStore } from 'carcosa/testing'
import { encrypted } from './encrypted.ts'

testStore({ test, create: () => encrypted(memory(), randomBytes(32)) })
