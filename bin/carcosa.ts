#!/usr/bin/env node
import { main, verbOf } from '../src/cli/main.ts'
import { growHeap } from '../src/cli/server/heap.ts'
import { environment } from '../src/config.ts'

const args = process.argv.slice(2)
const { longRunning = false } = verbOf(args) ?? {}
if (longRunning) growHeap(args)

process.exitCode = await main(args, {
  stdout: process.stdout,
  stderr: process.stderr,
  env: environment(),
  cwd: process.cwd(),
})
// What a callback of a route still does must not keep alive what has stopped.
if (longRunning) {
  process.stdout.write('', () => process.stderr.write('', () => process.exit()))
}
