import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Answer, readAnswer } from './answer.ts'

/**
 * One keep-alive connection over a raw socket, one request at a time. An HTTP client of its
 * own because Node's costs more CPU per request than some servers measured with it.
 */
export class Connection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #answer = Promise.withResolvers<Answer>()
  #drained = Promise.withResolvers<void>()
  #toHead = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('drain', () => this.#drained.resolve())
    socket.on('error', (error) => this.#answer.reject(error))
    socket.on('close', () => this.#answer.reject(new Error('The server hung up')))
    // Hanging up between two requests is nobody's loss; the next request finds out.
    this.#answer.promise.catch(() => {})
  }

  /** Connects to `port` on 127.0.0.1. */
  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  /**
   * Sends `head` (a short request may be all of it) and then `body`. Resolves with the
   * answer, also one that comes before the body ends; rejects if the connection breaks.
   */
  async request(head: Buffer, body?: Iterable<Buffer>): Promise<Answer> {
    if (this.#socket.destroyed) throw new Error('The server hung up')
    this.#answer = Promise.withResolvers()
    // Only HEAD starts with an H.
    this.#toHead = head[0] === 0x48
    this.#socket.write(head)
    if (body) await this.#send(body)
    return this.#answer.promise
  }

  close(): void {
    this.#socket.destroy()
  }

  async #send(body: Iterable<Buffer>): Promise<void> {
    let answered = false
    const answer = this.#answer.promise.then(() => {
      answered = true
    })
    for (const piece of body) {
      if (answered) return
      this.#drained = Promise.withResolvers()
      if (this.#socket.write(piece)) continue
      await Promise.race([this.#drained.promise, answer])
    }
  }

  #take(chunk: Buffer): void {
    this.#received =
      this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const answer = readAnswer(this.#received, this.#toHead)
    if (!answer) return
    this.#received = Buffer.alloc(0)
    this.#answer.resolve(answer)
  }
}
