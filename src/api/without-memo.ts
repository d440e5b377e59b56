import type { FileRecord } from '../files/record.ts'

/** A memo may let whoever has it write to the object: it is not for programs to pass on. */
export function withoutMemo(file: FileRecord): FileRecord {
  return file.storeMemo === null ? file : { ...file, storeMemo: null }
}
