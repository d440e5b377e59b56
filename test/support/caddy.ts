import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningProgram, startProgram } from './program.ts'
import { locate } from './requirements.ts'

const caddyfile = join(import.meta.dirname, '../../examples/deploy/Caddyfile')

/**
 * Caddy with the Caddyfile of examples/deploy in front of servers of this machine (`host:port`),
 * without TLS and without its admin port; `change` makes it another one.
 */
export function startCaddy(
  nodes: readonly string[],
  change: (text: string) => string = (text) => text,
): Promise<RunningProgram> {
  const text = change(readFileSync(caddyfile, 'utf8'))
    .replace('node-1:8080 node-2:8080', nodes.join(' '))
    .replace('{\n\tservers', '{\n\tadmin off\n\tauto_https off\n\tservers')
  return startProgram({
    path: locate('caddy'),
    args({ port, directory }) {
      const path = join(directory, 'Caddyfile')
      writeFileSync(
        path,
        text.replace(/{\$CARCOSA_DOMAIN:.*?}/, `http://127.0.0.1:${port}`),
      )
      return ['run', '--adapter', 'caddyfile', '--config', path]
    },
    ready: (endpoint) => fetch(endpoint),
  })
}
