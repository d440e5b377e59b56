import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** A load balancer in front of nodes that come and go: one after the other, whoever is ready. */
export interface Balancer {
  readonly url: string
  /** `METHOD status` of every answer it passed on, and how often. */
  readonly answers: ReadonlyMap<string, number>
  /** Connections to nodes that broke under a request. */
  readonly broken: number
  add(url: string): Node
  close(): Promise<void>
}

export interface Node {
  readonly url: string
  /** Whether requests go to it, as its `/readyz` and its connections say. */
  readonly inRotation: boolean
  remove(): void
}

export interface BalancerOptions {
  /** Most bytes a second of one request, so that uploads are under way for a while. */
  bytesPerSecond: number
}

/** How often nodes are asked, in ms. */
const checkMs = 100
/** What nodes are sent at once, in bytes. */
const gulp = 16_384

interface Member extends Node {
  inRotation: boolean
}

export async function startBalancer({
  bytesPerSecond,
}: BalancerOptions): Promise<Balancer> {
  const members = new Set<Member>()
  const answers = new Map<string, number>()
  const agent = new Agent({ keepAlive: true })
  const count = (what: string) => answers.set(what, (answers.get(what) ?? 0) + 1)
  let broken = 0
  let next = 0
  let closed = false

  const choose = (): Member | undefined => {
    const ready = [...members].filter(({ inRotation }) => inRotation)
    return ready[next++ % Math.max(ready.length, 1)]
  }

  /** Tries one node after the other until one accepts the connection. */
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const member = choose()
    if (!member) {
      count(`${incoming.method} nobody`)
      outgoing.writeHead(503, { 'Retry-After': '1' }).end()
      return
    }
    const asked = request(member.url + (incoming.url ?? ''), {
      agent,
      method: incoming.method,
      headers: incoming.headers,
    })
    let begun = false
    asked.on('socket', (socket) => {
      const begin = () => {
        begun = true
        incoming.pipe(throttled(bytesPerSecond)).pipe(asked)
      }
      if (socket.connecting) socket.once('connect', begin)
      else begin()
    })
    asked.on('error', () => {
      if (outgoing.headersSent) return
      if (!begun) {
        member.inRotation = false
        forward(incoming, outgoing)
        return
      }
      broken++
      incoming.socket.destroy()
    })
    asked.on('response', (answer) => {
      count(`${incoming.method} ${answer.statusCode}`)
      const { connection, 'keep-alive': _, ...headers } = answer.headers
      outgoing.writeHead(answer.statusCode ?? 502, headers)
      answer.pipe(outgoing)
      // An answer that came before its request was over: the rest is thrown away.
      answer.on('end', () => {
        incoming.unpipe()
        incoming.resume()
      })
    })
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) asked.destroy()
    })
  }

  const server = createServer({ requestTimeout: 0 }, forward)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server that listens has one.
  const { port } = server.address() as AddressInfo

  const checking = (async () => {
    for (; !closed; await sleep(checkMs)) {
      for (const member of members) member.inRotation = await isReady(member.url)
    }
  })()

  return {
    url: `http://127.0.0.1:${port}`,
    answers,
    get broken() {
      return broken
    },
    add(url) {
      const member: Member = {
        url,
        inRotation: false,
        remove: () => members.delete(member),
      }
      members.add(member)
      return member
    },
    async close() {
      closed = true
      await checking
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false
  }
}

function throttled(bytesPerSecond: number): Transform {
  return new Transform({
    highWaterMark: gulp,
    async transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += gulp) {
        const piece = chunk.subarray(at, at + gulp)
        await sleep((piece.length / bytesPerSecond) * 1_000)
        if (this.destroyed) return
        this.push(piece)
      }
      done()
    },
  })
}
