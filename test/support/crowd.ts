/**
 * `node crowd.ts <port> <path> <count>`: so many subscribers. Prints `open` when all are, and
 * `told` when each has heard of `file.ready`.
 */
import { connect } from 'node:net'

const [port = '', path = '', count = ''] = process.argv.slice(2)
let told = 0

for (let begun = 0; begun < Number(count); begun += 50) {
  const some = Math.min(50, Number(count) - begun)
  await Promise.all(Array.from({ length: some }, subscribe))
}
console.log('open')

function subscribe(): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`)
    socket.setEncoding('latin1')
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      const before = text.includes('file.ready')
      text += chunk
      if (text.startsWith('HTTP/1.1 200')) resolve()
      else reject(new Error(text))
      if (before || !text.includes('file.ready')) return
      if (++told === Number(count)) console.log('told')
    })
  })
}
