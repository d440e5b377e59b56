import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { localNginxConf, nginxArgs, nginxConf } from '../../examples/deploy/nginx.ts'
import { type RunningProgram, startProgram } from './program.ts'
import { locate } from './requirements.ts'

/** Directives that change the documented configuration, by the block they belong to. */
export interface Directives {
  http?: string
  server?: string
  location?: string
}

/**
 * The nginx of examples/deploy in front of servers of this machine, changed as told: a
 * directive that is there already is replaced, others are added, and `-name;` takes it out.
 */
export function startNginx(
  nodes: readonly string[],
  directives: Directives = {},
): Promise<RunningProgram> {
  const changed = change(nginxConf(), directives)
  return startProgram({
    path: locate('nginx'),
    args({ port, directory }) {
      const path = join(directory, 'nginx.conf')
      writeFileSync(path, localNginxConf({ port, nodes, directory }, changed))
      return nginxArgs(path, directory)
    },
    // Answered by nginx, whatever is behind it.
    ready: (endpoint) => fetch(endpoint, { redirect: 'manual' }),
  })
}

/** `host:port` of a server that listens on 127.0.0.1. */
export function nodeAt(port: number): string {
  return `127.0.0.1:${port}`
}

const blocks = { http: '\nhttp {', server: '\n  server {', location: '    location / {' }

function change(conf: string, directives: Directives): string {
  let changed = conf
  for (const [block, opening] of Object.entries(blocks)) {
    const text = directives[block as keyof Directives] ?? ''
    for (const directive of text.match(/[^;{}]+(;|{[^}]*})/g) ?? []) {
      changed = put(changed, opening, directive.trim())
    }
  }
  return changed
}

/** Some directives stand for one thing each, others for one of many. */
function put(conf: string, opening: string, directive: string): string {
  const [, name = ''] = /^-?(\w+)/.exec(directive) ?? []
  const isOneOfMany = /^(proxy_set_header|proxy_hide_header|add_header|if)$/.test(name)
  const key = isOneOfMany ? directive.split(/\s+/).slice(0, 2).join(' ') : name
  const line = new RegExp(`^ *${key.replace(/[$()]/g, '\\$&')}\\b.*;$`, 'm')
  if (directive.startsWith('-')) {
    if (!line.test(conf)) throw new TypeError(`nginx.conf has no ${name}`)
    return conf.replace(line, '')
  }
  if (line.test(conf)) return conf.replace(line, directive)
  return conf.replace(opening, `${opening}\n${directive}`)
}
