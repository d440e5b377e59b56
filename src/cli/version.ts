import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readArgs, type Verb } from './verb.ts'

/** `carcosa version`: which Carcosa, which Node. */
export const verb: Verb = {
  name: 'version',
  summary: 'print the version of Carcosa and of Node',
  usage: 'carcosa version',
  async run(args, io) {
    readArgs(args, {})
    io.stdout.write(`carcosa ${packageVersion()} (node ${process.versions.node})\n`)
    return 0
  },
}

/** The version in the package.json above this file; how far above depends on the build. */
export function packageVersion(start = import.meta.dirname): string {
  const path = join(start, 'package.json')
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')).version
  if (dirname(start) === start) throw new TypeError('carcosa lies outside any package')
  return packageVersion(dirname(start))
}
