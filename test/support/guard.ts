/**
 * Runs a program for `startProgram`: `node guard.ts <directory> <program> [arguments…]`.
 * When the program ends, or standard input closes, no program and no directory are left. A
 * process of its own because the closing pipe reaches it even if its parent was killed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'

const [directory = '', path = '', ...args] = process.argv.slice(2)
const program = spawn(path, args, { stdio: ['ignore', 'inherit', 'inherit'] })
process.stdin.resume().once('close', () => program.kill('SIGKILL'))
try {
  const [code] = await once(program, 'close')
  process.exitCode = code ?? 1
} finally {
  await rm(directory, { recursive: true, force: true })
  process.stdin.destroy()
}
