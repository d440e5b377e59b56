import { join } from 'node:path'
import { isKey } from '../../src/shared/keys.ts'

/** Where files lie until they are whole. No key has a `~`, so it is nobody's. */
export const asideName = '~aside'

/** Most bytes of one name that usual file systems take. */
const maxSegment = 255

/**
 * `<root>/<first character of key>/<key>`; a slash in the key is a directory.
 *
 * @throws {TypeError} for anything that would be a path chosen by somebody, such as `../x`
 */
export function pathOf(root: string, key: string): string {
  if (isFileKey(key)) return join(root, shardOf(key), key)
  throw new TypeError(`file store: ${JSON.stringify(key)} is not a key it can keep`)
}

/** A key whose segments are names a file can have. */
export function isFileKey(key: string): boolean {
  return isKey(key) && key.split('/').every(({ length }) => length <= maxSegment)
}

/** A directory may not be called `.`. */
export function shardOf(key: string): string {
  return key.startsWith('.') ? '_' : key.slice(0, 1)
}
