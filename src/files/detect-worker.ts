import { parentPort } from 'node:worker_threads'
import { fileTypeFromBuffer } from 'file-type'

/** Runs beside the server because a hostile file may make a parser loop for ever. */
parentPort?.postMessage('ready')
parentPort?.on('message', async ({ id, head }: { id: number; head: Uint8Array }) => {
  const type = await fileTypeFromBuffer(head).catch(() => undefined)
  parentPort?.postMessage({ id, mime: type?.mime ?? null })
})
