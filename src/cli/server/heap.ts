const flag = '--initial-old-space-size'

/**
 * Starts this process again with a larger initial heap, in place: same process id, same
 * streams, so that signals and exit codes need no care. Returns if that is already so or
 * cannot be done here: on Windows, where Node may not start processes, and under a parent
 * that talks to this process over a channel, which would break.
 *
 * With V8's small initial heap every few MiB of an upload trigger a collection of all of it,
 * which costs up to a factor of five after an idle minute. NODE_OPTIONS may not carry the
 * flag, V8 ignores it once it runs, and `#!/usr/bin/env -S node --flag` fails on Alpine.
 */
export function growHeap(args: readonly string[]): void {
  if (hasLargeHeap() || process.connected || !process.execve) return
  if (process.permission?.has('child') === false) return
  const [script = ''] = process.argv.slice(1)
  const nodeArgs = [`${flag}=256`, ...process.execArgv, script, ...args]
  process.execve(process.execPath, [process.execPath, ...nodeArgs])
}

/** Whether this process was started with the flag. */
export function hasLargeHeap(): boolean {
  return process.execArgv.some((arg) => arg.replaceAll('_', '-').startsWith(flag))
}
