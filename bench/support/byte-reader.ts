import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { isContent } from './content.ts'

/** What an answer has to be. */
export interface Expected {
  status: number
  /** Where in the content its body begins. */
  from: number
  length: number
}

/** How long an answer took, from the moment it was asked for. */
export interface Timing {
  /** Until the first byte of the body. */
  firstByteMs: number
  /** Until the last. */
  seconds: number
}

/**
 * One keep-alive connection that asks for bytes, one request at a time. It compares them
 * as they come and keeps none, so that it stays far below the server's CPU.
 */
export class ByteReader {
  readonly #socket: Socket
  #take: (chunk: Buffer) => void = () => {}
  #answer = Promise.withResolvers<Timing>()

  private constructor(port: number) {
    const buffer = Buffer.allocUnsafeSlow(256 * 1024)
    const callback = (length: number) => {
      this.#take(buffer.subarray(0, length))
      return true
    }
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer, callback },
    })
    this.#socket.on('error', (error) => this.#answer.reject(error))
    this.#socket.on('close', () => this.#answer.reject(new Error('The server hung up')))
    // Hanging up between two requests is nobody's loss; the next request finds out.
    this.#answer.promise.catch(() => {})
  }

  /** Connects to `port` on 127.0.0.1. */
  static async open(port: number): Promise<ByteReader> {
    const reader = new ByteReader(port)
    await once(reader.#socket, 'connect')
    return reader
  }

  /** Sends `request` and reads its answer; rejects unless that is what was `expected`. */
  read(request: Buffer, expected: Expected): Promise<Timing> {
    if (this.#socket.destroyed) throw new Error('The server hung up')
    this.#answer = Promise.withResolvers()
    const { resolve, reject } = this.#answer
    const began = performance.now()
    let firstByteMs = Number.NaN
    let received = 0
    let head = ''

    const takeBody = (chunk: Buffer) => {
      if (chunk.length === 0) return
      if (received === 0) firstByteMs = performance.now() - began
      if (!isContent(chunk, expected.from + received))
        reject(new Error(`Wrong bytes after ${expected.from + received}`))
      received += chunk.length
      if (received < expected.length) return
      resolve({ firstByteMs, seconds: (performance.now() - began) / 1000 })
    }
    this.#take = (chunk) => {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      const wrong = mismatch(head.slice(0, end), expected)
      if (wrong) reject(new Error(wrong))
      this.#take = takeBody
      takeBody(chunk.subarray(chunk.length - (head.length - end - 4)))
    }
    this.#socket.write(request)
    return this.#answer.promise
  }

  close(): void {
    this.#socket.destroy()
  }
}

function mismatch(head: string, { status, length }: Expected): string | null {
  const said = Number(/^content-length: *(\d+)/im.exec(head)?.[1])
  if (Number(head.slice(9, 12)) === status && said === length) return null
  return `Expected ${status} with ${length} bytes, got: ${head}`
}
