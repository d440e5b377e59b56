import { createClient } from '@redis/client'
import { type RunningProgram, startProgram } from './program.ts'
import { locate } from './requirements.ts'

export interface RedisServer extends Pick<RunningProgram, 'stop'> {
  /** `redis://127.0.0.1:…` */
  url: string
  /** Runs one command as its administrator, e.g. `['CLIENT', 'KILL', 'TYPE', 'pubsub']`. */
  command(...words: string[]): Promise<unknown>
}

/** A Redis that is empty and keeps nothing. Needs the part `redis-server`. */
export async function redisServer(): Promise<RedisServer> {
  const { endpoint, stop } = await startProgram({
    path: locate('redis-server'),
    args: ({ port, directory }) => [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
      ...['--save', '', '--appendonly', 'no'],
    ],
    ready: (endpoint) => ask(endpoint, ['PING']),
  })
  return {
    url: redisUrl(endpoint),
    stop,
    command: (...words) => ask(endpoint, words),
  }
}

async function ask(endpoint: string, words: string[]): Promise<unknown> {
  const client = createClient({
    url: redisUrl(endpoint),
    socket: { reconnectStrategy: false },
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await client.sendCommand(words)
  } finally {
    client.destroy()
  }
}

function redisUrl(endpoint: string): string {
  return endpoint.replace('http:', 'redis:')
}
