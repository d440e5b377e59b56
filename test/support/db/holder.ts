/** Opens the embedded database in argv[2], prints `open` or the error, and waits. */
import { openDatabase } from '../../../src/db/open.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'

try {
  const database = await openDatabase(process.argv[2] ?? '')
  console.log('open')
  process.stdin.resume().once('end', () => void database.close())
} catch (error) {
  if (!(error instanceof CarcosaError)) throw error
  console.log(`${error.code} ${error.message}`)
}
