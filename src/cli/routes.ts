import type { Config } from '../config.ts'
import { formatSize } from '../shared/sizes.ts'
import { loadSettings } from './server/settings.ts'
import type { Verb } from './verb.ts'

/** `carcosa routes`: what may be uploaded, as the server would judge it. */
export const verb: Verb = {
  name: 'routes',
  summary: 'print the routes and what they take',
  usage: `carcosa routes [--config <file>]

Prints the routes of the configuration (or of the demo), each with its types and limits.`,
  async run(args, io) {
    const { config, file } = await loadSettings(args, io)
    io.stdout.write(`Routes of ${file ?? 'the built-in demo'}\n`)
    for (const route of Object.values(config.router.routes)) {
      io.stdout.write(describe(route, config.basePath))
    }
    return 0
  },
}

type NamedRoute = Config['router']['routes'][string]

function describe(route: NamedRoute, basePath: string): string {
  const who = route.isPublic ? 'anyone' : 'needs a credential'
  const rules = Object.entries(route.types).map(([type, rule]) => {
    const files = rule.maxFileCount === 1 ? '1 file' : `${rule.maxFileCount} files`
    return `    ${type.padEnd(12)} up to ${files} of ${formatSize(rule.maxFileSize)}, ${rule.acl}\n`
  })
  return `  ${route.name}  ${basePath}/uploads/${route.name}  ${who}\n${rules.join('')}`
}
