#!/usr/bin/env node
import { main, verbOf } from '../src/cli/main.ts'
import { growHeap } from '../src/cli/server/heap.ts'
import { environment } from '../src/config.ts'

const args = process.argv.slice(2)
if (verbOf(args)?.longRunning) growHeap(args)

process.exitCode = await main(args, {
  stdout: process.stdout,
  stderr: process.stderr,
  env: environment(),
  cwd: process.cwd(),
})
