/**
 * Subscribers as a process of their own: `node watchers.ts '<JSON of WatchersOptions>'`. Prints
 * `open` when all are, and for each line on standard input how much they were told since.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

export interface WatchersOptions {
  port: number
  /** How many subscribers there are; they take the paths in turn. */
  count: number
  paths: readonly string[]
}

// The one argument was written by bench/support/watchers.ts, which types it.
const { port, count, paths } = JSON.parse(process.argv[2] ?? '') as WatchersOptions
let bytes = 0
let closed = 0

for (let i = 0; i < count; i += 100) {
  const some = Array.from({ length: Math.min(100, count - i) }, (_, n) => open(i + n))
  await Promise.all(some)
}
console.log('open')
for await (const _ of createInterface(process.stdin)) {
  console.log(JSON.stringify({ bytes, closed }))
  bytes = 0
}
process.exit()

function open(index: number): Promise<void> {
  const path = paths[index % paths.length]
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
    )
    socket.once('data', (head) => {
      if (head.includes('HTTP/1.1 200')) resolve()
      else reject(new Error(String(head)))
    })
    socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    socket.on('error', reject)
    socket.on('close', () => closed++)
  })
}
