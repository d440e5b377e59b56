/** `node frozen-subscriber.ts <port> <path>`: subscribes, prints `open`, and reads on. */
import { connect } from 'node:net'

const [port = '', path = ''] = process.argv.slice(2)
const socket = connect(Number(port), '127.0.0.1', () =>
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer service\r\n\r\n`,
  ),
)
socket.once('data', () => console.log('open'))
socket.on('data', () => undefined)
socket.on('close', () => console.log('closed'))
