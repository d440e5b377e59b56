import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where nginx is to listen, what is behind it, and where it may write. */
export interface NginxPlace {
  port: number
  /** `host:port` of each node. */
  nodes: readonly string[]
  /** An empty directory. */
  directory: string
}

/** The configuration beside this file, as it stands. */
export function nginxConf(): string {
  return readFileSync(join(import.meta.dirname, 'nginx.conf'), 'utf8')
}

/**
 * The same for this machine: listens on 127.0.0.1, leads to the given nodes, writes into the
 * given directory, and needs no rights. Nothing else is changed.
 */
export function localNginxConf(
  { port, nodes, directory }: NginxPlace,
  conf = nginxConf(),
): string {
  const [, options = ''] = /server node-1:8080(.*);/.exec(conf) ?? []
  const servers = nodes.map((node) => `server ${node}${options};`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${join(directory, name)};`,
  )
  return conf
    .replace('listen 8080;', `listen 127.0.0.1:${port};`)
    .replace(
      /( +)server node-1:8080.*\n.*server node-2:8080.*/,
      `$1${servers.join('\n$1')}`,
    )
    .replace('http {', ['http {', '  access_log off;', ...temporary].join('\n'))
}

/** What makes nginx run `conf` in the foreground, as one process that any signal ends. */
export function nginxArgs(conf: string, directory: string): string[] {
  const globals = `daemon off; master_process off; pid ${join(directory, 'nginx.pid')};`
  return ['-p', directory, '-e', 'stderr', '-c', conf, '-g', globals]
}
